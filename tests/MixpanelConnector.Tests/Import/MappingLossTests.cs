using System.Text.Json;

namespace MixpanelConnector.Tests.Import;

/// <summary>What a mapping reads becomes part of the result, rejects the record by its path, or is counted.</summary>
public sealed class MappingLossTests : MappedImport
{
    [Theory]
    [InlineData("ga4",
        """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","event_params":[{"key":"p","value":{"string_value":"[]"}},{"key":"q","value":{"string_value":"{}"}},{"key":"r","value":{"string_value":" "}},{"key":"s","value":"[]"}]}""",
        """{"p":"[]","q":"{}","r":" ","s":"[]"}""")]
    [InlineData("segment",
        """{"type":"track","event":"e","messageId":"m","userId":"u","timestamp":"2026-03-01T08:15:31Z","properties":{"p":"","q":[],"r":{}}}""",
        """{"p":"","q":[],"r":{}}""")]
    [InlineData("segment",
        """{"type":"track","event":"e","messageId":"m","userId":"u","timestamp":"2026-03-01T08:15:31Z","properties":{"p":"","q":[],"s":1}}""",
        """{"p":"","q":[],"s":1}""")]
    public async Task A_property_that_is_blank_or_empty_is_kept_whatever_is_beside_it(string mapping, string record, string kept)
    {
        var properties = await EventAsync(mapping, record);
        Assert.Equal(kept,
            $"{{{string.Join(',', properties.EnumerateObject().Where(property => property.Name.Length == 1).Select(property => $"\"{property.Name}\":{property.Value.GetRawText()}"))}}}");
    }

    [Theory]
    [InlineData("{}", "fa338280eac9c11285c0e35288cc6ca3")]
    [InlineData("{\"x\":null}", "53fae804ddc362345b2efdad90932dbc")]
    [InlineData("{\"x\":\"\"}", "b9e8af6ed9492f88e2cd6e74c3379f53")]
    [InlineData("\" \"", "ccabda94ee8b4dcf1d64206f2e4b844e")]
    [InlineData("\"\"", "d341288dc63a0747b717d205d4dd9674")]
    [InlineData("null", "d341288dc63a0747b717d205d4dd9674")]
    public async Task A_computed_id_holds_what_is_blank_or_empty(string first, string id) =>
        Assert.Equal(id,
            (await EventAsync("snowplow",
                $$$"""{"event":"unstruct","event_name":"e","collector_tstamp":"2026-03-01 08:15:30","user_id":"u","unstruct_event_com_a_a_1":{{{first}}},"unstruct_event_com_b_b_1":{"x":1}}""")).GetProperty("$insert_id").GetString());

    [Fact]
    public async Task A_record_that_is_not_valid_Unicode_changes_nothing_of_the_next()
    {
        var report = await RunAsync("heap", ImportType.Events,
            """{"event_id":"a\ud800","identity":"u","type":"Buy","time":"2026-03-01 08:15:31"}""",
            """{"event_id":"b","identity":"u","type":"Buy","time":"2026-03-01 08:15:32","from_user_id":" "}""",
            """{"event_id":"c","identity":"u","type":"Buy","time":"2026-03-01 08:15:33"}""");
        Assert.Equal((2, 1), (report.Accepted, report.Rejected));
    }

    [Theory]
    [InlineData("\"user_pseudo_id\":\"d\"", """{"key":"ga_session_id","value":{"int_value":"5"}}""", "d.5", null)]
    [InlineData("\"user_pseudo_id\":\"d\"", """{"key":"ga_session_id","value":{"string_value":null,"int_value":5,"double_value":null}}""", "d.5", null)]
    [InlineData("\"user_pseudo_id\":\"d\"", """{"key":"ga_session_id","value":5}""", "d.5", null)]
    [InlineData("\"user_pseudo_id\":\"d\"", """{"key":"ga_session_id","value":"5"}""", "d.5", null)]
    [InlineData("\"user_pseudo_id\":\"d\"", """{"key":"ga_session_id","value":{"int_value":"5"}},{"key":"ga_session_id","value":{"int_value":"6"}}""", "d.5",
        "6")]
    [InlineData("\"user_pseudo_id\":\"d\"", """{"key":"ga_session_id","value":5},{"key":"ga_session_id","value":{"int_value":"6"}}""", "d.5", "6")]
    [InlineData("\"user_id\":\"u\"", """{"key":"ga_session_id","value":{"int_value":"5"}}""", null, "5")]
    [InlineData("\"user_id\":\"u\"", """{"key":"ga_session_id","value":5}""", null, "5")]
    [InlineData("\"user_id\":\"u\",\"user_pseudo_id\":\" \"", """{"key":"ga_session_id","value":{"string_value":"5"}}""", null, "5")]
    public async Task The_session_of_ga4_is_kept_whatever_its_form(string who, string entries, string? session, string? own)
    {
        var properties = await EventAsync("ga4", $$"""{"event_name":"e","event_timestamp":1772352930250000,{{who}},"event_params":[{{entries}}]}""");
        Assert.Equal((session, own),
            (properties.TryGetProperty("session_id", out var id) ? id.GetString() : null,
                properties.TryGetProperty("ga_session_id", out var kept) ? kept.ToString() : null));
    }

    [Theory]
    [InlineData("ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","event_params":[{"key":"k","value":WHAT}]}""",
        "event_params")]
    [InlineData("ga4", ImportType.Events,
        """{"event_name":"e","event_timestamp":1772352930250000,"user_pseudo_id":"d","event_params":[{"key":"ga_session_id","value":WHAT}]}""", "event_params")]
    [InlineData("ga4", ImportType.Profiles,
        """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","user_properties":[{"key":"k","value":WHAT}]}""", "user_properties")]
    [InlineData("ga4", ImportType.Profiles,
        """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","user_properties":[{"key":"slot","value":WHAT}]}""", "user_properties")]
    public async Task An_entry_with_two_values_is_refused_and_one_with_the_same_twice_is_not(string vendor, ImportType type, string record, string field)
    {
        foreach (var two in (string[])
        [
            """{"string_value":"a","int_value":6}""",
            """{"int_value":"6","double_value":6.5}""",
            """{"string_value":"a","new_value":"b"}""",
            """{"string_value":"a","list":[{"b":1}]}""",
        ])
        {
            var (code, lost, message) = await RejectedAsync(vendor, type, record.Replace("WHAT", two, StringComparison.Ordinal));
            Assert.Equal(("invalid_json", field), (code, lost));
            Assert.Contains("several values", message, StringComparison.Ordinal);
        }

        foreach (var one in (string[])
        [
            """{"string_value":"6","int_value":"6"}""",
            """{"int_value":6,"double_value":6.0}""",
            """{"string_value":"a","int_value":null,"x":"","y":{},"z":" "}""",
        ])
            Assert.Equal((1, 0),
                await RunAsync(vendor, type, record.Replace("WHAT", one, StringComparison.Ordinal)) is var report
                    ? (report.Accepted, report.Rejected)
                    : default);
        if (type is ImportType.Profiles)
            Assert.Equal(1,
                (await RunAsync(vendor, type,
                    record.Replace("WHAT", """{"string_value":"a","set_timestamp_micros":"1772352930250000","user_property_name":"plan"}""",
                        StringComparison.Ordinal))).Accepted);
    }

    [Theory]
    [InlineData("rudderstack", ImportType.Events,
        """{"type":"track","event":"e","userId":"u","originalTimestamp":TIME,"sentAt":"2026-03-01T08:15:30Z","receivedAt":"2026-03-01T08:15:31Z"}""",
        "originalTimestamp")]
    [InlineData("rudderstack", ImportType.Events,
        """{"type":"track","event":"e","userId":"u","originalTimestamp":"2026-03-01T08:15:30Z","sentAt":TIME,"receivedAt":"2026-03-01T08:15:31Z"}""", "sentAt")]
    [InlineData("rudderstack", ImportType.Events,
        """{"type":"track","event":"e","userId":"u","originalTimestamp":"2026-03-01T08:15:30Z","sentAt":"2026-03-01T08:15:30Z","receivedAt":TIME}""",
        "receivedAt")]
    [InlineData("rudderstack", ImportType.Events, """{"type":"track","event":"e","userId":"u","originalTimestamp":TIME,"receivedAt":"2026-03-01T08:15:31Z"}""",
        "originalTimestamp")]
    [InlineData("rudderstack", ImportType.Events, """{"type":"track","event":"e","userId":"u","timestamp":TIME,"receivedAt":"2026-03-01T08:15:31Z"}""",
        "timestamp")]
    [InlineData("rudderstack", ImportType.Profiles,
        """{"type":"identify","userId":"u","originalTimestamp":TIME,"sentAt":"2026-03-01T08:15:30Z","receivedAt":"2026-03-01T08:15:31Z","traits":{"a":1}}""",
        "originalTimestamp")]
    [InlineData("rudderstack", ImportType.Groups,
        """{"type":"group","groupId":"g","originalTimestamp":"2026-03-01T08:15:30Z","sentAt":TIME,"receivedAt":"2026-03-01T08:15:31Z","traits":{"a":1}}""",
        "sentAt")]
    [InlineData("segment", ImportType.Events, """{"type":"track","event":"e","userId":"u","timestamp":TIME,"receivedAt":"2026-03-01T08:15:31Z"}""",
        "timestamp")]
    [InlineData("segment", ImportType.Profiles, """{"type":"identify","userId":"u","timestamp":TIME,"receivedAt":"2026-03-01T08:15:31Z","traits":{"a":1}}""",
        "timestamp")]
    [InlineData("snowplow", ImportType.Events, """{"event":"page_view","user_id":"u","derived_tstamp":TIME,"collector_tstamp":"2026-03-01 08:15:30"}""",
        "derived_tstamp")]
    [InlineData("adobe", ImportType.Events, """{"post_page_event":0,"mcvisid":"d","cust_hit_time_gmt":TIME,"hit_time_gmt":1772352930}""", "cust_hit_time_gmt")]
    [InlineData("mparticle", ImportType.Events,
        """{"mpid":7,"timestamp_unixtime_ms":1772352930250,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":TIME}}]}""",
        "events.data.timestamp_unixtime_ms")]
    [InlineData("posthog", ImportType.Profiles,
        """{"distinct_id":"u","person_version":1,"_inserted_at":TIME,"created_at":"2026-03-01T08:15:30Z","properties":{"a":1}}""", "_inserted_at")]
    [InlineData("""{"name":"own","events":{"event":"e","time":{"first":[{"path":"a.at","as":"date"},"b"]}}}""", ImportType.Events,
        """{"e":"e","a":{"at":TIME},"b":1772352930}""", "a.at")]
    [InlineData("""{"name":"own","events":{"event":"e","time":{"first":[{"path":"a","split":{"at":"|","take":1}},"b"]}}}""", ImportType.Events,
        """{"e":"e","a":TIME,"b":1772352930}""", "a")]
    public async Task A_time_that_cannot_be_read_is_refused_by_its_path_and_not_replaced_by_another(string mapping, ImportType type, string record,
        string field)
    {
        foreach (var garbage in (string[])["\"garbage\"", "true", "[1]"])
        {
            var (code, path, message) = await RejectedAsync(mapping, type, record.Replace("TIME", garbage, StringComparison.Ordinal));
            if (code == "invalid_json" && garbage == "[1]") continue; // the shape is wrong, too
            Assert.Equal(("time_invalid", field), (code, path));
            Assert.StartsWith(field, message, StringComparison.Ordinal);
        }

        if (field == "receivedAt") return; // nothing else says when it was
        foreach (var missing in (string[])["null", "\"\"", "\" \"", "[]", "{}", "[null]", "\"[]\""])
            Assert.True((await RunAsync(mapping, type, record.Replace("TIME", missing, StringComparison.Ordinal))).Accepted == 1, missing);
    }

    [Fact]
    public async Task The_time_at_which_a_property_was_set_is_refused_by_its_path_where_it_cannot_be_read()
    {
        const string Record = """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","user_properties":[{"key":"k","value":{"string_value":"v","set_timestamp_micros":TIME}}]}""";
        var (code, field, _) = await RejectedAsync("ga4", ImportType.Profiles, Record.Replace("TIME", "\"garbage\"", StringComparison.Ordinal));
        Assert.Equal(("time_invalid", "user_properties.value.set_timestamp_micros"), (code, field));
        foreach (var time in (string[])["null", "\" \"", "\"1772352930250000\""])
            Assert.Equal(1, (await RunAsync("ga4", ImportType.Profiles, Record.Replace("TIME", time, StringComparison.Ordinal))).Accepted);
    }

    /// <summary>Records of all vendors with an id at ID.</summary>
    public static TheoryData<string, ImportType, string, string> Ids => new()
    {
        { "ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":ID}""", "user_id" },
        { "ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","user_pseudo_id":ID}""", "user_pseudo_id" },
        { "ga4", ImportType.Profiles,
            """{"event_name":"e","event_timestamp":1772352930250000,"user_id":ID,"user_properties":[{"key":"k","value":{"string_value":"v"}}]}""", "user_id" },
        { "segment", ImportType.Events, """{"type":"track","event":"e","userId":ID,"timestamp":"2026-03-01T08:15:30Z"}""", "userId" },
        { "segment", ImportType.Events, """{"type":"track","event":"e","userId":"u","anonymousId":ID,"timestamp":"2026-03-01T08:15:30Z"}""", "anonymousId" },
        { "segment", ImportType.Events, """{"type":"track","event":"e","userId":"u","messageId":ID,"timestamp":"2026-03-01T08:15:30Z"}""", "messageId" },
        { "segment", ImportType.Profiles, """{"type":"identify","userId":ID,"timestamp":"2026-03-01T08:15:30Z","traits":{"a":1}}""", "userId" },
        { "segment", ImportType.Groups, """{"type":"group","groupId":ID,"timestamp":"2026-03-01T08:15:30Z","traits":{"a":1}}""", "groupId" },
        { "rudderstack", ImportType.Events, """{"type":"track","event":"e","userId":ID,"timestamp":"2026-03-01T08:15:30Z"}""", "userId" },
        { "rudderstack", ImportType.Profiles, """{"type":"identify","anonymousId":ID,"timestamp":"2026-03-01T08:15:30Z","traits":{"a":1}}""", "anonymousId" },
        { "rudderstack", ImportType.Groups, """{"type":"group","groupId":ID,"timestamp":"2026-03-01T08:15:30Z","traits":{"a":1}}""", "groupId" },
        { "rudderstack", ImportType.Groups, """{"type":"group","timestamp":"2026-03-01T08:15:30Z","traits":{"company":[ID],"a":1}}""", "traits.company" },
        { "amplitude", ImportType.Events, """{"event_type":"e","user_id":ID,"device_id":"d","event_time":"2026-03-01 08:15:30"}""", "user_id" },
        { "amplitude", ImportType.Events, """{"event_type":"e","user_id":"u","device_id":ID,"event_time":"2026-03-01 08:15:30"}""", "device_id" },
        { "amplitude", ImportType.Events, """{"event_type":"e","user_id":"u","$insert_id":ID,"event_time":"2026-03-01 08:15:30"}""", "$insert_id" },
        { "amplitude", ImportType.Profiles, """{"event_type":"e","user_id":ID,"event_time":"2026-03-01 08:15:30","user_properties":{"a":1}}""", "user_id" },
        { "posthog", ImportType.Events, """{"event":"e","distinct_id":ID,"timestamp":"2026-03-01T08:15:30Z"}""", "distinct_id" },
        { "posthog", ImportType.Events,
            """{"event":"e","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"$is_identified":true,"$device_id":ID}}""",
            "properties.$device_id" },
        { "posthog", ImportType.Profiles, """{"event":"$set","distinct_id":ID,"timestamp":"2026-03-01T08:15:30Z","properties":{"$set":{"a":1}}}""",
            "distinct_id" },
        { "posthog", ImportType.Groups,
            """{"event":"$groupidentify","timestamp":"2026-03-01T08:15:30Z","properties":{"$group_type":"company","$group_key":ID,"$group_set":{"a":1}}}""",
            "properties.$group_key" },
        { "heap", ImportType.Events, """{"type":"e","identity":ID,"time":"2026-03-01 08:15:30"}""", "identity" },
        { "heap", ImportType.Events, """{"type":"e","user_id":ID,"time":"2026-03-01 08:15:30"}""", "user_id" },
        { "heap", ImportType.Profiles, """{"user_id":1,"identity":ID,"plan":"a"}""", "identity" },
        { "mparticle", ImportType.Events,
            """{"mpid":7,"user_identities":{"customer_id":ID},"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""",
            "user_identities.customer_id" },
        { "mparticle", ImportType.Events,
            """{"mpid":7,"user_identities":[{"identity_type":"customer_id","identity":ID}],"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""",
            "user_identities.identity" },
        { "mparticle", ImportType.Events,
            """{"mpid":ID,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""", "mpid" },
        { "mparticle", ImportType.Profiles,
            """{"mpid":7,"timestamp_unixtime_ms":1772352930250,"user_identities":{"customer_id":ID},"user_attributes":{"a":1}}""",
            "user_identities.customer_id" },
        { "snowplow", ImportType.Events, """{"event":"page_view","user_id":ID,"collector_tstamp":"2026-03-01 08:15:30"}""", "user_id" },
        { "snowplow", ImportType.Events, """{"event":"page_view","user_id":"u","domain_userid":ID,"collector_tstamp":"2026-03-01 08:15:30"}""",
            "domain_userid" },
        { "matomo", ImportType.Events, """{"idVisit":7,"userId":ID,"actionDetails":[{"type":"action","timestamp":1772352930}]}""", "userId" },
        { "matomo", ImportType.Events, """{"idVisit":7,"visitorId":ID,"actionDetails":[{"type":"action","timestamp":1772352930}]}""", "visitorId" },
        { "adobe", ImportType.Events, """{"post_page_event":0,"cust_visid":ID,"hit_time_gmt":1772352930}""", "cust_visid" },
        { "adobe", ImportType.Events, """{"post_page_event":0,"post_visid_high":ID,"post_visid_low":7,"hit_time_gmt":1772352930}""", "post_visid_high" },
        { "adobe", ImportType.Events, """{"post_page_event":0,"mcvisid":ID,"hit_time_gmt":1772352930}""", "mcvisid" },
        { """{"name":"own","events":{"event":"e","time":"t","user_id":{"first":["a.id","b"]}}}""", ImportType.Events,
            """{"e":"e","t":1772352930,"a":{"id":ID},"b":"b"}""", "a.id" },
        { """{"name":"own","events":{"event":"e","time":"t","user_id":{"text":"{a}-{b}"}}}""", ImportType.Events, """{"e":"e","t":1772352930,"a":ID,"b":"b"}""",
            "a" },
        { """{"name":"own","profiles":{"id":{"path":"who","as":"text"},"set":{"spread":["p"]}}}""", ImportType.Profiles, """{"who":ID,"p":{"a":1}}""", "who" },
    };

    [Theory, MemberData(nameof(Ids))]
    public async Task An_id_that_is_neither_text_nor_number_is_refused_by_its_path(string mapping, ImportType type, string record, string field)
    {
        foreach (var id in (string[])["true", "false", "[7]", """{"id":"u"}"""])
        {
            if (mapping.Contains("\"as\":\"text\"", StringComparison.Ordinal) && id[0] is '[' or '{') continue; // the mapping asks for its text
            if (mapping == "rudderstack" && field == "groupId" && id == "[7]") continue; // several groups
            var (code, path, message) = await RejectedAsync(mapping, type, record.Replace("ID", id, StringComparison.Ordinal));
            Assert.Equal(("invalid_json", field), (code, path));
            if (field != "groupId" || id[0] != '{') Assert.Contains("must be a text or a number", message, StringComparison.Ordinal);
        }

        foreach (var id in (string[])["7346244611", "\"u\""])
            Assert.True((await RunAsync(mapping, type, record.Replace("ID", id, StringComparison.Ordinal))).Accepted == 1, id);
        foreach (var none in (string[])["null", "\"\"", "[]", "{}"])
            Assert.True((await RunAsync(mapping, type, record.Replace("ID", none, StringComparison.Ordinal))).Rejected == 0, none);
    }

    [Theory]
    [InlineData("ga4", """{"event_name":WHAT,"event_timestamp":1772352930250000}""", "event_missing", "event_name")]
    [InlineData("ga4", """{"event_name":"e","event_timestamp":WHAT}""", "time_missing", "event_timestamp")]
    [InlineData("segment", """{"type":"track","event":WHAT,"userId":"u","timestamp":"2026-03-01T08:15:30Z"}""", "event_missing", "event")]
    [InlineData("segment", """{"type":"track","event":"e","userId":"u","timestamp":WHAT}""", "time_missing", "timestamp")]
    [InlineData("rudderstack", """{"type":"track","event":WHAT,"userId":"u","timestamp":"2026-03-01T08:15:30Z"}""", "event_missing", "event")]
    [InlineData("rudderstack", """{"type":"track","event":"e","userId":"u","timestamp":WHAT}""", "time_missing", "timestamp")]
    [InlineData("amplitude", """{"event_type":WHAT,"event_time":"2026-03-01 08:15:30"}""", "event_missing", "event_type")]
    [InlineData("amplitude", """{"event_type":"e","event_time":WHAT}""", "time_missing", "event_time")]
    [InlineData("posthog", """{"event":WHAT,"distinct_id":"u","timestamp":"2026-03-01T08:15:30Z"}""", "event_missing", "event")]
    [InlineData("posthog", """{"event":"e","distinct_id":"u","timestamp":WHAT}""", "time_missing", "timestamp")]
    [InlineData("heap", """{"type":"e","identity":"u","time":WHAT}""", "time_missing", "time")]
    [InlineData("mparticle", """{"mpid":7,"events":[{"event_type":"custom_event","data":{"event_name":WHAT,"timestamp_unixtime_ms":1772352930250}}]}""",
        "event_missing", "events.data.event_name")]
    [InlineData("mparticle", """{"mpid":7,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":WHAT}}]}""", "time_missing",
        "events.data.timestamp_unixtime_ms")]
    [InlineData("snowplow", """{"event":"struct","se_action":WHAT,"event_name":WHAT,"collector_tstamp":"2026-03-01 08:15:30"}""", null, null)]
    [InlineData("snowplow", """{"event":WHAT,"event_name":WHAT,"collector_tstamp":"2026-03-01 08:15:30"}""", "event_missing", "event_name")]
    [InlineData("snowplow", """{"event":"page_view","collector_tstamp":WHAT}""", "time_missing", "true_tstamp")]
    [InlineData("matomo", """{"idVisit":7,"actionDetails":[{"type":"event","eventAction":WHAT,"timestamp":1772352930}]}""", "event_missing",
        "actionDetails.eventAction")]
    [InlineData("matomo", """{"idVisit":7,"actionDetails":[{"type":"action","timestamp":WHAT}]}""", "time_missing", "actionDetails.timestamp")]
    [InlineData("adobe", """{"post_page_event":WHAT,"hit_time_gmt":1772352930}""", "event_missing", "post_page_event")]
    [InlineData("adobe", """{"post_page_event":0,"hit_time_gmt":WHAT}""", "time_missing", "cust_hit_time_gmt")]
    [InlineData("""{"name":"own","events":{"event":{"text":"Viewed {page.name}"},"time":"t"}}""", """{"page":{"name":WHAT},"t":1772352930}""", "event_missing",
        "page.name")]
    [InlineData("""{"name":"own","events":{"each":"list","event":"e","time":"^.t"}}""", """{"list":[{"e":"e"}],"t":WHAT}""", "time_missing", "t")]
    public async Task What_is_blank_or_empty_is_missing_by_its_path(string mapping, string record, string? code, string? field)
    {
        foreach (var nothing in (string[])["null", "\"\"", "\" \"", "\"\\t\"", "[]", "{}", "[null]", "[{}]", "\"{}\""])
        {
            var replaced = record.Replace("WHAT", nothing, StringComparison.Ordinal);
            if (code is null)
            {
                Assert.Equal(1, (await RunAsync(mapping, ImportType.Events, replaced)).Accepted);
                continue;
            }

            var rejected = await RejectedAsync(mapping, ImportType.Events, replaced);
            Assert.Equal((code, field), (rejected.Code, rejected.Field));
            Assert.Contains(field!, rejected.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("segment", """{"type":"page","name":WHAT,"userId":"u","timestamp":"2026-03-01T08:15:30Z"}""", "Viewed Page")]
    [InlineData("mparticle", """{"mpid":7,"events":[{"event_type":"screen_view","data":{"screen_name":WHAT,"timestamp_unixtime_ms":1772352930250}}]}""",
        "Viewed Screen")]
    [InlineData("matomo", """{"idVisit":7,"actionDetails":[{"type":"goal","goalName":WHAT,"timestamp":1772352930}]}""", "Goal")]
    [InlineData("adobe", """{"exclude_hit":WHAT,"post_page_event":0,"hit_time_gmt":1772352930}""", "Page View")]
    [InlineData("adobe", """{"exclude_hit":0,"post_page_event":WHAT,"page_event":0,"hit_time_gmt":1772352930}""", "Page View")]
    [InlineData("adobe", """{"exclude_hit":0,"hit_source":WHAT,"post_page_event":0,"hit_time_gmt":1772352930}""", "Page View")]
    [InlineData("snowplow", """{"event":"page_view","event_name":WHAT,"collector_tstamp":"2026-03-01 08:15:30"}""", "Page View")]
    [InlineData("amplitude", """{"event_type":"e","merged_amplitude_id":WHAT,"event_time":"2026-03-01 08:15:30"}""", "e")]
    [InlineData("heap", """{"type":"e","from_user_id":WHAT,"time":"2026-03-01 08:15:30"}""", "e")]
    public async Task What_is_blank_or_empty_is_not_present_to_conditions_and_alternatives(string mapping, string record, string name)
    {
        foreach (var nothing in (string[])["null", "\"\"", "\" \"", "[]", "{}", "[null]", "\"[]\""])
        {
            Assert.True((await RunAsync(mapping, ImportType.Events, record.Replace("WHAT", nothing, StringComparison.Ordinal))).Accepted == 1, nothing);
            Assert.Equal(name, JsonDocument.Parse(Run.Mixpanel.Stored[^1]).RootElement.GetProperty("event").GetString());
        }
    }

    [Theory]
    [InlineData("snowplow",
        """{"event":"unstruct","event_name":"e","collector_tstamp":"2026-03-01 08:15:30","unstruct_event":{"schema":"s","data":{"schema":"iglu:com.acme/e/jsonschema/1-0-0","data":WHAT}}}""",
        1)]
    [InlineData("snowplow", """{"event":"page_view","event_name":"e","collector_tstamp":"2026-03-01 08:15:30","contexts":{"schema":"s","data":WHAT}}""", 1)]
    [InlineData("matomo", """{"actionDetails":WHAT}""", 0)]
    [InlineData("mparticle", """{"events":WHAT}""", 0)]
    public async Task What_is_empty_exists(string mapping, string record, int accepted)
    {
        foreach (var empty in (string[])["{}", "[]", "\"[]\""])
            Assert.Equal((accepted, 0),
                await RunAsync(mapping, ImportType.Events, record.Replace("WHAT", empty, StringComparison.Ordinal)) is var report
                    ? (report.Accepted, report.Rejected)
                    : default);
    }

    [Theory]
    [InlineData("\"as\":\"date\"", "\"garbage\"")]
    [InlineData("\"as\":\"date\",\"unit\":\"s\"", "-100000000000")]
    [InlineData("\"as\":\"country\"", "\"Atlantis\"")]
    [InlineData("\"as\":\"host\"", "\"example.com\"")]
    [InlineData("\"lookup\":\"names\"", "\"unknown\"")]
    [InlineData("\"table\":{\"a\":\"A\"}", "\"b\"")]
    [InlineData("\"split\":{\"at\":\",\",\"take\":1}", "\"a\"")]
    [InlineData("\"split\":{\"at\":\",\",\"take\":1},\"as\":\"country\"", "\"a,Atlantis\"")]
    public async Task A_value_that_cannot_be_converted_is_counted_andSaid_once_unless_another_rule_reads_it(string how, string value)
    {
        Run.Folder.Write("names.ndjson", """{"k":"a","v":"A"}""" + "\n");
        foreach (var (rules, count) in ((string, int)[])
        [
            ("""{"x":{"path":"p.v",HOW}}""", 2),
            ("""{"x":{"path":"p.v",HOW},"y":{"path":"p.v",HOW}}""", 2),
            ("""{"x":{"path":"p.v",HOW},"y":"p.v"}""", 0),
            ("""{"x":{"first":[{"path":"p.v",HOW},"p.v"]}}""", 0),
            ("""{"x":{"path":"p.v",HOW},"y":"p"}""", 0),
            ("""{"x":{"path":"p.v",HOW,"when":{"path":"e","equals":"other"}}}""", 0),
        ])
        {
            Said.Clear();
            var mapping = """{"name":"own","lookups":{"names":{"file":"names","key":"k","value":"v","records":false}},"events":{"event":"e","time":"t","properties":RULES}}""".Replace(
                "RULES", rules.Replace("HOW", how, StringComparison.Ordinal), StringComparison.Ordinal);
            var report = await Run.RunAsync(Run.Request(Run.Folder.Write("input.ndjson",
                string.Concat(((string[])["null", value, value]).Select(one =>
                    """{"e":"e","t":1772352930,"p":{"v":VALUE}}""".Replace("VALUE", one, StringComparison.Ordinal) + "\n")))) with
            {
                Inputs = [Run.Folder.File("input.ndjson"), Run.Folder.File("names.ndjson")],
                Mapping = ImportMapping.Parse(mapping),
                Diagnostics = new Receiver(Said),
            });
            Assert.Equal((3, 0), (report.Accepted, report.Rejected));
            Assert.Equal(count, report.Mapped!.GetValueOrDefault("unconverted"));
            if (count == 0) Assert.DoesNotContain(Said, said => said.Reason.Contains("p.v", StringComparison.Ordinal));
            else Assert.StartsWith("In line 2, p.v ", Assert.Single(Said, said => said.Code == "warning").Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Members_and_updates_that_cannot_be_converted_are_counted()
    {
        const string Members = """{"name":"own","events":{"event":"e","time":"t","spread":[{"from":"dates","value":{"path":"@","as":"date"}}]},"profiles":{"id":"who","set":{"properties":{"when":{"path":"at","as":"date"}}}}}""";
        var report = await RunAsync(Members, ImportType.Events, """{"e":"e","t":1772352930,"dates":{"a":1772352930,"b":"soon","c":"late"}}""");
        Assert.Equal((1, 2), (report.Accepted, report.Mapped!["unconverted"]));
        report = await RunAsync(Members, ImportType.Profiles, """{"who":"u","at":"soon"}""");
        Assert.Equal((1, 1), (report.LeftOut!["nothing_set"], report.Mapped!["unconverted"]));
    }

    [Theory]
    [InlineData("segment", ImportType.Profiles,
        """{"type":"identify","userId":"u","timestamp":"2026-03-01T08:15:30Z","traits":{"createdAt":"2026-02-01T00:00:00Z","created_at":"other"}}""",
        "created_at")]
    [InlineData("segment", ImportType.Profiles,
        """{"type":"identify","userId":"u","timestamp":"2026-03-01T08:15:30Z","traits":{"createdAt":"other","created_at":"2026-02-01T00:00:00Z"}}""",
        "createdAt")]
    [InlineData("rudderstack", ImportType.Profiles,
        """{"type":"identify","userId":"u","timestamp":"2026-03-01T08:15:30Z","context":{"traits":{"createdAt":"2026-02-01T00:00:00Z"}},"traits":{"createdAt":"other"}}""",
        "createdAt")]
    [InlineData("heap", ImportType.Profiles, """{"identity":"u","joindate":"2026-02-01 00:00:00","join_date":"other"}""", "join_date")]
    [InlineData("heap", ImportType.Profiles, """{"identity":"u","email":"a@example.com","_email":"other"}""", "_email")]
    [InlineData("mparticle", ImportType.Profiles,
        """{"mpid":7,"timestamp_unixtime_ms":1772352930250,"user_identities":{"customer_id":"u","mobile_number":"1"},"user_attributes":{"$Mobile":"other"}}""",
        "mparticle_$phone")]
    public async Task An_alternative_that_a_rule_does_not_need_keeps_its_name(string vendor, ImportType type, string record, string name)
    {
        Assert.Equal(1, (await RunAsync(vendor, type, record)).Accepted);
        Assert.Contains($"\"{name}\":\"other\"", Run.Mixpanel.Stored[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ga4", """{"event_name":"e","event_timestamp":1772352930250000,"event_params":{"total":5}}""", "must be a list", "is an object")]
    [InlineData("ga4", """{"event_name":"e","event_timestamp":1772352930250000,"event_params":[{"key":{"a":1},"value":5}]}""", "must be a list",
        "an entry has another form")]
    [InlineData("ga4", """{"event_name":"e","event_timestamp":1772352930250000,"event_params":5}""", "must be a list", "is a number")]
    [InlineData("matomo", """{"idVisit":7,"actionDetails":{"type":"action","timestamp":1772352930}}""", "must be a list, even if it has only one entry",
        "is an object")]
    [InlineData("segment", """{"type":"track","event":"e","timestamp":"2026-03-01T08:15:30Z","properties":["a"]}""", "must be an object", "is a list")]
    [InlineData("segment", """{"type":"track","event":"e","timestamp":"2026-03-01T08:15:30Z","context":"text"}""", "must be an object", "is a text")]
    [InlineData("segment", """{"type":"track","event":"e","timestamp":"2026-03-01T08:15:30Z","context":true}""", "must be an object", "is true or false")]
    [InlineData("snowplow", """{"event":"page_view","collector_tstamp":"2026-03-01 08:15:30","contexts":{"data":{"schema":"x"}}}""",
        "contexts.data must be a list", "is an object")]
    public async Task A_refusal_says_what_is_needed_and_what_is_there(string vendor, string record, string needed, string there)
    {
        var (_, _, message) = await RejectedAsync(vendor, ImportType.Events, record);
        Assert.Contains(needed, message, StringComparison.Ordinal);
        Assert.Contains($", but {there}", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("posthog", ImportType.Events,
        """{"event":"e","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"$device_id":"d","$is_identified":WHAT}}""",
        "properties.$is_identified")]
    [InlineData("posthog", ImportType.Profiles,
        """{"event":"$set","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"$is_identified":WHAT,"$set":{"a":1}}}""",
        "properties.$is_identified")]
    [InlineData("posthog", ImportType.Profiles,
        """{"distinct_id":"u","person_version":1,"created_at":"2026-03-01T08:15:30Z","is_deleted":WHAT,"properties":{"a":1}}""", "is_deleted")]
    public async Task A_truth_value_that_is_neither_true_nor_false_is_refused_by_its_path(string vendor, ImportType type, string record, string field)
    {
        foreach (var unknown in (string[])["\"maybe\"", "\"TRUE\"", "2", "\"2026-03-01\""])
        {
            var (code, path, message) = await RejectedAsync(vendor, type, record.Replace("WHAT", unknown, StringComparison.Ordinal));
            Assert.Equal(("not_mapped", field), (code, path));
            Assert.StartsWith(field, message, StringComparison.Ordinal);
        }

        foreach (var known in (string[])["true", "false", "1", "0", "\"true\"", "\"false\"", "\"1\"", "\"0\"", "null", "\"\""])
        {
            var report = await RunAsync(vendor, type, record.Replace("WHAT", known, StringComparison.Ordinal));
            Assert.True((report.Rejected, report.Accepted + (report.LeftOut?.GetValueOrDefault("deleted") ?? 0)) == (0, 1), known);
            if (report.Accepted == 1) Assert.DoesNotContain("\"distinct_id\":\"\"", Run.Mixpanel.Stored[^1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_identification_needs_no_truth_value() =>
        Assert.Equal("u",
            (await EventAsync("posthog",
                """{"event":"$identify","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"$anon_distinct_id":"d","$is_identified":"maybe"}}""")).GetProperty("$user_id").GetString());

    [Theory]
    [InlineData("ga4", ImportType.Events,
        """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","event_params":[{"key":"x","value":{"string_value":""}}]}""")]
    [InlineData("ga4", ImportType.Events,
        """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","event_params":[{"key":"x","value":{"string_value":"","int_value":null}}]}""")]
    [InlineData("ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","event_params":[{"key":"x","value":""}]}""")]
    [InlineData("ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","ecommerce":{"x":""}}""")]
    [InlineData("ga4", ImportType.Profiles,
        """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","user_properties":[{"key":"x","value":{"string_value":""}},{"key":"y","value":{"string_value":"y"}}]}""")]
    [InlineData("segment", ImportType.Events, """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"x":""}}""")]
    [InlineData("segment", ImportType.Profiles, """{"type":"identify","userId":"u","timestamp":"2026-03-01T08:15:30Z","traits":{"x":""}}""")]
    [InlineData("rudderstack", ImportType.Events, """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"x":""}}""")]
    [InlineData("amplitude", ImportType.Events, """{"event_type":"e","user_id":"u","event_time":"2026-03-01 08:15:30","event_properties":{"x":""}}""")]
    [InlineData("posthog", ImportType.Events, """{"event":"e","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"x":""}}""")]
    [InlineData("heap", ImportType.Events, """{"type":"e","identity":"u","time":"2026-03-01 08:15:30","x":""}""")]
    [InlineData("mparticle", ImportType.Events,
        """{"mpid":7,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250,"custom_attributes":{"x":""}}}]}""")]
    [InlineData("snowplow", ImportType.Events,
        """{"event":"unstruct","event_name":"e","collector_tstamp":"2026-03-01 08:15:30","unstruct_event":{"data":{"schema":"s","data":{"x":""}}}}""")]
    public async Task An_empty_text_is_kept_by_all_vendors(string vendor, ImportType type, string record)
    {
        Assert.Equal(1, (await RunAsync(vendor, type, record)).Accepted);
        Assert.Contains("\"x\":\"\"", Run.Mixpanel.Stored[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_filled_value_is_preferred_to_an_empty_text() =>
        Assert.Equal(5,
            (await EventAsync("ga4",
                """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","event_params":[{"key":"x","value":{"string_value":"","int_value":"5"}}]}""")).GetProperty("x").GetInt32());

    [Theory]
    [InlineData("""{"first":[{"path":"a.at","as":"date"},"b"]}""", "p.a.at")]
    [InlineData("""{"first":[{"path":"none"},{"path":"a","split":{"at":"|","take":1}},"b"]}""", "p.a")]
    [InlineData("\"c\"", "p.c")]
    public async Task The_time_of_an_entry_that_cannot_be_read_is_named_itself(string time, string field)
    {
        var own = """{"name":"own","profiles":{"id":"who","set":{"spread":[{"from":"p","key":"k","value":"v","time":TIME}]}}}""".Replace("TIME", time,
            StringComparison.Ordinal);
        var a = time.Contains("a.at", StringComparison.Ordinal) ? """{"at":"garbage"}""" : "\"garbage\"";
        var (code, path, message) = await RejectedAsync(own, ImportType.Profiles,
            """{"who":"u","p":[{"k":"x","v":1,"b":1772352930},{"k":"y","v":2,"a":AT,"b":1772352930,"c":"garbage"}]}""".Replace("AT", a,
                StringComparison.Ordinal));
        Assert.Equal(("time_invalid", field), (code, path));
        Assert.StartsWith(field, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"drop\":[\"b\",\"c\"]")]
    [InlineData("\"drop\":[\"b*\",\"c\"]")]
    [InlineData("\"keep\":[\"a\"]")]
    public async Task What_the_mapping_drops_is_not_counted_as_unconverted(string how)
    {
        var report = await RunAsync(
            """{"name":"own","events":{"event":"e","time":"t","spread":[{"from":"dates","value":{"path":"@","as":"date"},HOW}]}}""".Replace("HOW", how,
                StringComparison.Ordinal),
            ImportType.Events, """{"e":"e","t":1772352930,"dates":{"a":"soon","b":"later","c":1772352930}}""");
        Assert.Equal((1, 1), (report.Accepted, report.Mapped!["unconverted"]));
    }

    [Fact]
    public async Task A_search_that_a_broken_name_ends_changes_nothing_of_the_next_record()
    {
        const string Own = """{"name":"own","events":{"each":"list","event":"e","time":"t","properties":{"x":"x"}}}""";
        var report = await RunAsync(Own, ImportType.Events, """{"list":{"\ud800":{"t":1772352930}}}""", """{"list":{"\ud800":{"e":"e","t":1772352930}}}""");
        Assert.Equal((1, 1), (report.Accepted, report.Rejected)); // nothing seeks the missing x, whose path cannot be shown
        Assert.Equal("invalid_utf8", Assert.Single(Run.DeadLetters()).GetProperty("code").GetString());
    }
}
