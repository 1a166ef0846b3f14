using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tests.Import;

/// <summary>A member that is in its object twice rejects the record by its path: a mapping would read one of its values, and lose the other.</summary>
public sealed class RepeatedMembersTests : MappedImport
{
    /// <summary>Records of all vendors.</summary>
    public static TheoryData<string, ImportType, string> Records => new()
    {
        { "amplitude", ImportType.Events,
            """{"event_type":"e","event_time":"2026-03-01 08:15:30","user_id":"u","device_id":"d","$insert_id":"i","uuid":"i2","session_id":5,"data":{"path":"/2"},"event_properties":{"total":5,"inner":{"a":1}},"groups":{"company":["acme"]},"platform":"Web","os_name":"Chrome","country":"Germany"}""" },
        { "amplitude", ImportType.Profiles,
            """{"event_type":"$identify","event_time":"2026-03-01 08:15:30","user_id":"u","user_properties":{"$set":{"plan":"pro"},"$setOnce":{"first":"a"},"$unset":{"old":"-"},"a":1}}""" },
        { "amplitude", ImportType.Groups,
            """{"event_type":"$groupidentify","event_time":"2026-03-01 08:15:30","group_properties":{"company":{"acme":{"plan":"pro","seats":5}}}}""" },
        { "ga4", ImportType.Events,
            """{"event_name":"purchase","event_timestamp":"1772352930250000","event_params":[{"key":"ga_session_id","value":{"int_value":"5"}},{"key":"page_location","value":{"string_value":"https://shop.example"}}],"user_id":"u","user_pseudo_id":"d","device":{"category":"desktop","web_info":{"browser":"Chrome"}},"geo":{"country":"Germany"},"ecommerce":{"transaction_id":"t"},"items":[{"item_id":"i","quantity":"1"}],"privacy_info":{"ads_storage":"No"}}""" },
        { "ga4", ImportType.Profiles,
            """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","user_properties":[{"key":"plan","value":{"string_value":"pro","set_timestamp_micros":1772352930250000}}]}""" },
        { "segment", ImportType.Events,
            """{"type":"track","event":"e","messageId":"m","userId":"u","anonymousId":"a","timestamp":"2026-03-01T08:15:30Z","receivedAt":"2026-03-01T08:15:31Z","integrations":{"All":true},"properties":{"total":59.9,"products":[{"id":"p"}]},"context":{"ip":"192.0.2.7","page":{"url":"https://shop.example/ok"},"library":{"name":"analytics.js"}}}""" },
        { "segment", ImportType.Profiles,
            """{"type":"identify","userId":"u","timestamp":"2026-03-01T08:15:30Z","traits":{"plan":"pro","address":{"city":"Berlin"}}}""" },
        { "segment", ImportType.Groups, """{"type":"group","groupId":"g","timestamp":"2026-03-01T08:15:30Z","traits":{"plan":"pro"}}""" },
        { "rudderstack", ImportType.Events,
            """{"type":"track","event":"e","messageId":"m","userId":"u","originalTimestamp":"2026-03-01T08:15:30Z","sentAt":"2026-03-01T08:15:30Z","receivedAt":"2026-03-01T08:15:31Z","properties":{"total":59.9},"context":{"sessionId":5,"traits":{"plan":"pro"}}}""" },
        { "rudderstack", ImportType.Profiles,
            """{"type":"identify","userId":"u","timestamp":"2026-03-01T08:15:30Z","context":{"traits":{"plan":"pro"}},"traits":{"a":1}}""" },
        { "rudderstack", ImportType.Groups, """{"type":"group","groupId":"g","timestamp":"2026-03-01T08:15:30Z","traits":{"plan":"pro"}}""" },
        { "posthog", ImportType.Events,
            """{"uuid":"019544b2-7b8a-7c3e-9f10-0123456789ab","event":"e","distinct_id":"u","person_id":"p","timestamp":"2026-03-01T08:15:30Z","properties":{"$device_id":"d","$is_identified":true,"$groups":{"company":"acme"},"$set":{"plan":"pro"},"total":5},"person_properties":{"plan":"pro"}}""" },
        { "posthog", ImportType.Profiles,
            """{"event":"$set","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"$set":{"plan":"pro"},"$set_once":{"first":"a"},"$unset":["old"]}}""" },
        { "posthog", ImportType.Groups,
            """{"event":"$groupidentify","timestamp":"2026-03-01T08:15:30Z","properties":{"$group_type":"company","$group_key":"acme","$group_set":{"plan":"pro"}}}""" },
        { "heap", ImportType.Events,
            """{"event_id":5,"user_id":6,"identity":"u","session_id":7,"time":"2026-03-01 08:15:30","type":"e","platform":"Mac OS X 14.5","domain":"shop.example","path":"/ok","properties":{"total":5}}""" },
        { "heap", ImportType.Profiles,
            """{"user_id":6,"identity":"u","joindate":"2026-02-01 00:00:00","last_modified":1772352930250,"email":"a@example.com","initial_referrer":"r","plan":"pro","properties":{"a":1}}""" },
        { "mparticle", ImportType.Events,
            """{"environment":"production","mpid":7,"user_identities":{"customer_id":"u"},"device_info":{"platform":"iOS"},"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250,"event_id":5,"custom_attributes":{"total":"59.90"}}}]}""" },
        { "mparticle", ImportType.Profiles,
            """{"mpid":7,"timestamp_unixtime_ms":1772352930250,"user_identities":[{"identity_type":"customer_id","identity":"u"}],"user_attributes":{"plan":"pro"},"deleted_user_attributes":["old"]}""" },
        { "snowplow", ImportType.Events,
            """{"event":"unstruct","event_name":"e","event_id":"i","collector_tstamp":"2026-03-01 08:15:30","user_id":"u","unstruct_event":{"schema":"s","data":{"schema":"iglu:com.acme/e/jsonschema/1-0-0","data":{"total":5}}},"contexts":{"schema":"s","data":[{"schema":"iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0","data":{"id":"p"}}]}}""" },
        { "matomo", ImportType.Events,
            """{"idVisit":7,"idSite":1,"visitorId":"d","userId":"u","countryCode":"de","dimension1":"a","actionDetails":[{"type":"action","timestamp":1772352930,"url":"https://shop.example","dimension2":"b"}]}""" },
        { "adobe", ImportType.Events,
            """{"post_page_event":0,"hitid_high":1,"hitid_low":2,"cust_visid":"u","mcvisid":"d","hit_time_gmt":1772352930,"post_evar1":"a","post_event_list":"200"}""" },
        { """{"name":"own","events":{"each":"a.list","leave_out":[{"when":{"path":"^.skip","present":true},"reason":"skipped"}],"event":"e","time":"^.t","insert_id":{"hash":["^.t","e"]},"properties":{"x":"in.x","y":{"path":"b","when":{"path":"^.c.d","equals":"1"}}}}}""",
            ImportType.Events, """{"t":1772352930,"c":{"d":"1"},"a":{"list":[{"e":"e","in":{"x":1},"b":2}]},"unread":{"z":1}}""" },
        { """{"name":"own","profiles":{"id":"who","set":{"spread":[{"from":"p","key":"n.k","value":"v","names":{"k":"kk"}}]}}}""", ImportType.Profiles,
            """{"who":"u","p":[{"n":{"k":"a"},"v":1}]}""" },
    };

    [Theory, MemberData(nameof(Records))]
    public async Task A_member_that_is_in_its_object_twice_rejects_the_record_by_its_path(string mapping, ImportType type, string record)
    {
        var (kept, changed) = (await RunAsync(mapping, type, record), new List<(string Path, string Record)>());
        Assert.True((kept.Accepted > 0, kept.Rejected) == (true, 0), string.Join('\n', kept.Problems));
        foreach (var (at, path, name) in MembersOf(record))
        {
            var escaped = $"\\u{(int)name[0]:x4}{name[1..]}";
            changed.Add((path, record.Insert(at, $"\"{name}\":\"other\",")));
            changed.Add((path, record.Insert(at, $"\"{escaped}\":null,")));
        }

        File.Delete(Run.DeadLetterPath);
        var report = await RunAsync(mapping, type, [.. changed.Select(one => one.Record)]);
        Assert.Equal((0, changed.Count), (report.Accepted, report.Rejected));
        foreach (var (letter, (path, text)) in Run.DeadLetters().Zip(changed))
        {
            Assert.True(letter.GetProperty("code").GetString() == "duplicate_key", text);
            Assert.Equal(path, letter.GetProperty("field").GetString());
            Assert.StartsWith($"{path} ", letter.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Records))]
    public async Task A_member_that_is_twice_in_an_object_in_a_text_rejects_the_record_where_the_mapping_reads_it(string mapping, ImportType type,
        string record)
    {
        var root = JsonNode.Parse(record)!.AsObject();
        foreach (var (name, value) in root.ToList())
        {
            if (value is not (JsonObject or JsonArray)) continue;
            foreach (var (at, path, member) in MembersOf(value.ToJsonString()))
            {
                var changed = root.DeepClone().AsObject();
                changed[name] = value.ToJsonString();
                if (await RunAsync(mapping, type, Json(changed)) is not { Accepted: > 0, Rejected: 0 }) break; // the mapping needs it as it is
                changed[name] = value.ToJsonString().Insert(at, $"\"{member}\":\"other\",");
                var report = await RunAsync(mapping, type, Json(changed));
                if (report is { Rejected: 0 } && (!IsRead(name) || IsKept(changed[name]!))) continue;
                Assert.True(report is { Accepted: 0, Rejected: 1 }, Json(changed));
                var letter = Assert.Single(Run.DeadLetters());
                Assert.Equal(("duplicate_key", $"{name}.{path}"), (letter.GetProperty("code").GetString(), letter.GetProperty("field").GetString()));
            }
        }

        bool IsKept(JsonNode text) => Run.Mixpanel.Stored[^1].Contains(JsonSerializer.Serialize(text.GetValue<string>(), Relaxed), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_that_record_of_several_is_rejected_and_all_of_them_where_it_is_unclear_which_they_are()
    {
        const string One = """{"event_type":"custom_event","data":{"event_name":"NAME","timestamp_unixtime_ms":1772352930250}}""";
        string Batch(string before, string after) =>
            $"{{\"mpid\":7,{before}\"events\":[{One.Replace("NAME", "a", StringComparison.Ordinal)},{One.Replace("\"data\"", "\"data\":1,\"data\"", StringComparison.Ordinal)},{One.Replace("NAME", "c", StringComparison.Ordinal)}]{after}}}";
        var report = await RunAsync("mparticle", ImportType.Events, Batch("", ""));
        Assert.Equal((2, 1), (report.Accepted, report.Rejected));
        report = await RunAsync("mparticle", ImportType.Events, Batch("\"mpid\":8,", ""));
        Assert.Equal((0, 3), (report.Accepted, report.Rejected));
        Assert.Equal(["mpid", "mpid", "mpid"], Run.DeadLetters().Select(letter => letter.GetProperty("field").GetString()), StringComparer.Ordinal);
        report = await RunAsync("mparticle", ImportType.Events, Batch("", ",\"events\":[]"));
        Assert.Equal((0, 1), (report.Accepted, report.Rejected));
        report = await RunAsync("mparticle", ImportType.Events, """{"mpid":7,"mpid":8,"events":[]}""");
        Assert.Equal((0, 1), (report.Accepted, report.Rejected));
        report = await RunAsync("""{"name":"own","profiles":{"each":"who","id":"@key","set":{"spread":["@"]}}}""", ImportType.Profiles,
            """{"who":{"u":{"a":1},"v":{"a":1},"u":{"a":2}}}""");
        Assert.Equal((0, 1), (report.Accepted, report.Rejected));
    }

    [Fact]
    public async Task The_ids_of_other_events_stay_what_they_were()
    {
        const string Own = """{"name":"own","events":{"event":"e","time":"t","insert_id":{"hash":["e","t"],"counted":true},"leave_out":[{"when":{"path":"skip","present":true},"reason":"skipped"}],"spread":["p"]}}""";
        const string Good = """{"e":"e","t":1772352930,"p":{"a":1}}""";
        async Task<List<string>> IdsAsync(params string[] records)
        {
            var before = Run.Mixpanel.Stored.Count;
            await RunAsync(Own, ImportType.Events, records);
            return
            [
                .. Run.Mixpanel.Stored.Skip(before)
                    .Select(stored => JsonDocument.Parse(stored).RootElement.GetProperty("properties").GetProperty("$insert_id").GetString()!),
            ];
        }

        var ids = await IdsAsync(Good, Good, Good);
        Assert.Equal([ids[0], ids[2]], await IdsAsync(Good, """{"e":"e","t":1772352930,"p":{"a":{"b":1,"b":2}}}""", Good));
        Assert.Equal(ids[1], Run.DeadLetters()[0].GetProperty("insert_id").GetString());
        Assert.Equal([ids[0], ids[1]], await IdsAsync(Good, """{"e":"e","t":1772352930,"skip":1,"skip":2}""", Good));
    }

    [Fact]
    public async Task A_lookup_reads_no_record_with_a_member_twice()
    {
        Run.Folder.Write("names.ndjson", """{"k":"a","v":"A"}""" + "\n" + """{"k":"b","v":"B","v":"C"}""" + "\n");
        const string Own = """{"name":"own","lookups":{"names":{"file":"names","key":"k","value":"v","records":false}},"events":{"event":"e","time":"t","properties":{"x":{"path":"v","lookup":"names"}}}}""";
        var input = Run.Folder.Write("input.ndjson", """{"e":"e","t":1772352930,"v":"b"}""" + "\n");
        var error = await Assert.ThrowsAsync<MixpanelException>(() =>
            Run.RunAsync(Run.Request(input) with { Inputs = [input, Run.Folder.File("names.ndjson")], Mapping = ImportMapping.Parse(Own) }));
        Assert.Contains("in line 2 (v is in its object twice)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Very_many_members_take_no_longer_each_and_may_differ_in_any_part_of_their_names()
    {
        const int Many = 30_000; // with the square of it, this would not end
        const string Own = """{"name":"own","events":{"event":"e","time":"t","properties":{"x":"p.aaaaaaaaaaaaaaaa29999zzzzzzzzzzzzzzzz"}}}""";
        var members = string.Join(',', Enumerable.Range(10_000, Many - 10_000).Select(i => $"\"aaaaaaaaaaaaaaaa{i}zzzzzzzzzzzzzzzz\":{i}"));
        Assert.Equal(29_999, (await EventAsync(Own, $"{{\"e\":\"e\",\"t\":1772352930,\"p\":{{{members}}}}}")).GetProperty("x").GetInt32());
        var (code, field, _) = await RejectedAsync(Own, ImportType.Events,
            $"{{\"e\":\"e\",\"t\":1772352930,\"p\":{{{members},\"aaaaaaaaaaaaaaaa2\\u0039999zzzzzzzzzzzzzzzz\":1}}}}");
        Assert.Equal(("duplicate_key", "p.aaaaaaaaaaaaaaaa29999zzzzzzzzzzzzzzzz"), (code, field));
        for (var length = 0; length < 40; length++)
        {
            var names = Enumerable.Range(0, length)
                .Select(i => $"{new string('n', i)}m{new string('n', length - i - 1)}")
                .Append(new string('n', length)).ToList();
            var text = $"{{\"e\":\"e\",\"t\":1772352930,\"p\":{{{string.Join(',', names.Select(name => $"\"{name}\":1"))}}}}}";
            Assert.Equal((1, 0), await RunAsync(Own, ImportType.Events, text) is var report ? (report.Accepted, report.Rejected) : default);
            Assert.Equal("duplicate_key", (await RejectedAsync(Own, ImportType.Events, text.Insert(text.Length - 2, $",\"{names[^1]}\":2"))).Code);
        }
    }

    static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static bool IsRead(string name) => name is not ("data" or "integrations" or "privacy_info" or "person_properties" or "unread");

    static string Json(JsonNode node) => node.ToJsonString(Relaxed);

    /// <summary>The members of all objects of a record: where each begins, its path, and its name.</summary>
    static List<(int At, string Path, string Name)> MembersOf(string record)
    {
        var members = new List<(int, string, string)>();
        var names = new Stack<string?>();
        var reader = new Utf8JsonReader(Encoding.ASCII.GetBytes(record));
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    names.Push("");
                    break;
                case JsonTokenType.StartArray:
                    names.Push(null);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    names.Pop();
                    break;
                case JsonTokenType.PropertyName:
                    names.Pop();
                    names.Push(reader.GetString()!);
                    members.Add(((int)reader.TokenStartIndex, string.Join('.', names.Where(name => !string.IsNullOrEmpty(name)).Reverse()),
                        reader.GetString()!));
                    break;
            }
        }

        return members;
    }
}
