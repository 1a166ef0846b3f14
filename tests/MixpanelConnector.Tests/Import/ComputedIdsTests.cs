using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Validate;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>The computed ids of events without <c>$insert_id</c>: when they stay the same, in whatever runs they are sent.</summary>
public sealed class ComputedIdsTests : IDisposable
{
    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    static string Bare(int n) => $$$"""{"event":"e","properties":{"time":{{{Time}}},"distinct_id":"u","n":{{{n}}}}}""";

    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    static string Pretty(string record) => JsonSerializer.Serialize(JsonElement.Parse(record), Indented);

    /// <summary>Records as text in a format.</summary>
    static string Text(string form, IEnumerable<string> records) => form switch
    {
        "lines" => string.Concat(records.Select(record => record + "\n")),
        "lines with CR LF" => string.Concat(records.Select(record => record + "\r\n")),
        "array" => "[\n" + string.Join(",\n", records) + "\n]\n",
        "sequence" => string.Concat(records.Select(record => Pretty(record) + "\n")),
        _ => throw new ArgumentOutOfRangeException(nameof(form)),
    };

    /// <summary>The number and id of each record stored since then.</summary>
    List<(int N, string Id)> Stored(int since = 0) =>
        [
            .. _run.Mixpanel.Stored.Skip(since)
                .Select(record => JsonElement.Parse(record).GetProperty("properties"))
                .Select(properties => (properties.GetProperty("n").GetInt32(), properties.GetProperty("$insert_id").GetString()!)),
        ];

    async Task<List<(int N, string Id)>> SendAsync(string text, Func<ImportRequest, ImportRequest>? with = null, IImportState? state = null,
        string name = "input")
    {
        var before = _run.Mixpanel.Stored.Count;
        var request = _run.Request(_run.Folder.Write(name, text));
        await _run.RunAsync(with?.Invoke(request) ?? request, state);
        return Stored(before);
    }

    [Theory]
    [InlineData("lines")]
    [InlineData("lines with CR LF")]
    [InlineData("array")]
    [InlineData("sequence")]
    public async Task What_is_edited_added_or_removed_elsewhere_changes_no_id(string form)
    {
        var records = Enumerable.Range(0, 20).Select(Bare).ToList();
        var before = await SendAsync(Text(form, records));
        List<string> mended = [Bare(100), .. records[..3], Bare(101), .. records[4..9], .. records[10..]];
        var after = await SendAsync(Text(form, mended));
        Assert.Equal(20, before.Distinct().Count());
        Assert.Equal(before.Where(event_ => event_.N is not (3 or 9)), after.Where(event_ => event_.N < 100));
        Assert.Empty(after.Where(event_ => event_.N >= 100).Select(event_ => event_.Id).Intersect(before.Select(event_ => event_.Id), StringComparer.Ordinal));
    }

    [Fact]
    public async Task Line_ends_are_no_part_of_a_record() =>
        Assert.Equal(
            await SendAsync(Text("lines", [Bare(1), Bare(2), Bare(1)])),
            await SendAsync($"  {Bare(1)}\r\n\n{Bare(2)} \t\r\n{Bare(1)}"));

    [Fact]
    public async Task Equal_records_stay_as_many_events_as_there_are()
    {
        var three = await SendAsync(Text("lines", [Bare(1), Bare(2), Bare(1), Bare(1)]));
        Assert.Equal(4, three.Distinct().Count());
        Assert.Equal([.. three.Take(3)], await SendAsync(Text("lines", [Bare(1), Bare(2), Bare(1)])));
    }

    [Fact]
    public async Task Neighbours_with_ids_of_their_own_change_no_id()
    {
        int[] numbers = [1, 2, 1, 3, 4, 2];
        var bare = numbers.Select(Bare).ToArray();
        var alone = await SendAsync(Text("lines", bare));
        Assert.Equal(XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(Bare(3)), ComputedInsertIds.HashOf("input")).ToString("x32", CultureInfo.InvariantCulture),
            alone[3].Id);
        foreach (var own in (int[][])[[0], [1, 2], [0, 1, 2, 3, 4, 5], [5]])
        {
            var among = await SendAsync(Text("lines", bare.SelectMany((record, i) => own.Contains(i) ? [Event(1000 + i), record] : new[] { record })));
            Assert.Equal(alone, among.Where(event_ => event_.N < 1000));
        }
    }

    [Fact]
    public async Task Equal_records_of_two_sources_are_two_events()
    {
        await _run.RunAsync(_run.Request(_run.Folder.Write("one.ndjson", Bare(1)), _run.Folder.Write("two.ndjson", Bare(1))));
        Assert.Equal(2, Stored().Distinct().Count());
    }

    [Fact]
    public async Task Options_change_no_id()
    {
        string[] records = [Bare(1), Bare(2), Bare(1)];
        var plain = await SendAsync(Text("lines", records));
        Assert.Equal(plain, await SendAsync(Text("lines", records), request => request with
        {
            Properties = """{"plan":"pro"}""",
            Fix = ImportFixes.Ids | ImportFixes.Nulls,
            TimeOffset = TimeSpan.FromHours(1),
            Drop = ["distinct_id"],
        }));
    }

    [Fact]
    public async Task A_rejected_record_counts_among_its_equals()
    {
        // Only the clock differs: a time that is first in the future no longer is later.
        var ahead = Bare(1)
            .Replace(Time.ToString(CultureInfo.InvariantCulture), (Time + 1_000_000_000).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        await SendAsync(Text("lines", [ahead, Bare(2), ahead]));
        var ids = _run.DeadLetters().Select(letter => letter.GetProperty("insert_id").GetString()!).ToList();
        Assert.Equal(2, ids.Distinct(StringComparer.Ordinal).Count());
        _run.Clock.Advance(TimeSpan.FromDays(20_000));
        Assert.Equal(ids, (await SendAsync(Text("lines", [ahead, Bare(2), ahead]))).Where(event_ => event_.N == 1).Select(event_ => event_.Id),
            StringComparer.Ordinal);
    }

    public static TheoryData<string, string, bool> Forms => new()
    {
        { "lines", "in.ndjson", false },
        { "lines with CR LF", "in.ndjson", false },
        { "lines", "in.ndjson.gz", false },
        { "array", "in.json", false },
        { "sequence", "in.json", false },
        { "sequence", "in.json.gz", false },
        { "lines", "in.ndjson", true },
        { "sequence", "in.json", true },
    };

    [Theory, MemberData(nameof(Forms))]
    public async Task Runs_that_go_on_give_the_ids_of_one_run(string form, string name, bool asStream)
    {
        // Equal records before and after each cut, records with their own ids, and refused records.
        var records = Enumerable.Range(0, 60).Select(i => i % 11 == 5 ? Event(i) : i % 13 == 7 ? """{"n":1}""" : Bare(i % 7)).ToList();
        var whole = await RunAsync(records, state: null);
        using var state = new InMemoryImportState();
        var parts = new List<(int, string)>();
        foreach (var count in (int[])[1, 2, 9, 10, 31, 58, 60, 60]) parts.AddRange(await RunAsync(records[..count], state));
        Assert.Equal(whole, parts);

        async Task<List<(int, string)>> RunAsync(List<string> records, IImportState? state)
        {
            var before = _run.Mixpanel.Stored.Count;
            var text = Text(form, records);
            var bytes = name.EndsWith(".gz", StringComparison.Ordinal) ? GzipTests.Gzip(text) : Encoding.UTF8.GetBytes(text);
            using var stream = new MemoryStream(bytes);
            var request = asStream ? _run.Request("-") with { StandardInput = stream, SourceId = "in" } : _run.Request(_run.Folder.Write(name, bytes));
            await _run.RunAsync(request with { BatchEvents = 4, Senders = 1 }, state);
            return Stored(before);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task What_is_sent_again_after_a_crash_has_the_ids_of_the_first_time(int crashAtSave)
    {
        var text = Text("lines", Enumerable.Range(0, 200).Select(i => Bare(i % 9)));
        var whole = await SendAsync(text);
        using var state = new CrashingState { CrashAtSave = crashAtSave };
        ImportRequest Often(ImportRequest request) => request with { BatchEvents = 10, CheckpointInterval = TimeSpan.Zero };
        var sent = await SendAsync(text, Often, state);
        state.CrashAtSave = 0;
        sent.AddRange(await SendAsync(text, Often, state));
        Assert.Equal(whole.Order(), sent.Distinct().Order());
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task A_last_line_that_gets_its_line_end_later_is_recalled(string lineEnd)
    {
        var whole = await SendAsync(Text("lines", [Bare(1), Bare(2), Bare(2), Bare(2)]));
        var first = await SendAsync($"{Bare(1)}\n{Bare(2)}", state: _state);
        Assert.Equal(whole, [.. first, .. await SendAsync($"{Bare(1)}\n{Bare(2)}{lineEnd}{Bare(2)}{lineEnd}{Bare(2)}", state: _state)]);
        Assert.Equal(RunOutcome.Damaged,
            (await _run.RunAsync(_run.Request(_run.Folder.Write("input", $"{Bare(1)}\n{Bare(2)}{lineEnd}{Bare(2)}{lineEnd}{Bare(2)}x\n")), _state)).Outcome);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(59)]
    public async Task A_change_of_what_was_sent_is_told_with_the_way_on_and_sends_nothing(int line)
    {
        var records = Enumerable.Range(0, 60).Select(Bare).ToList();
        await SendAsync(Text("lines", records), state: _state);
        records[line] = Bare(100);
        var requests = _run.Mixpanel.Requests.Count;
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("input", Text("lines", [.. records, Bare(101)]))), _state);
        Assert.Equal((RunOutcome.Damaged, 60, requests), (report.Outcome, report.Accepted, _run.Mixpanel.Requests.Count));
        Assert.Contains("ImportRequest.Restart", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Contains("count", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_mended_is_sent_again_with_the_ids_of_what_was_not()
    {
        var records = Enumerable.Range(0, 313)
            .Select(i => i is 100 or 200 or 300 ? Bare(i).Replace("\"time\":1", "\"time\":\"x\",\"t\":1", StringComparison.Ordinal) : Bare(i)).ToList();
        Assert.Equal(310, (await SendAsync(Text("lines", records), state: _state)).Count);
        foreach (var mended in (int[])[100, 200, 300]) records[mended] = Bare(mended);
        Assert.Equal(313, (await SendAsync(Text("lines", records), request => request with { Restart = true }, _state)).Count);
        Assert.Equal(313, Stored().Distinct().Count());
    }

    [Fact]
    public async Task A_restart_after_which_ids_would_come_from_another_source_id_is_refused_unless_that_is_meant()
    {
        await SendAsync(Bare(1), request => request with { SourceId = "one" }, _state);
        ImportRequest Other(ImportRequest request) => request with { SourceId = "two", Restart = true };
        var error = await Assert.ThrowsAsync<MixpanelException>(() => SendAsync(Bare(1), Other, _state));
        Assert.Equal("restart", error.Error.Field);
        Assert.Contains("ImportRequest.NewIds", error.Message, StringComparison.Ordinal);
        Assert.NotNull(_state.Load());
        Assert.Single(await SendAsync(Bare(1), request => Other(request) with { NewIds = true }, _state));
    }

    [Fact]
    public async Task A_restart_is_free_where_every_event_has_its_own_id()
    {
        await SendAsync(Event(1), request => request with { SourceId = "one" }, _state);
        Assert.Single(await SendAsync(Event(1), request => request with { SourceId = "two", Restart = true }, _state));
    }

    [Fact]
    public async Task A_state_of_an_earlier_version_goes_on_as_it_began_and_is_not_begun_again_by_mistake()
    {
        var text = Text("lines", [Bare(1), Bare(1), Bare(2)]);
        await SendAsync(Text("lines", [Bare(1)]), state: _state);
        var stored = _state.Load()!;
        _state.Save(stored with
        {
            OptionsFingerprint = stored.OptionsFingerprint.Replace("\nids=bytes", "", StringComparison.Ordinal),
            Sources = [.. stored.Sources.Select(source => source with { ComputedIds = null })],
        });

        var id = new byte[ComputedInsertIds.Length];
        ComputedInsertIds.OfPlace(Encoding.UTF8.GetBytes(Bare(1)), ComputedInsertIds.HashOf("input"), Bare(1).Length + 1, id);
        Assert.Equal((1, Encoding.ASCII.GetString(id)), (await SendAsync(text, state: _state))[0]);
        Assert.DoesNotContain("ids=bytes", _state.Load()!.OptionsFingerprint, StringComparison.Ordinal);

        var error = await Assert.ThrowsAsync<MixpanelException>(() => SendAsync(text, request => request with { Restart = true }, _state));
        Assert.Equal("restart", error.Error.Field);
        Assert.Equal(3, (await SendAsync(text, request => request with { Restart = true, NewIds = true }, _state)).Count);
        Assert.EndsWith("ids=bytes", _state.Load()!.OptionsFingerprint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restart_without_accepted_events_is_free()
    {
        await SendAsync(Bare(1).Replace("time", "t", StringComparison.Ordinal), request => request with { SourceId = "one" }, _state);
        Assert.Single(await SendAsync(Bare(1), request => request with { SourceId = "two", Restart = true }, _state));
    }

    [Fact]
    public async Task New_ids_need_a_restart()
    {
        var error = await Assert.ThrowsAsync<MixpanelException>(() => SendAsync(Bare(1), request => request with { NewIds = true }));
        Assert.Equal("new_ids", error.Error.Field);
    }

    [Fact]
    public async Task A_record_refused_by_its_cleaning_has_its_id_in_the_dead_letter()
    {
        ImportRequest Rename(ImportRequest request) => request with { Rename = new Dictionary<string, string>(StringComparer.Ordinal) { ["n"] = "time" } };
        await SendAsync(Text("lines", [Bare(1), Bare(1)]), Rename);
        var ids = _run.DeadLetters().Select(letter => letter.GetProperty("insert_id").GetString()!).ToList();
        Assert.Equal(ids, (await SendAsync(Text("lines", [Bare(1), Bare(1)]))).Select(event_ => event_.Id), StringComparer.Ordinal);
    }
}
