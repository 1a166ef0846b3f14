using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>What an import repairs, renames, drops and shifts on request, and what it leaves unchanged.</summary>
public sealed class CleaningTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    ImportRequest Request(string text) => _run.Request(_run.Folder.Write("input.ndjson", text));

    static Dictionary<string, string> Names(params (string Old, string New)[] pairs) =>
        pairs.ToDictionary(pair => pair.Old, pair => pair.New, StringComparer.Ordinal);

    static string Of(string properties) => $$"""{"event":"e","properties":{{properties}}}""";

    /// <summary>The properties sent for one event with these properties, without computed ones.</summary>
    async Task<string> SentAsync(string properties, Func<ImportRequest, ImportRequest> with)
    {
        var report = await _run.RunAsync(with(Request(Of(properties))));
        Assert.True(report.Outcome is RunOutcome.Complete, string.Join('\n', report.Problems) + string.Join('\n', _run.Diagnostics));
        return Assert.Single(_run.Mixpanel.Stored)["{\"event\":\"e\",\"properties\":".Length..^1];
    }

    [Theory]
    [InlineData("2026-09-21", 1789948800000)]
    [InlineData("2026-09-21T13:46", 1789998360000)]
    [InlineData("2026-09-21T13:46:40", 1789998400000)]
    [InlineData("2026-09-21 13:46:40", 1789998400000)]
    [InlineData("2026-09-21T13:46:40Z", 1789998400000)]
    [InlineData("2026-09-21T13:46:40.5Z", 1789998400500)]
    [InlineData("2026-09-21T13:46:40.123999+00:00", 1789998400123)]
    [InlineData("2026-09-21T13:46:40+02:00", 1789991200000)]
    [InlineData("2026-09-21T13:46:40-0530", 1790018200000)]
    [InlineData("2026-09-21T13:46:40+02", 1789991200000)]
    [InlineData("2026-09-21T13:46:40\\u005a", 1789998400000)]
    [InlineData("2026-09-21 13:46:40 UTC", 1789998400000)]
    [InlineData("2026-09-21 13:46:40.123456 UTC", 1789998400123)]
    [InlineData("2026-09-21 13:46:40UTC", 1789998400000)]
    [InlineData("2026-09-21 13:46:40 GMT", 1789998400000)]
    [InlineData("2026-09-21 13:46:40.000 Z", 1789998400000)]
    [InlineData("2026-09-21t13:46:40.1z", 1789998400100)]
    [InlineData("2026-09-21 13:46:40.123 +0000", 1789998400123)]
    [InlineData("2026-09-21 13:46:40.123456789+00:00", 1789998400123)]
    [InlineData("2026-09-21 13:46:40,5 -0700", 1790023600500)]
    [InlineData("2026-09-21 13:46:40 +05:30", 1789978600000)]
    [InlineData("2026-09-21 13:46:40.25+00", 1789998400250)]
    [InlineData("2026-09-21 13:46:40-08", 1790027200000)]
    [InlineData("2026-09-21 13:46:40.123 +0000 UTC", 1789998400123)]
    [InlineData("2026-09-21T13:46:40+02:00[Europe/Berlin]", 1789991200000)]
    [InlineData("2026-09-21T13:46:40Z[UTC]", 1789998400000)]
    [InlineData("20260921T134640Z", 1789998400000)]
    [InlineData("20260921T134640.5+0200", 1789991200500)]
    [InlineData("1757000000", 1757000000)]
    [InlineData("1757000000123", 1757000000123)]
    public async Task A_time_in_text_becomes_an_integer(string text, long time)
    {
        var sent = await SentAsync($$"""{ "$insert_id":"a", "time" : "{{text}}" ,"distinct_id":"u"}""", request => request with { Fix = ImportFixes.Time });
        Assert.Equal($$"""{ "$insert_id":"a", "time" : {{time}} ,"distinct_id":"u"}""", sent);
    }

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("2026-02-30")]
    [InlineData("2026-13-01")]
    [InlineData("2026-09-21T24:00")]
    [InlineData("2026-09-21T13")]
    [InlineData("2026-09-21T13:46:40.")]
    [InlineData("2026-09-21T13:46:40+2")]
    [InlineData("2026-09-21T13:46:40 CET")]
    [InlineData("2026-09-21T13:46:40 EST5EDT")]
    [InlineData("2026-09-21T13:46:40 UTC+2")]
    [InlineData("2026-09-21T13:46:40 +02:00 UTC")]
    [InlineData("2026-09-21T13:46:40  UTC")]
    [InlineData("2026-09-21T13:46:40 ")]
    [InlineData("2026-09-21T13:46:40+")]
    [InlineData("2026-09-21T13:46:40+02:")]
    [InlineData("2026-09-21T13:46:40+02:3")]
    [InlineData("2026-09-21T13:46:40[Europe/Berlin]")]
    [InlineData("2026-09-21 UTC")]
    [InlineData("20260921T1346")]
    [InlineData("20260921 134640")]
    [InlineData("21.09.2026")]
    [InlineData("09/21/2026")]
    [InlineData("1757000000,5")]
    [InlineData("+1757000000")]
    [InlineData(" 1757000000")]
    [InlineData("\\ud800")]
    public async Task Text_that_is_no_time_is_rejected(string text)
    {
        var report = await _run.RunAsync(Request(Of($$"""{"time":"{{text}}","distinct_id":"u"}""")) with { Fix = ImportFixes.Time });
        Assert.Equal((RunOutcome.Rejected, 1, 0L), (report.Outcome, report.Rejected, report.Fixed!.Time));
    }

    [Fact]
    public async Task A_time_that_is_a_number_keeps_its_text()
    {
        var report = await _run.RunAsync(Request(Event(1)) with { Fix = ImportFixes.Time });
        Assert.Equal(Event(1), Assert.Single(_run.Mixpanel.Stored));
        Assert.Equal(0, report.Fixed!.Time);
    }

    [Theory]
    [InlineData("""{"time":1790000000,"$insert_id":"a","$user_id":"ann","$device_id":"d"}""",
        """{"distinct_id":"ann","time":1790000000,"$insert_id":"a","$user_id":"ann","$device_id":"d"}""")]
    [InlineData("""{ "$device_id" : "d\u0041" ,"time":1790000000,"$insert_id":"a"}""",
        """{"distinct_id":"d\u0041", "$device_id" : "d\u0041" ,"time":1790000000,"$insert_id":"a"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","$user_id":null,"$device_id":"d"}""",
        """{"distinct_id":"d","time":1790000000,"$insert_id":"a","$user_id":null,"$device_id":"d"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","$user_id":"null","$device_id":"d"}""",
        """{"distinct_id":"d","time":1790000000,"$insert_id":"a","$user_id":"null","$device_id":"d"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","distinct_id":null,"$user_id":"ann"}""",
        """{"time":1790000000,"$insert_id":"a","distinct_id":"ann","$user_id":"ann"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","distinct_id":"","$user_id":"ann"}""",
        """{"time":1790000000,"$insert_id":"a","distinct_id":"","$user_id":"ann"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","$user_id":17}""", """{"distinct_id":"17","time":1790000000,"$insert_id":"a","$user_id":"17"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","distinct_id":12345678901234567890}""",
        """{"time":1790000000,"$insert_id":"a","distinct_id":"12345678901234567890"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","distinct_id":"u","$user_id":-5.50}""",
        """{"time":1790000000,"$insert_id":"a","distinct_id":"u","$user_id":"-5.50"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","distinct_id":null,"$device_id": 7 }""",
        """{"time":1790000000,"$insert_id":"a","distinct_id":"7","$device_id": "7" }""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","$user_id":0,"$device_id":"d"}""",
        """{"distinct_id":"d","time":1790000000,"$insert_id":"a","$user_id":"0","$device_id":"d"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a"}""", """{"distinct_id":"","time":1790000000,"$insert_id":"a"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","distinct_id":null}""", """{"time":1790000000,"$insert_id":"a","distinct_id":""}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","$user_id":null,"distinct_id":null}""",
        """{"time":1790000000,"$insert_id":"a","$user_id":null,"distinct_id":""}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","distinct_id":""}""", """{"time":1790000000,"$insert_id":"a","distinct_id":""}""")]
    public async Task A_missing_distinct_id_is_taken_from_the_user_else_the_device(string properties, string sent) =>
        Assert.Equal(sent, await SentAsync(properties, request => request with { Fix = ImportFixes.Ids }));

    [Theory]
    [InlineData("""{"$user_id":null,"time":1790000000,"$insert_id":"a"}""", """{"distinct_id":"","time":1790000000,"$insert_id":"a"}""")]
    [InlineData("""{"distinct_id":null,"time":1790000000,"$insert_id":"a"}""", """{"distinct_id":"","time":1790000000,"$insert_id":"a"}""")]
    public async Task An_event_of_nobody_is_that_without_nulls_too(string properties, string sent) =>
        Assert.Equal(sent, await SentAsync(properties, request => request with { Fix = ImportFixes.Ids | ImportFixes.Nulls }));

    [Fact]
    public async Task A_shared_distinct_id_stands_for_the_events_that_name_nobody()
    {
        await _run.RunAsync(Request(Of("""{"time":1790000000,"$insert_id":"a"}""")) with { Fix = ImportFixes.Ids, Properties = """{"distinct_id":"all"}""" });
        Assert.Equal(Of("""{"distinct_id":"all","time":1790000000,"$insert_id":"a"}"""), Assert.Single(_run.Mixpanel.Stored));
    }

    [Theory]
    [InlineData(ImportType.Profiles, """{"$distinct_id":12345,"$properties":{"plan":7}}""", """{"$token":"token","$distinct_id":"12345","$set":{"plan":7}}""")]
    [InlineData(ImportType.Profiles, """{"$set":{"a":1},"$distinct_id": 1.50 }""", """{"$token":"token","$set":{"a":1},"$distinct_id": "1.50" }""")]
    [InlineData(ImportType.Groups, """{"$group_id":7,"$set":{"a":1}}""", """{"$token":"token","$group_key":"company","$group_id":"7","$set":{"a":1}}""")]
    [InlineData(ImportType.Groups, """{"$distinct_id":7,"$properties":{"a":1}}""",
        """{"$token":"token","$group_key":"company","$group_id":"7","$set":{"a":1}}""")]
    public async Task A_numeric_id_of_a_profile_or_a_group_becomes_text(ImportType type, string record, string sent)
    {
        var report = await _run.RunAsync(Request(record) with { Type = type, GroupKey = type is ImportType.Groups ? "company" : null, Fix = ImportFixes.Ids });
        Assert.Equal((RunOutcome.Complete, 1L), (report.Outcome, report.Fixed!.Ids));
        Assert.Equal(sent, Assert.Single(_run.Mixpanel.Stored));
    }

    [Theory]
    [InlineData("""{"time":"21.09.2026","distinct_id":"u"}""", ImportFixes.None, true)]
    [InlineData("""{"time":"21.09.2026","distinct_id":"u"}""", ImportFixes.Time, false)]
    [InlineData("""{"time":1790000000,"distinct_id":5}""", ImportFixes.None, true)]
    [InlineData("""{"time":1790000000,"distinct_id":true}""", ImportFixes.Ids, false)]
    [InlineData("""{"time":1790000000}""", ImportFixes.None, true)]
    [InlineData("""{"time":1790000000,"distinct_id":null}""", ImportFixes.Time, true)]
    public async Task A_message_proposes_the_repair_that_was_not_asked_for(string properties, ImportFixes fix, bool proposes)
    {
        await _run.RunAsync(Request(Of(properties)) with { Fix = fix });
        Assert.Equal(proposes, Assert.Single(_run.Diagnostics).Reason.Contains("ImportFixes.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"a":null,"time":1790000000,"$insert_id":"a","distinct_id":"u"}""", """{"time":1790000000,"$insert_id":"a","distinct_id":"u"}""")]
    [InlineData("""{ "a" : null , "b":null,"time":1790000000,"$insert_id":"a","distinct_id":"u"}""",
        """{ "time":1790000000,"$insert_id":"a","distinct_id":"u"}""")]
    [InlineData("""{"time":1790000000, "a":null ,"$insert_id":"a","distinct_id":"u" , "z":null }""",
        """{"time":1790000000 ,"$insert_id":"a","distinct_id":"u" }""")]
    [InlineData("""{"a":null,"time":1790000000,"b":null,"c":null,"$insert_id":"a","distinct_id":"u"}""",
        """{"time":1790000000,"$insert_id":"a","distinct_id":"u"}""")]
    [InlineData("""{"time":1790000000,"$insert_id":"a","distinct_id":"u","o":{"x":null},"l":[null]}""",
        """{"time":1790000000,"$insert_id":"a","distinct_id":"u","o":{"x":null},"l":[null]}""")]
    public async Task Null_properties_are_removed_but_nulls_within_values_stay(string properties, string sent) =>
        Assert.Equal(sent, await SentAsync(properties, request => request with { Fix = ImportFixes.Nulls }));

    [Fact]
    public async Task Properties_are_renamed_at_once_and_nothing_else_changes()
    {
        var sent = await SentAsync(
            """{ "ts" : 1790000000.0e0, "a":{"a":1.10,"b":12345678901234567890}, "\u0062" : "\u00e9" ,"user":"u","$insert_id":"i"}""".Replace("1790000000.0e0",
                "1790000000", StringComparison.Ordinal),
            request => request with { Rename = Names(("ts", "time"), ("a", "b"), ("b", "a"), ("user", "distinct_id"), ("none", "x")) });
        Assert.Equal("""{ "time" : 1790000000, "b":{"a":1.10,"b":12345678901234567890}, "a" : "\u00e9" ,"distinct_id":"u","$insert_id":"i"}""", sent);
    }

    [Fact]
    public async Task A_rename_to_a_name_that_the_record_has_is_a_collision()
    {
        var text = Event(1, ",\"a\":1") + "\n" + Event(2, ",\"a\":1,\"b\":2") + "\n" + Event(3, ",\"b\":1") + "\n";
        var report = await _run.RunAsync(Request(text) with { Rename = Names(("a", "b")) });
        Assert.Equal((RunOutcome.Rejected, 2, 1L), (report.Outcome, report.Accepted, report.Fixed!.Renamed));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(("rename_collision", Event(2, ",\"a\":1,\"b\":2")), (letter.GetProperty("code").GetString(), letter.Raw()));
    }

    [Fact]
    public async Task A_dropped_property_makes_room_for_a_renamed_one()
    {
        var sent = await SentAsync(
            """{"distinct_id":"x","debug":{"deep":[1]},"time":1790000000,"$insert_id":"i","email":"u"}""",
            request => request with { Drop = ["distinct_id", "debug"], Rename = Names(("email", "distinct_id")) });
        Assert.Equal("""{"time":1790000000,"$insert_id":"i","distinct_id":"u"}""", sent);
    }

    [Fact]
    public async Task Everything_may_be_dropped()
    {
        var report = await _run.RunAsync(Request(Of("""{"a":1,"b":2}""")) with { Drop = ["a", "b"], Properties = """{"time":1790000000,"distinct_id":"u"}""" });
        Assert.Equal((RunOutcome.Complete, 1L), (report.Outcome, report.Fixed!.Dropped));
        Assert.Matches("""^\{"event":"e","properties":\{"\$insert_id":"[0-9a-f]{32}","time":1790000000,"distinct_id":"u"\}\}$""",
            Assert.Single(_run.Mixpanel.Stored));
    }

    [Theory]
    [InlineData("1790000000", 1, "1790003600")]
    [InlineData("1790000000", -5.5, "1789980200")]
    [InlineData("1790000000123", 1, "1790003600123")]
    [InlineData("\"2026-09-21T13:46:40Z\"", -1, "1789994800000")]
    public async Task An_offset_is_added_in_the_unit_of_the_time(string time, double hours, string moved) =>
        Assert.Equal(
            $$"""{"time":{{moved}},"distinct_id":"u","$insert_id":"i"}""",
            await SentAsync($$"""{"time":{{time}},"distinct_id":"u","$insert_id":"i"}""",
                request => request with { Fix = ImportFixes.Time, TimeOffset = TimeSpan.FromHours(hours) }));

    [Fact]
    public async Task Everything_together_is_counted_in_records_by_what_was_asked_for()
    {
        var text = Of("""{"ts":"2026-09-21","debug":1,"x":null,"y":null,"$user_id":"u","$insert_id":"i"}""") + "\n\n"
            + Of("""{"time":1790000000,"distinct_id":"u","$insert_id":"j"}""") + "\nnonsense\n";
        var request = Request(text) with
        {
            Drop = ["debug"],
            Rename = Names(("ts", "time")),
            Fix = ImportFixes.Time | ImportFixes.Ids | ImportFixes.Nulls,
            TimeOffset = TimeSpan.FromHours(2),
        };
        var report = await _run.RunAsync(request);
        Assert.Equal((RunOutcome.Rejected, 2), (report.Outcome, report.Accepted));
        Assert.Equal(
            ["""{"event":"e","properties":{"distinct_id":"u","time":1789956000000,"$user_id":"u","$insert_id":"i"}}""",
                """{"event":"e","properties":{"time":1790007200,"distinct_id":"u","$insert_id":"j"}}"""],
            _run.Mixpanel.Stored);
        Assert.Equal(new ImportFixed { Time = 1, Ids = 1, Nulls = 1, Renamed = 1, Dropped = 1, TimeOffset = 2 }, report.Fixed);
        Given.JsonEqual("""{"time":1,"ids":1,"nulls":1,"renamed":1,"dropped":1,"time_offset":2}""", JsonElement.Parse(report.ToJson()).GetProperty("fixed"));

        var dry = await _run.RunAsync(request with { DryRun = true });
        Assert.Equal((report.Fixed, 2), (dry.Fixed, dry.Accepted));
    }

    [Fact]
    public async Task The_report_names_what_was_asked_for_and_nothing_else()
    {
        Given.JsonEqual("""{"nulls":0}""",
            JsonElement.Parse((await _run.RunAsync(Request(Event(1)) with { Fix = ImportFixes.Nulls })).ToJson()).GetProperty("fixed"));
        Assert.False(JsonElement.Parse((await _run.RunAsync(Request(Event(1)))).ToJson()).TryGetProperty("fixed", out _));
    }

    [Fact]
    public async Task A_computed_insert_id_is_that_of_the_record_as_it_was_read()
    {
        var text = Of("""{"time":1790000000,"distinct_id":"u","x":null}""");
        await _run.RunAsync(Request(text));
        await _run.RunAsync(Request(text) with { Fix = ImportFixes.Nulls });
        var ids = _run.Mixpanel.Stored.Select(record => JsonElement.Parse(record).GetProperty("properties").GetProperty("$insert_id").GetString()).ToList();
        Assert.Equal(ids[0], ids[1]);
        Assert.DoesNotContain("\"x\"", _run.Mixpanel.Stored[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_letter_holds_the_record_as_it_was_read_and_can_be_replayed_with_the_same_options()
    {
        _run.Mixpanel.Script = request => request.Number == 1 ? _run.Mixpanel.TakeAllBut(request, 1) : null;
        var bad = Of("""{"ts":1790000000, "distinct_id":"u" ,"x":null}""");
        var late = Of("""{"ts":1890000000,"distinct_id":"u","x":null}""");
        var request = Request(bad + "\n" + bad + "\n" + late) with { Fix = ImportFixes.Nulls, Rename = Names(("ts", "time")) };
        Assert.Equal((RunOutcome.Rejected, 1, 2), await _run.RunAsync(request) is var report ? (report.Outcome, report.Accepted, report.Rejected) : default);
        var letters = _run.DeadLetters();
        Assert.Equal((bad, late), (letters[0].Raw(), letters[1].Raw()));
        Assert.Equal(("rejected", "time_in_future"), (letters[0].GetProperty("code").GetString(), letters[1].GetProperty("code").GetString()));

        var dead = _run.Folder.Write("replay.ndjson", File.ReadAllText(_run.DeadLetterPath));
        var replayed = await _run.RunAsync(request with { Inputs = [], Replay = dead });
        Assert.Equal((RunOutcome.Rejected, 1, 1), (replayed.Outcome, replayed.Accepted, replayed.Rejected));
        Assert.Equal(
            $$$"""{"event":"e","properties":{"$insert_id":"{{{letters[0].GetProperty("insert_id").GetString()}}}","time":1790000000, "distinct_id":"u"}}""",
            _run.Mixpanel.Stored[^1]);
    }

    [Fact]
    public async Task Counts_go_on_over_a_resumed_import()
    {
        using var state = new CrashingState { CrashAtSave = 3 };
        var text = string.Concat(Enumerable.Range(0, 60).Select(i => Event(i, i % 2 == 0 ? ",\"x\":null" : "") + "\n"));
        var request = Request(text) with { Fix = ImportFixes.Nulls, BatchEvents = 10, Senders = 1, CheckpointInterval = TimeSpan.Zero };
        var first = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.DiskFailed, 10L), (first.Outcome, first.Fixed!.Nulls));
        state.CrashAtSave = 0;
        var second = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Complete, 60, 20, 30L), (second.Outcome, second.Accepted, second.ResumedFrom, second.Fixed!.Nulls));
        Assert.Equal(second.Fixed, (await _run.RunAsync(request, state)).Fixed);
    }

    [Fact]
    public async Task Cleaning_is_part_of_what_a_checkpoint_belongs_to()
    {
        using var state = new InMemoryImportState();
        var request = Request(Events(2));
        ImportRequest[] changed =
        [
            request with { Fix = ImportFixes.Time }, request with { Drop = ["a"] }, request with { TimeOffset = TimeSpan.FromHours(1) },
            request with { Rename = Names(("a", "b")) },
        ];
        await _run.RunAsync(request, state);
        foreach (var other in changed) Assert.Equal("restart", (await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(other, state))).Error.Field);
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(changed[0] with { Restart = true }, state)).Outcome);
    }

    [Theory]
    [InlineData("nonsense", "invalid_json")]
    [InlineData("17", "not_an_object")]
    [InlineData("{\"event\":\"e\",\"properties\":{\"x\":null", "invalid_json")]
    [InlineData("{\"event\":\"e\",\"properties\":{\"x\":null}}}", "invalid_json")]
    [InlineData("{\"event\":\"e\",\"properties\":[null]}", "properties_invalid")]
    [InlineData("{\"event\":\"e\",\"properties\":{\"x\":\"\\ud800\"}}", "invalid_utf8")]
    [InlineData("{\"event\":\"e\",\"properties\":{\"\\ud800\":null}}", "invalid_utf8")]
    public async Task What_is_no_record_is_rejected_for_its_own_reason(string text, string code)
    {
        await _run.RunAsync(Request(text + "\n") with { Fix = ImportFixes.Nulls | ImportFixes.Time | ImportFixes.Ids, Drop = ["debug"] });
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal((code, text), (letter.GetProperty("code").GetString(), letter.Raw()));
    }

    [Fact]
    public async Task Properties_of_updates_are_cleaned_wherever_an_update_names_them()
    {
        var text = """
            {"$distinct_id":"a", "$set":{"old":1.0,"x":null,"debug":{}}}
            {"$distinct_id":"b","$unset":["old"]}
            {"$distinct_id":"c","$properties":{"x":null}}

            """;
        var report =
            await _run.RunAsync(Request(text) with { Type = ImportType.Profiles, Fix = ImportFixes.Nulls, Drop = ["debug"], Rename = Names(("old", "new")) });
        Assert.Equal((RunOutcome.Complete, new ImportFixed { Nulls = 2, Renamed = 1, Dropped = 1 }), (report.Outcome, report.Fixed));
        Assert.Equal(
            ["""{"$token":"token","$distinct_id":"a", "$set":{"new":1.0}}""", """{"$token":"token","$distinct_id":"b","$unset":["old"]}""",
                """{"$token":"token","$distinct_id":"c","$set":{}}"""],
            _run.Mixpanel.Stored);
    }

    [Fact]
    public async Task A_refused_update_that_was_cleaned_is_kept_as_it_was_read()
    {
        _run.Mixpanel.Script = _ => MixpanelDouble.Answer(200, """{"status":0,"error":"bad"}""");
        var text = """{"$distinct_id":"a","$set":{"x":null,"n":1}}""";
        await _run.RunAsync(Request(text) with { Type = ImportType.Profiles, Fix = ImportFixes.Nulls });
        Assert.Equal(text, Assert.Single(_run.DeadLetters()).Raw());
    }

    public static TheoryData<string, ImportRequest> Contradictions => new()
    {
        { "rename", new() { Rename = Names(("a", "properties")) } },
        { "rename", new() { Rename = Names(("a", "event")) } },
        { "rename", new() { Rename = Names(("a", "a")) } },
        { "rename", new() { Rename = Names(("a", "c"), ("b", "c")) } },
        { "rename", new() { Rename = Names(("a", "b")), Drop = ["a"] } },
        { "rename", new() { Rename = Names(("a", "$distinct_id")), Type = ImportType.Profiles } },
        { "drop", new() { Drop = [""] } },
        { "fix", new() { Fix = (ImportFixes)16 } },
        { "fix", new() { Fix = ImportFixes.Time | ImportFixes.Ids, Type = ImportType.Profiles } },
        { "time_offset", new() { TimeOffset = TimeSpan.FromMilliseconds(1500) } },
        { "time_offset", new() { TimeOffset = TimeSpan.FromDays(40_000) } },
        { "time_offset", new() { TimeOffset = TimeSpan.FromHours(1), Type = ImportType.Profiles } },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public async Task What_makes_no_sense_is_refused_before_anything_is_read(string field, ImportRequest options)
    {
        var error = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(options with { Inputs = ["missing"] }));
        Assert.Equal(field, error.Error.Field);
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Fact]
    public async Task A_name_that_nothing_has_is_told_once()
    {
        var request = Request(Of("""{"debug":1,"old":2}""")) with { Drop = ["debug", "debgu"], Rename = Names(("old", "new"), ("odl", "other")) };
        await _run.RunAsync(request with { Inputs = [.. request.Inputs, _run.Folder.Write("more.ndjson", Of("""{"late":1}"""))] });
        Assert.Equal("No record has debgu. No record has odl.",
            string.Join(' ', from diagnostic in _run.Diagnostics where diagnostic.Code == "warning" select diagnostic.Reason));
    }
}
