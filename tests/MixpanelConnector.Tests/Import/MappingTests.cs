using System.Text.Json;
using System.Text.RegularExpressions;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Import;

/// <summary>Records of other tools, converted by the rules of a mapping.</summary>
public sealed class MappingTests : IDisposable
{
    const string Simple = """{"name":"mine","events":{"event":"name","time":"at","insert_id":["id",{"hash":["who","at","name"],"counted":true}],"user_id":"who","device_id":"device","properties":{"$os":"os"},"spread":["props"]}}""";

    const string Good = """{"name":"e","at":1772352930250,"who":"u"}""";

    readonly ImportRun _run = new();
    readonly CrashingState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    ImportRequest Request(string mapping, string text) => _run.Request(_run.Folder.Write("input.ndjson", text)) with { Mapping = ImportMapping.Parse(mapping) };

    static JsonElement Properties(string record) => JsonDocument.Parse(record).RootElement.GetProperty("properties");

    static string Id(string record) => Properties(record).GetProperty("$insert_id").GetString()!;

    async Task<JsonElement> OneAsync(string record, Func<ImportRequest, ImportRequest>? change = null)
    {
        var request = Request(Simple, record + "\n");
        var report = await _run.RunAsync(change is null ? request : change(request));
        Assert.True(report.Accepted == 1, string.Join('\n', report.Problems));
        return Properties(_run.Mixpanel.Stored[^1]);
    }

    static string Batch(int events) =>
        $$"""{"mpid":7,"user_identities":{"customer_id":"u"},"events":[{{string.Join(',', Enumerable.Range(0, events).Select(Inner))}}]}""";

    static string Inner(int i) =>
        """{"event_type":"KIND","data":{"event_name":"e","timestamp_unixtime_ms":TIME,"event_id":NUMBER,"custom_attributes":{"n":NUMBER}}}"""
            .Replace("KIND", i % 7 == 3 ? "session_start" : "custom_event", StringComparison.Ordinal)
            .Replace("TIME", i % 5 == 2 ? "\"bad\"" : "1772352930250", StringComparison.Ordinal)
            .Replace("NUMBER", i.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);

    [Fact]
    public async Task A_record_that_becomes_several_is_taken_whole_or_goes_on_within_itself_whenever_the_state_fails()
    {
        var text = string.Concat(Enumerable.Range(0, 4).Select(i => Batch(23).Replace("\"mpid\":7", $"\"mpid\":{i}", StringComparison.Ordinal) + "\n"));
        var request = _run.Request(_run.Folder.Write("batches.json", text)) with
        {
            Mapping = ImportMapping.OfVendor("mparticle"),
            BatchEvents = 2,
            CheckpointInterval = TimeSpan.Zero,
            Senders = 1,
        };
        var whole = await _run.RunAsync(request);
        var expected = _run.Mixpanel.Stored.Select(Id).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(whole.Accepted, expected.Count);
        Assert.Equal(12, whole.LeftOut!["technical"]);

        for (var crash = 1; crash < 30; crash += 4)
        {
            using var state = new CrashingState { CrashAtSave = crash };
            File.Delete(_run.DeadLetterPath);
            var before = _run.Mixpanel.Stored.Count;
            ImportReport report;
            var runs = 0;
            do
            {
                report = await _run.RunAsync(request, state);
                Assert.True(++runs < 100);
                if (runs > 3) state.CrashAtSave = 0;
            }
            while (report.Outcome is RunOutcome.DiskFailed);
            Assert.Equal((whole.Read, whole.Accepted, whole.Rejected, 0), (report.Read, report.Accepted, report.Rejected, report.Pending));
            Assert.Equal(whole.LeftOut, report.LeftOut);
            Assert.Equal(expected, _run.Mixpanel.Stored.Skip(before).Select(Id).ToHashSet(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Ids_that_are_counted_are_the_same_after_a_resume()
    {
        var text = string.Concat(Enumerable.Repeat("""{"name":"e","at":1772352930250,"who":"u"}""" + "\n", 9));
        var request = Request(Simple, text) with { BatchEvents = 2, CheckpointInterval = TimeSpan.Zero, Senders = 1 };
        await _run.RunAsync(request);
        var expected = _run.Mixpanel.Stored.Select(Id).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(9, expected.Count);
        for (var crash = 2; crash < 5; crash++)
        {
            _state.Clear();
            var before = _run.Mixpanel.Stored.Count;
            _state.CrashAtSave = crash;
            Assert.Equal(RunOutcome.DiskFailed, (await _run.RunAsync(request, _state)).Outcome);
            _state.CrashAtSave = 0;
            Assert.Equal(9, (await _run.RunAsync(request, _state)).Accepted);
            Assert.Equal(expected, _run.Mixpanel.Stored.Skip(before).Select(Id).ToHashSet(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_dead_letter_holds_the_record_as_it_was_with_that_one_of_several_and_is_replayed_under_the_same_id()
    {
        var request = _run.Request(_run.Folder.Write("batches.json", Batch(4) + "\n")) with { Mapping = ImportMapping.OfVendor("mparticle") };
        var report = await _run.RunAsync(request);
        Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        var raw = letter.GetProperty("raw");
        Assert.Equal("u", raw.GetProperty("user_identities").GetProperty("customer_id").GetString());
        Assert.Equal(2, Assert.Single(raw.GetProperty("events").EnumerateArray()).GetProperty("data").GetProperty("event_id").GetInt32());
        Assert.Equal("mparticle", letter.GetProperty("options").GetProperty("vendor").GetString());

        var mended = _run.Folder.Write("mended", File.ReadAllText(_run.DeadLetterPath).Replace("\"bad\"", "1772352930250", StringComparison.Ordinal));
        var replay = await _run.RunAsync(_run.Request() with { Replay = mended, DeadLetterPath = _run.Folder.File("again") });
        Assert.Equal((RunOutcome.Complete, 1), (replay.Outcome, replay.Accepted));
        Assert.Equal(letter.GetProperty("insert_id").GetString(), Id(_run.Mixpanel.Stored[^1]));
    }

    [Fact]
    public async Task A_replay_keeps_a_mapping_of_ones_own_and_the_identity()
    {
        await _run.RunAsync(Request(Simple, """{"name":"e","at":"never","who":"u","device":"d","id":"not an id","props":{"a":1}}""" + "\n") with
        {
            Identity = ImportIdentity.Original,
        });
        var mended = _run.Folder.Write("mended", File.ReadAllText(_run.DeadLetterPath).Replace("never", "2026-03-01T08:15:30Z", StringComparison.Ordinal));
        Assert.Equal(1, (await _run.RunAsync(_run.Request() with { Replay = mended, DeadLetterPath = _run.Folder.File("again") })).Accepted);
        var properties = Properties(_run.Mixpanel.Stored[^1]);
        Assert.Equal("u", properties.GetProperty("distinct_id").GetString());
        Assert.False(properties.TryGetProperty("$user_id", out _));
        Assert.Equal(1, properties.GetProperty("a").GetInt32());
        Assert.Equal(32, properties.GetProperty("$insert_id").GetString()!.Length);
    }

    [Fact]
    public async Task What_was_looked_up_elsewhere_is_not_replayed_without_it()
    {
        Directory.CreateDirectory(_run.Folder.File("dump"));
        _run.Folder.Write("dump/users.json", """{"user_id":1,"identity":"u"}""" + "\n");
        _run.Folder.Write("dump/events.json", """{"event_id":1,"user_id":1,"type":"e","time":"bad"}""" + "\n");
        await _run.RunAsync(_run.Request(_run.Folder.File("dump")) with { Mapping = ImportMapping.OfVendor("heap") });
        var refusal = await Assert.ThrowsAsync<MixpanelException>(() =>
            _run.RunAsync(_run.Request() with { Replay = _run.DeadLetterPath, DeadLetterPath = _run.Folder.File("again") }));
        Assert.Contains("looked up values", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_is_good_for_the_same_mapping_only()
    {
        const string Record = """{"name":"e","at":1772352930250,"who":"u"}""";
        await _run.RunAsync(Request(Simple, Record + "\n"), _state);
        await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(
            Request(Simple.Replace("\"os\"", "\"system\"", StringComparison.Ordinal), Record + "\n"), _state));
        await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Request(Simple, Record + "\n") with { Identity = ImportIdentity.Original }, _state));
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(Request(Simple, Record + "\n"), _state)).Outcome);
    }

    [Theory]
    [InlineData("\"2026-03-01 08:15:30.250000\"", 1_772_352_930_250)]
    [InlineData("\"2026-03-01T08:15:30.250Z\"", 1_772_352_930_250)]
    [InlineData("\"2026-03-01 08:15:30.250 UTC\"", 1_772_352_930_250)]
    [InlineData("\"2026-03-01T09:15:30.250+01:00\"", 1_772_352_930_250)]
    [InlineData("1772352930", 1_772_352_930_000)]
    [InlineData("1772352930.25", 1_772_352_930_250)]
    [InlineData("1772352930250", 1_772_352_930_250)]
    [InlineData("\"1772352930250999\"", 1_772_352_930_250)]
    [InlineData("1772352930250999888", 1_772_352_930_250)]
    public async Task A_time_is_read_in_the_forms_that_exports_have(string time, long milliseconds)
    {
        var properties = await OneAsync($$"""{"name":"e","at":{{time}},"who":"u"}""");
        Assert.Equal(milliseconds, properties.GetProperty("time").GetInt64());
    }

    [Theory]
    [InlineData("null", "time_missing")]
    [InlineData("\"\"", "time_missing")]
    [InlineData("\"soon\"", "time_invalid")]
    [InlineData("202603010815", "time_invalid")]
    [InlineData("\" \"", "time_missing")]
    [InlineData("\"\\t\"", "time_missing")]
    [InlineData("{}", "time_missing")]
    [InlineData("[null]", "time_missing")]
    [InlineData("\"{}\"", "time_missing")]
    [InlineData("[1772352930]", "time_invalid")]
    [InlineData("true", "time_invalid")]
    [InlineData("1e40", "time_invalid")]
    [InlineData("\"2026-02-30\"", "time_invalid")]
    public async Task A_time_that_cannot_be_read_for_certain_is_refused_and_never_made_up(string time, string code)
    {
        var report = await _run.RunAsync(Request(Simple, $$"""{"name":"e","at":{{time}},"who":"u"}""" + "\n"));
        Assert.Equal((RunOutcome.Rejected, code), (report.Outcome, Assert.Single(report.Reasons!).Code));
    }

    [Theory]
    [InlineData("\"u\"", "\"d\"", "u", "u", "d", "u")]
    [InlineData("7346244611012968789", "null", "7346244611012968789", "7346244611012968789", null, "7346244611012968789")]
    [InlineData("null", "\"d\"", "$device:d", null, "d", "d")]
    [InlineData("\"anonymous\"", "\"d\"", "$device:d", null, "d", "d")]
    [InlineData("\"00000000-0000-0000-0000-000000000000\"", "0", "", null, null, "")]
    [InlineData("-1", "\"undefined\"", "", null, null, "")]
    [InlineData("\" \"", "\"NULL\"", "", null, null, "")]
    [InlineData("{}", "[]", "", null, null, "")]
    [InlineData("\"\\u00fc\\\"\"", "null", "ü\"", "ü\"", null, "ü\"")]
    public async Task Ids_say_who_it_was_and_those_that_stand_for_nobody_say_nothing(string user, string device, string distinctId, string? userId,
        string? deviceId, string original)
    {
        var record = $$"""{"name":"e","at":1772352930250,"who":{{user}},"device":{{device}}}""";
        var properties = await OneAsync(record);
        Assert.Equal((distinctId, userId, deviceId), (Text("distinct_id"), Text("$user_id"), Text("$device_id")));
        properties = await OneAsync(record, request => request with { Identity = ImportIdentity.Original });
        Assert.Equal((original, null, null), (Text("distinct_id"), Text("$user_id"), Text("$device_id")));

        string? Text(string name) => properties.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    [Fact]
    public async Task An_id_that_stands_for_nobody_makes_room_for_the_next_that_is_looked_for()
    {
        var mapping = Simple.Replace("\"device_id\":\"device\"", "\"device_id\":{\"first\":[\"device\",\"other\"]}", StringComparison.Ordinal);
        await _run.RunAsync(Request(mapping, """{"name":"e","at":1772352930250,"device":"00000000-0000-0000-0000-000000000000","other":77}""" + "\n"));
        Assert.Equal("$device:77", Properties(_run.Mixpanel.Stored[^1]).GetProperty("distinct_id").GetString());
    }

    [Theory]
    [InlineData("\"3f1c9a2e-5a5b-4c0d-9d0e-1a2b3c4d5e6f\"", "3f1c9a2e-5a5b-4c0d-9d0e-1a2b3c4d5e6f")]
    [InlineData("4711000000000000123", "4711000000000000123")]
    [InlineData("\"has spaces\"", null)]
    [InlineData("\"3f1c9a2e-5a5b-4c0d-9d0e-1a2b3c4d5e6f0\"", null)]
    [InlineData("\"ünïcode\"", null)]
    [InlineData("null", null)]
    [InlineData("\"undefined\"", null)]
    public async Task An_id_that_fits_is_kept_and_any_other_is_hashed_and_never_cut(string id, string? kept)
    {
        var record = $$"""{"name":"e","at":1772352930250,"who":"u","id":{{id}}}""";
        var made = (await OneAsync(record)).GetProperty("$insert_id").GetString()!;
        if (kept is null) Assert.Matches("^[0-9a-f]{32}$", made);
        else Assert.Equal(kept, made);
        Assert.Equal(made, (await OneAsync(record)).GetProperty("$insert_id").GetString());
    }

    [Theory]
    [InlineData("time")]
    [InlineData("distinct_id")]
    [InlineData("token")]
    [InlineData("ip")]
    [InlineData("event")]
    [InlineData("alias")]
    [InlineData("bucket")]
    [InlineData("$bucket")]
    [InlineData("$ignore")]
    [InlineData("$insert_id")]
    [InlineData("$user_id")]
    [InlineData("mp_country_code")]
    [InlineData("$os")]
    [InlineData("$source")]
    public async Task A_name_that_Mixpanel_reserves_or_a_rule_gives_begins_with_the_vendors(string name)
    {
        var properties = await OneAsync($$$"""{"name":"e","at":1772352930250,"who":"u","os":"linux","props":{"{{{name}}}":"theirs","plain":1}}""");
        Assert.Equal("theirs", properties.GetProperty($"mine_{name}").GetString());
        Assert.Equal(("linux", "mine-to-mixpanel", 1),
            (properties.GetProperty("$os").GetString(), properties.GetProperty("$source").GetString(), properties.GetProperty("plain").GetInt32()));
    }

    [Fact]
    public async Task Values_stay_what_they_are_but_for_numbers_that_a_double_would_change()
    {
        var properties = await OneAsync(
            """{"name":"e","at":1772352930250,"who":"u","props":{"a":1.10,"b":9007199254740993,"c":{"x":[18446744073709551615,null,"\u00e9\ud83d\ude00"]},"d":-9007199254740992,"e":null,"f":"","g":true}}""");
        Assert.Equal("1.10", properties.GetProperty("a").GetRawText());
        Assert.Equal("9007199254740993", properties.GetProperty("b").GetString());
        Assert.Equal("""{"x":["18446744073709551615",null,"\u00e9\ud83d\ude00"]}""", properties.GetProperty("c").GetRawText());
        Assert.Equal("-9007199254740992", properties.GetProperty("d").GetRawText());
        Assert.False(properties.TryGetProperty("e", out _));
        Assert.Equal("", properties.GetProperty("f").GetString());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"a\":1")]
    [InlineData("\"text\"")]
    [InlineData("{\"name\":\"\\ud800\",\"at\":1772352930250,\"who\":\"\\ud800\"}")]
    public async Task What_is_no_record_is_refused_and_the_next_is_read(string line)
    {
        var report = await _run.RunAsync(Request(Simple, $"{Good}\n{line}\n{Good}\n"));
        Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
    }

    [Theory]
    [InlineData("$identify")]
    [InlineData("$create_alias")]
    [InlineData("$merge")]
    public async Task An_event_by_which_projects_are_told_who_is_who_never_goes_out(string name)
    {
        var report = await _run.RunAsync(Request(Simple, $$"""{"name":"{{name}}","at":1772352930250,"who":"u"}""" + "\n"));
        Assert.Equal((RunOutcome.Complete, 0, 1), (report.Outcome, report.Accepted, report.LeftOut!["identity_event"]));
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Theory]
    [InlineData("{", "not valid JSON: error on line 1")]
    [InlineData("[]", "the file must be an object")]
    [InlineData("""{"name":"x"}""", "neither events, profiles nor groups")]
    [InlineData("""{"events":{}}""", "the file lacks name")]
    [InlineData("""{"name":"X y","events":{}}""", "name must be")]
    [InlineData("""{"name":"x","event":{}}""", "the file has the member event, which is not one of")]
    [InlineData("""{"name":"x","events":{"event":"a"}}""", "events lacks time")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","userid":"c"}}""", "events has the member userid")]
    [InlineData("""{"name":"x","events":{"event":"a..b","time":"b"}}""", "events.event is not a path: the path a..b has an empty name")]
    [InlineData("""{"name":"x","events":{"event":{"path":"a","value":1},"time":"b"}}""", "events.event needs exactly one of")]
    [InlineData("""{"name":"x","events":{"event":"a","time":{"path":"b","unit":"h"}}}""", "events.time.unit must be one of s, ms, us")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","properties":{"p":{"path":"c","as":"int"}}}}""", "events.properties.p.as must be one of")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","properties":{"time":"c"}}}""",
        "events.properties.time is not a property that can be set here")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","is":1},"reason":"r"}]}}""",
        "events.leave_out[0].when has the member is")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","leave_out":[{"when":{"path":"c","equals":1},"reason":"no words"}]}}""",
        "events.leave_out[0].reason must be")]
    [InlineData("""{"name":"x","events":{"event":{"text":"a {b"},"time":"b"}}""", "events.event.text has a brace that is not closed")]
    [InlineData("""{"name":"x","events":{"event":{"path":"a","lookup":"l"},"time":"b"}}""", "events.event.lookup is not one of the mapping's lookups")]
    [InlineData("""{"name":"x","profiles":{"id":"a"}}""", "profiles needs set or set_once")]
    [InlineData("""{"name":"x","rows":{"types":"all"},"events":{"event":"a","time":"b"}}""", "rows.types must be text or shown")]
    public void A_mapping_that_is_wrong_says_what_and_where(string json, string message)
    {
        var refusal = Assert.Throws<MixpanelException>(() => ImportMapping.Parse(json));
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_each_property_of_a_profile_the_newest_is_set_whatever_the_order_and_wherever_the_import_went_on()
    {
        const string Mapping = """{"name":"mine","profiles":{"id":"who","time":"at","set":{"spread":["props"]}}}""";
        Directory.CreateDirectory(_run.Folder.File("in"));
        _run.Folder.Write("in/1.ndjson", Line(20, "a", 2) + Line(10, "a", 1) + Line(15, "b", 1));
        _run.Folder.Write("in/2.ndjson", Line(5, "a", 0) + Line(16, "b", 2) + Line(20, "a", 3));
        var request = _run.Request(_run.Folder.File("in")) with
        {
            Mapping = ImportMapping.Parse(Mapping),
            Type = ImportType.Profiles,
            BatchEvents = 1,
            CheckpointInterval = TimeSpan.Zero,
        };
        var whole = await _run.RunAsync(request);
        Assert.Equal((6, 4, 2), (whole.Read, whole.Accepted, whole.LeftOut!["older"]));
        for (var crash = 2; crash < 5; crash++)
        {
            _state.Clear();
            _state.CrashAtSave = crash;
            await _run.RunAsync(request, _state);
            _state.CrashAtSave = 0;
            var report = await _run.RunAsync(request, _state);
            Assert.Equal((6, 4, 2), (report.Read, report.Accepted, report.LeftOut!["older"]));
        }

        static string Line(int at, string name, int value) =>
            $$$"""{"who":"u","at":"2026-03-01T00:00:{{{at:00}}}Z","props":{"{{{name}}}":{{{value}}}}}""" + "\n";
    }

    [Fact]
    public async Task A_property_that_was_taken_away_is_as_one_that_was_set_whatever_the_order()
    {
        const string Mapping = """{"name":"mine","profiles":{"id":"who","time":"at","set":{"spread":[{"from":"props","names":{"mail":"$email"},"drop":["secret"]}]},"set_once":{"spread":["once"]},"unset":"gone"}}""";
        var report = await _run.RunAsync(Request(Mapping, string.Join('\n',
            """{"who":"u","at":1772352930,"props":{"mail":"a","plan":1,"kept":1}}""",
            """{"who":"u","at":1772352920,"gone":["mail","plan","caf\u00e9"]}""", // older than what was set, but for one
            """{"who":"u","at":1772352910,"props":{"caf\u00e9":2}}""", // taken away later
            """{"who":"u","at":1772352910,"props":{"café":2},"once":{"café":3}}""",
            """{"who":"u","at":1772352940,"gone":{"mail":"-","$x":"-","secret":"-"}}""",
            """{"who":"u","at":1772352935,"props":{"mail":"b"}}""",
            """{"who":"v","at":1772352935,"props":{"mail":"c"}}""",
            """{"who":"u","at":1772352950,"props":{"mail":"d"},"once":{"café":4}}""",
            """{"who":"u","at":1772352945,"gone":"[\"mail\",\"café\"]"}""", "")) with
        { Type = ImportType.Profiles });
        Assert.Equal((RunOutcome.Complete, 4), (report.Outcome, report.LeftOut!["older"]));
        Assert.Equal(
            ["""{"$set":{"$email":"a","plan":1,"kept":1}}""", """{"$unset":["caf\u00e9"]}""", """{"$unset":["$email","mine_$x"]}""",
                """{"$set":{"$email":"c"}}""", """{"$set":{"$email":"d"}}""", """{"$set_once":{"café":4}}"""],
            [.. _run.Mixpanel.Stored.Select(record => $"{{{record[(record.IndexOf("\"$ip\":\"0\",", StringComparison.Ordinal) + 10)..]}")]);
    }

    [Fact]
    public async Task Very_many_properties_that_come_to_one_name_get_numbers()
    {
        const int Same = 80_000; // with the square of it, this would not end
        const string Entries = """{"name":"mine","events":{"event":"name","time":"at","user_id":"who","spread":[{"from":"props","key":"k","value":"v"}]}}""";
        var report = await _run.RunAsync(Request(Entries,
            $$$"""{"name":"e","at":1772352930250,"who":"u","props":[{{{string.Join(',', Enumerable.Range(0, Same).Select(i => $"{{\"k\":\"t\",\"v\":{i}}}"))}}}]}"""
                + "\n" + Good + "\n"));
        Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
        report = await _run.RunAsync(Request(Entries,
            """{"name":"e","at":1772352930250,"who":"u","props":[{"k":"time","v":1},{"k":"time","v":2},{"k":"tim\u0065","v":3},{"k":"mine_time_2","v":4},{"k":"mine_time","v":5}]}"""
                + "\n"));
        Assert.Equal(1, report.Accepted);
        var properties = Properties(_run.Mixpanel.Stored[^1]);
        Assert.Equal((1, 2, 3, 4, 5),
            (properties.GetProperty("mine_time").GetInt32(), properties.GetProperty("mine_time_2").GetInt32(), properties.GetProperty("mine_time_3").GetInt32(),
                properties.GetProperty("mine_mine_time_2").GetInt32(), properties.GetProperty("mine_mine_time").GetInt32()));
    }

    [Theory]
    [InlineData("segment", """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","properties":"{\"a\":"}""", "properties")]
    [InlineData("segment", """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","context":"{'ip':'192.0.2.1'}"}""", "context")]
    [InlineData("segment", """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","properties":"none of it"}""", "properties")]
    [InlineData("posthog", """{"event":"e","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":"{\"a\":1}}"}""", "properties")]
    [InlineData("snowplow", """{"event":"page_view","event_id":"1","collector_tstamp":"2026-03-01 08:15:30","contexts":"{\"data\":["}""", "contexts")]
    [InlineData("mparticle", """{"mpid":7,"events":"[{\"event_type\":"}""", "events")]
    [InlineData("matomo", """{"idVisit":7,"actionDetails":"[{"}""", "actionDetails")]
    [InlineData("ga4", """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","event_params":"[{]"}""", "event_params")]
    public async Task A_text_that_is_to_hold_json_and_is_broken_is_refused_by_its_name(string vendor, string record, string column)
    {
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", record + "\n")) with { Mapping = ImportMapping.OfVendor(vendor) });
        Assert.Equal((RunOutcome.Rejected, 1), (report.Outcome, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(("invalid_json", column), (letter.GetProperty("code").GetString(), letter.GetProperty("field").GetString()));
    }

    [Theory]
    [InlineData("ga4", ImportType.Events, "items")]
    [InlineData("ga4", ImportType.Profiles, "user_properties")]
    [InlineData("matomo", ImportType.Events, "itemDetails")]
    public async Task A_list_that_is_none_is_refused_by_its_name_and_an_empty_one_is_not(string vendor, ImportType type, string list)
    {
        async Task<ImportReport> OfAsync(string value)
        {
            File.Delete(_run.DeadLetterPath);
            var record = vendor == "ga4"
                ? $$"""{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","{{list}}":{{value}}}"""
                : $$"""{"idVisit":7,"visitorId":"a1","actionDetails":[{"type":"ecommerceOrder","timestamp":1772352930,"orderId":"o","{{list}}":{{value}}}]}""";
            return await _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", record + "\n")) with
            {
                Type = type,
                Mapping = ImportMapping.OfVendor(vendor),
            });
        }

        foreach (var wrong in (string[])["5", "true", "\"abc\"", "\"7\"", "\"[{]\""])
        {
            Assert.Equal((RunOutcome.Rejected, 1), await OfAsync(wrong) is var report ? (report.Outcome, report.Rejected) : default);
            var letter = Assert.Single(_run.DeadLetters());
            Assert.Equal(("invalid_json", vendor == "matomo" ? $"actionDetails.{list}" : list),
                (letter.GetProperty("code").GetString(), letter.GetProperty("field").GetString()));
        }

        foreach (var empty in (string[])["null", "[]", "\"\"", "\"[]\"", "{}"]) Assert.Equal(0, (await OfAsync(empty)).Rejected);

        var entry = list switch
        {
            "items" => """{"item_id":"kept"}""",
            "user_properties" => """{"key":"k","value":{"string_value":"kept"}}""",
            _ => """{"itemSKU":"kept"}""",
        };
        foreach (var first in (string[])["null", "\"\""])
        {
            Assert.Equal(1, (await OfAsync($"[{first},{entry}]")).Accepted);
            Assert.Contains("kept", _run.Mixpanel.Stored[^1], StringComparison.Ordinal);
        }
    }

    /// <summary>Records with a container at WHAT, which must be an object.</summary>
    public static TheoryData<string, ImportType, string, string> Objects => new()
    {
        { "ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","device":WHAT}""", "device" },
        { "ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","device":{"web_info":WHAT}}""", "device.web_info" },
        { "ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","geo":WHAT}""", "geo" },
        { "ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","app_info":WHAT}""", "app_info" },
        { "ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","collected_traffic_source":WHAT}""",
            "collected_traffic_source" },
        { "segment", ImportType.Events, """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","context":WHAT}""", "context" },
        { "segment", ImportType.Events, """{"type":"page","name":"p","userId":"u","timestamp":"2026-03-01T08:15:30Z","context":{"page":WHAT}}""",
            "context.page" },
        { "segment", ImportType.Events, """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","context":{"location":WHAT}}""",
            "context.location" },
        { "segment", ImportType.Events, """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","properties":WHAT}""", "properties" },
        { "segment", ImportType.Profiles, """{"type":"identify","userId":"u","timestamp":"2026-03-01T08:15:30Z","traits":WHAT}""", "traits" },
        { "segment", ImportType.Groups, """{"type":"group","groupId":"g","timestamp":"2026-03-01T08:15:30Z","traits":WHAT}""", "traits" },
        { "rudderstack", ImportType.Events, """{"type":"track","event":"e","userId":"u","originalTimestamp":"2026-03-01T08:15:30Z","context":WHAT}""",
            "context" },
        { "rudderstack", ImportType.Profiles, """{"type":"identify","userId":"u","originalTimestamp":"2026-03-01T08:15:30Z","context":{"traits":WHAT}}""",
            "context.traits" },
        { "rudderstack", ImportType.Groups, """{"type":"group","groupId":"g","originalTimestamp":"2026-03-01T08:15:30Z","context":WHAT}""", "context" },
        { "posthog", ImportType.Events, """{"event":"e","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":WHAT}""", "properties" },
        { "posthog", ImportType.Profiles, """{"event":"$set","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"$set":WHAT}}""",
            "properties.$set" },
        { "amplitude", ImportType.Profiles, """{"event_type":"e","user_id":"u","event_time":"2026-03-01 08:15:30","user_properties":WHAT}""",
            "user_properties" },
        { "amplitude", ImportType.Groups, """{"event_type":"$groupidentify","event_time":"2026-03-01 08:15:30","group_properties":WHAT}""",
            "group_properties" },
        { "mparticle", ImportType.Events,
            """{"mpid":7,"device_info":WHAT,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""",
            "device_info" },
        { "mparticle", ImportType.Events,
            """{"mpid":7,"application_info":WHAT,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""",
            "application_info" },
        { "mparticle", ImportType.Events,
            """{"mpid":7,"context":WHAT,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""",
            "context" },
        { "mparticle", ImportType.Events,
            """{"mpid":7,"user_identities":WHAT,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""",
            "user_identities" },
        { "mparticle", ImportType.Events,
            """{"mpid":7,"events":[{"event_type":"commerce_event","data":{"product_action":WHAT,"timestamp_unixtime_ms":1772352930250}}]}""",
            "events.data.product_action" },
        { "mparticle", ImportType.Profiles, """{"mpid":7,"timestamp_unixtime_ms":1772352930250,"user_identities":WHAT,"user_attributes":{"a":1}}""",
            "user_identities" },
        { "snowplow", ImportType.Events,
            """{"event":"unstruct","event_name":"e","collector_tstamp":"2026-03-01 08:15:30","user_id":"u","unstruct_event":WHAT}""", "unstruct_event" },
        { "snowplow", ImportType.Events, """{"event":"page_view","collector_tstamp":"2026-03-01 08:15:30","user_id":"u","contexts":WHAT}""", "contexts" },
        { "mine", ImportType.Events, """{"name":"e","at":1772352930250,"who":"u","page":WHAT}""", "page" },
        { "mine", ImportType.Events, """{"name":"e","at":1772352930250,"who":"u","tested":WHAT}""", "tested" },
    };

    const string OfMembers = """{"name":"mine","events":{"event":"name","time":"at","user_id":"who","properties":{"url":"page.url","free":{"first":["free.text","free"]},"named":{"path":"name","when":{"path":"tested.plan","equals":"pro"}}}}}""";

    [Theory, MemberData(nameof(Objects))]
    public async Task A_container_in_another_shape_is_refused_by_its_name_and_an_empty_one_is_not(string vendor, ImportType type, string record, string field)
    {
        async Task<ImportReport> OfAsync(string value)
        {
            File.Delete(_run.DeadLetterPath);
            return await _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", record.Replace("WHAT", value, StringComparison.Ordinal) + "\n")) with
            {
                Type = type,
                GroupKey = type is ImportType.Groups ? "company" : null,
                Mapping = vendor == "mine" ? ImportMapping.Parse(OfMembers) : ImportMapping.OfVendor(vendor),
            });
        }

        foreach (var wrong in (string[])["\"text\"", "5", "true", "[\"a\"]", "[{\"other\":1}]", "\"[7]\""])
        {
            var report = await OfAsync(wrong);
            Assert.True((report.Rejected, report.Accepted) == (1, 0), wrong);
            var letter = Assert.Single(_run.DeadLetters());
            Assert.Equal(("invalid_json", field), (letter.GetProperty("code").GetString(), letter.GetProperty("field").GetString()));
        }

        foreach (var empty in (string[])["null", "[]", "{}", "\"\"", "\" \"", "\"{}\"", "[null]"]) Assert.True((await OfAsync(empty)).Rejected == 0, empty);
    }

    [Fact]
    public async Task What_an_alternative_reads_is_not_lost()
    {
        foreach (var (value, expected) in ((string, string)[])[("""{"text":"a"}""", "a"), ("\"b\"", "b"), ("\"{c\"", "{c")])
        {
            await _run.RunAsync(Request(OfMembers, $$"""{"name":"e","at":1772352930250,"who":"u","free":{{value}}}""" + "\n"));
            Assert.Equal(expected, Properties(_run.Mixpanel.Stored[^1]).GetProperty("free").GetString());
        }

        const string Batch =
            """{"mpid":7,"user_identities":WHO,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""";
        foreach (var who in (string[])
        [
            """{"customer_id":"u"}""",
            """[{"identity_type":"email","identity":"m"},{"identity_type":"customer_id","identity":"u"}]""",
        ])
        {
            await _run.RunAsync(_run.Request(_run.Folder.Write("batch.json", Batch.Replace("WHO", who, StringComparison.Ordinal) + "\n")) with
            {
                Mapping = ImportMapping.OfVendor("mparticle"),
            });
            Assert.Equal("u", Properties(_run.Mixpanel.Stored[^1]).GetProperty("$user_id").GetString());
        }
    }

    [Theory]
    [InlineData("ga4", """{"event_name":NAME,"event_timestamp":1772352930250000,"user_id":"u"}""")]
    [InlineData("segment", """{"type":"track","event":NAME,"userId":"u","timestamp":"2026-03-01T08:15:30Z"}""")]
    [InlineData("rudderstack", """{"type":"track","event":NAME,"userId":"u","timestamp":"2026-03-01T08:15:30Z"}""")]
    [InlineData("segment", """{"type":NAME,"event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z"}""", "5", "true")]
    [InlineData("segment", """{"type":"page","name":NAME,"userId":"u","timestamp":"2026-03-01T08:15:30Z"}""", "5", "true")]
    [InlineData("amplitude", """{"event_type":NAME,"event_time":"2026-03-01 08:15:30","user_id":"u"}""")]
    [InlineData("posthog", """{"event":NAME,"distinct_id":"u","timestamp":"2026-03-01T08:15:30Z"}""")]
    [InlineData("heap", """{"type":NAME,"identity":"u","time":"2026-03-01 08:15:30"}""")]
    [InlineData("snowplow", """{"event":"struct","se_action":NAME,"user_id":"u","collector_tstamp":"2026-03-01 08:15:30"}""")]
    [InlineData("mparticle", """{"mpid":7,"events":[{"event_type":"custom_event","data":{"event_name":NAME,"timestamp_unixtime_ms":1772352930250}}]}""")]
    [InlineData("matomo", """{"idVisit":7,"visitorId":"a1","actionDetails":[{"type":"event","eventAction":NAME,"timestamp":1772352930}]}""")]
    public async Task An_event_whose_name_is_no_text_is_refused(string vendor, string record, params string[] notForTheseNames)
    {
        foreach (var name in ((string[])["5", "true", """["e"]""", """{"name":"e"}"""]).Except(notForTheseNames, StringComparer.Ordinal))
        {
            File.Delete(_run.DeadLetterPath);
            var report = await _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", record.Replace("NAME", name, StringComparison.Ordinal) + "\n")) with
            {
                Mapping = ImportMapping.OfVendor(vendor),
            });
            Assert.True((report.Rejected, report.Read) == (1, 1), name);
            Assert.Contains("must be a text", Assert.Single(_run.DeadLetters()).GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("mparticle", """{"mpid":7,"events":LIST}""",
        """{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}""", "events")]
    [InlineData("matomo", """{"idVisit":7,"visitorId":"a1","actionDetails":LIST}""", """{"type":"event","eventAction":"e","timestamp":1772352930}""",
        "actionDetails")]
    public async Task One_in_place_of_a_list_of_them_is_refused_as_one_record(string vendor, string record, string one, string list)
    {
        foreach (var value in (string[])[one, "5", "\"text\"", JsonSerializer.Serialize(one)])
        {
            File.Delete(_run.DeadLetterPath);
            var report = await OfAsync(value);
            Assert.True((report.Rejected, report.Read) == (1, 1), value);
            Assert.Equal(list, Assert.Single(_run.DeadLetters()).GetProperty("field").GetString());
        }

        foreach (var value in (string[])[$"[{one}]", $$"""{"0":{{one}}}""", JsonSerializer.Serialize($"[{one}]")])
            Assert.Equal(1, (await OfAsync(value)).Accepted);
        File.Delete(_run.DeadLetterPath);
        Assert.Equal((1, 1), await OfAsync($"[5,{one}]") is var mixed ? (mixed.Accepted, mixed.Rejected) : default);
        Assert.StartsWith($"an entry of {list} must be an object", Assert.Single(_run.DeadLetters()).GetProperty("message").GetString(),
            StringComparison.Ordinal);

        Task<ImportReport> OfAsync(string value) =>
            _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", record.Replace("LIST", value, StringComparison.Ordinal) + "\n")) with
            {
                Mapping = ImportMapping.OfVendor(vendor),
            });
    }

    [Theory]
    [InlineData("ga4", ImportType.Events, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","event_params":[ENTRY]}""", "event_params")]
    [InlineData("ga4", ImportType.Profiles, """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","user_properties":[ENTRY]}""",
        "user_properties")]
    public async Task An_entry_of_a_form_that_is_not_read_is_refused_and_one_without_a_value_is_not(string vendor, ImportType type, string record, string list)
    {
        foreach (var wrong in (string[])
        [
            """{"key":"k","value":{"bool_value":true}}""",
            """{"key":"k","value":{"string_value":null,"list":[1]}}""",
            """{"key":"k","text":"v"}""",
            """{"key":["k"],"value":{"string_value":"v"}}""",
            """{"key":{"a":1},"value":{"string_value":"v"}}""",
            """{"value":{"string_value":"v"}}""",
            "\"k=v\"",
            "7",
        ])
        {
            var report = await OfAsync(wrong);
            Assert.True((report.Rejected, report.Accepted) == (1, 0), wrong);
            var letter = Assert.Single(_run.DeadLetters());
            Assert.Equal(("invalid_json", list), (letter.GetProperty("code").GetString(), letter.GetProperty("field").GetString()));
        }

        foreach (var empty in (string[])
        [
            """{"key":"k","value":null}""",
            """{"key":"k"}""",
            """{"key":"k","value":{"string_value":null,"int_value":null}}""",
            """{"key":"k","value":{"string_value":"(not set)"}}""",
            """{"key":null,"value":null}""",
            "null",
            """{"key":"k","value":{"string_value":"v","bool_value":null}}""",
        ])
            Assert.True((await OfAsync(empty)).Rejected == 0, empty);
        if (type is ImportType.Profiles)
            Assert.Equal(0, (await OfAsync("""{"key":"k","value":{"string_value":null,"set_timestamp_micros":"1772352930250000"}}""")).Rejected);

        async Task<ImportReport> OfAsync(string entry)
        {
            File.Delete(_run.DeadLetterPath);
            return await _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", record.Replace("ENTRY", entry, StringComparison.Ordinal) + "\n")) with
            {
                Type = type,
                Mapping = ImportMapping.OfVendor(vendor),
            });
        }
    }

    [Theory]
    [InlineData("""[{"key":"n","value":{"int_value":"12"}},{"key":"t","value":{"string_value":"a=b/é"}},{"key":"d","value":{"double_value":59.9}},{"key":"w","value":{"double_value":100.0}}]""",
        """[ { "value": { "string_value": null, "int_value": null, "float_value": null, "double_value": 5.99e1 }, "key": "d" }, {"key":"w","value":{"double_value":100}}, {"key":"t","value":{"string_value":"a\u003db\/\u00e9","int_value":null}},{"key":"n","value":{"string_value":null,"int_value":12}}]""")]
    [InlineData("""[{"key":"a","value":{}}]""", """[{"key":"a","value":{"string_value":null}}]""")]
    [InlineData("[]", "\"[]\"")]
    public async Task An_event_of_ga4_has_the_same_id_however_its_parameters_are_written(string one, string other)
    {
        foreach (var (name, parameters) in ((string, string)[])[("one", one), ("other", other)])
            await _run.RunAsync(_run.Request(_run.Folder.Write($"{name}.ndjson",
                $$"""{"event_name":"e","event_timestamp":{{(name == "one" ? "\"1772352930250000\"" : "1772352930250000")}},"user_pseudo_id":"d","event_params":{{parameters}}}"""
                    + "\n")) with
            {
                Mapping = ImportMapping.OfVendor("ga4"),
            });
        Assert.Equal(Id(_run.Mixpanel.Stored[0]), Id(_run.Mixpanel.Stored[1]));
    }

    [Fact]
    public async Task What_links_devices_to_users_is_refused_where_it_cannot_be_looked_up()
    {
        const string Identify = """{"id":"(1,22)","identity":"u","time":"2026-03-01 08:15:30"}""";
        var report = await _run.RunAsync(_run.Request("-") with
        {
            StandardInput = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Identify + "\n")),
            Mapping = ImportMapping.OfVendor("heap"),
        });
        Assert.Equal((RunOutcome.Rejected, 1), (report.Outcome, report.Rejected));
        Assert.Contains("looked up", Assert.Single(_run.DeadLetters()).GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(1,
            (await _run.RunAsync(_run.Request(_run.Folder.Write("calls.ndjson", Identify + "\n")) with
            {
                Mapping = ImportMapping.OfVendor("heap"),
            })).LeftOut!["identify_calls"]);
    }

    [Theory]
    [InlineData("ga4", """{"event_name":"e","event_timestamp":1772352930250000,"user_id":ID,"user_pseudo_id":"d"}""", "user_id")]
    [InlineData("ga4", """{"event_name":"e","event_timestamp":1772352930250000,"user_id":"u","user_pseudo_id":ID}""", "user_pseudo_id")]
    [InlineData("segment", """{"type":"track","event":"e","userId":ID,"timestamp":"2026-03-01T08:15:30Z"}""", "userId")]
    [InlineData("snowplow", """{"event":"struct","se_action":"e","user_id":ID,"collector_tstamp":"2026-03-01 08:15:30"}""", "user_id")]
    [InlineData("heap", """{"type":"e","identity":ID,"time":"2026-03-01 08:15:30"}""", "identity")]
    [InlineData("matomo", """{"idVisit":7,"userId":ID,"visitorId":"a1","actionDetails":[{"type":"event","eventAction":"e","timestamp":1772352930}]}""",
        "userId")]
    public async Task An_id_that_is_an_object_or_a_list_is_refused_by_its_name(string vendor, string record, string field)
    {
        foreach (var id in (string[])["""{"id":"u"}""", """["u"]""", "[7]"])
        {
            File.Delete(_run.DeadLetterPath);
            var report = await _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", record.Replace("ID", id, StringComparison.Ordinal) + "\n")) with
            {
                Mapping = ImportMapping.OfVendor(vendor),
            });
            Assert.Equal((RunOutcome.Rejected, 1), (report.Outcome, report.Rejected));
            var letter = Assert.Single(_run.DeadLetters());
            Assert.Equal(("invalid_json", field), (letter.GetProperty("code").GetString(), letter.GetProperty("field").GetString()));
            Assert.Contains("must be a text or a number", letter.GetProperty("message").GetString(), StringComparison.Ordinal);
        }

        File.Delete(_run.DeadLetterPath);
        Assert.Equal(0,
            (await _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", record.Replace("ID", "{}", StringComparison.Ordinal) + "\n")) with
            {
                Mapping = ImportMapping.OfVendor(vendor),
            })).Rejected);
    }

    [Theory]
    [InlineData("segment", """{"type":"track","event":"e","userId":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"a":1}}""")]
    [InlineData("rudderstack", """{"type":"track","event":"e","userId":"u","originalTimestamp":"2026-03-01T08:15:30Z","properties":{"a":1}}""")]
    [InlineData("posthog", """{"event":"e","distinct_id":"u","timestamp":"2026-03-01T08:15:30Z","properties":{"a":1}}""")]
    [InlineData("snowplow", """{"event":"struct","se_action":"e","user_id":"u","collector_tstamp":"2026-03-01 08:15:30","se_label":"a"}""")]
    [InlineData("amplitude", """{"event_type":"e","user_id":"u","event_time":"2026-03-01 08:15:30","event_properties":{"a":1}}""")]
    [InlineData("heap", """{"type":"e","identity":"u","time":"2026-03-01 08:15:30"}""")]
    [InlineData("mparticle", """{"mpid":7,"events":[{"event_type":"custom_event","data":{"event_name":"e","timestamp_unixtime_ms":1772352930250}}]}""")]
    [InlineData("matomo", """{"idVisit":7,"visitorId":"a1","actionDetails":[{"type":"event","eventAction":"e","timestamp":1772352930}]}""")]
    public async Task An_event_without_an_id_of_its_own_gets_the_same_one_wherever_it_lies(string vendor, string record)
    {
        var other = record.Replace("\"u\"", "\"w\"", StringComparison.Ordinal)
            .Replace("\"mpid\":7", "\"mpid\":8", StringComparison.Ordinal)
            .Replace("\"idVisit\":7", "\"idVisit\":8", StringComparison.Ordinal);
        foreach (var (name, text) in ((string, string)[])[("one.ndjson", $"{record}\n{record}\n{other}\n"), ("two.json", $"{other}\n{record}\n{record}\n")])
            Assert.Equal(3, (await _run.RunAsync(_run.Request(_run.Folder.Write(name, text)) with { Mapping = ImportMapping.OfVendor(vendor) })).Accepted);
        var ids = _run.Mixpanel.Stored.Select(Id).ToList();
        Assert.Equal(3, ids.Take(3).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(ids.Take(3).Order(StringComparer.Ordinal), ids.Skip(3).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("1e400", "\"1e400\"")]
    [InlineData("-1E999", "\"-1E999\"")]
    [InlineData("12345678901234567890.5", "\"12345678901234567890.5\"")]
    [InlineData("1e308", "1e308")]
    [InlineData("1234567.891", "1234567.891")]
    [InlineData("0.12345678901234567890", "0.12345678901234567890")]
    public async Task A_number_that_no_double_holds_stays_what_it_is_as_text(string number, string expected) =>
        Assert.Equal(expected,
            (await OneAsync($$$"""{"name":"e","at":1772352930250,"who":"u","props":{"revenue":{{{number}}}}}""")).GetProperty("revenue").GetRawText());

    [Fact]
    public async Task A_mapping_is_shown_before_and_after_without_anything_being_sent()
    {
        using var client = new MixpanelClient(new MixpanelOptions(), new HttpClient(_run.Mixpanel, disposeHandler: false) { Timeout = Hang.Limit });
        var shown = new List<MappedRecord>();
        await foreach (var record in client.ShowMappingAsync(
            Request(Simple, """{"name":"e","at":1772352930250,"who":"u"}""" + "\n" + """{"name":"e"}""" + "\n" + """{"name":"\ud800"}""" + "\n"), 5,
            cancellationToken: TestContext.Current.CancellationToken))
            shown.Add(record);
        Assert.Equal(3, shown.Count);
        Assert.All(shown, record => Assert.Equal(JsonValueKind.Array, JsonDocument.Parse(record.ToJson()).RootElement.GetProperty("after").ValueKind));
        Assert.Contains("\"distinct_id\":\"u\"", shown[0].After[0].Record, StringComparison.Ordinal);
        Assert.Equal("time_missing", shown[1].After[0].Code);
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Theory, MemberData(nameof(VendorNames))]
    public async Task Whatever_a_record_holds_it_has_an_outcome(string vendor)
    {
        string[] values =
        [
            "null", "true", "0", "-1", "1e308", "9007199254740993", "\"\"", "\" \"", "\"\\u0000\"", "\"{\\\"a\\\":[1]}\"", "\"[\"", "[]", "{}", "[[]]", "[{}]",
            "{\"a\":null}", "\"2026-03-01\"", "\"x,y;z^\"",
        ];
        var random = new Random(7);
        var lines = new List<string>();
        var names = Regex.Matches(ImportMapping.OfVendor(vendor).Json, "\"(?<name>[A-Za-z_$^][\\w.$^*]*)\"", RegexOptions.ExplicitCapture, Hang.Limit)
            .Select(match => match.Groups["name"].Value.TrimStart('^', '.'))
            .Where(name => name.Length > 0)
            .Distinct(StringComparer.Ordinal).ToList();
        for (var i = 0; i < 300; i++) lines.Add(Of([.. Enumerable.Range(0, 30).Select(_ => names[random.Next(names.Count)])], 0));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", string.Join('\n', lines) + "\n")) with
        {
            Mapping = ImportMapping.OfVendor(vendor),
            GroupKey = "company",
            BatchEvents = 7,
        });
        Assert.True(report.Read >= 300);
        Assert.DoesNotContain(report.Outcome, (RunOutcome[])[RunOutcome.Damaged, RunOutcome.DiskFailed, RunOutcome.Inconsistent]);

        string Of(string[] paths, int depth) =>
            $"{{{string.Join(',', paths.GroupBy(path => path.Split('.')[0], StringComparer.Ordinal).Select(group => $"\"{group.Key.TrimEnd('*')}\":{Inner([.. group.Select(path => path.Contains('.', StringComparison.Ordinal) ? path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..] : "").Where(path => path.Length > 0)], depth)}"))}}}";

        string Inner(string[] paths, int depth)
        {
            if (paths.Length == 0 || depth > 4 || random.Next(10) == 0) return values[random.Next(values.Length)];
            var inner = Of(paths, depth + 1);
            return random.Next(8) == 0 ? $"[{inner},{values[random.Next(values.Length)]}]" : inner;
        }
    }

    [Theory, MemberData(nameof(VendorNames))]
    public void Every_vendor_s_table_is_read(string vendor) => Assert.Equal(vendor, ImportMapping.OfVendor(vendor).Name);

    public static TheoryData<string> VendorNames => [.. ImportMapping.Vendors];
}
