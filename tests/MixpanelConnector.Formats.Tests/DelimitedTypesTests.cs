using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using static MixpanelConnector.Formats.Tests.Rows;

namespace MixpanelConnector.Formats.Tests;

/// <summary>The type of a column for a whole input: across runs, pauses and damage.</summary>
public sealed class DelimitedTypesTests : IDisposable
{
    const string Names = "event,time,distinct_id,a\n";

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    static string Valued(params string[] values) => string.Concat(values.Select((value, i) => $"e,{ImportRun.Time},u{i},{value}\n"));

    List<string> Stored() => [.. _run.Mixpanel.Stored.Select(record => Properties(record).TryGetProperty("a", out var a) ? a.GetRawText() : "none")];

    [Theory]
    [InlineData("1 2 3", "1 2 3")]
    [InlineData("1 2E5 3", "\"1\" \"2E5\" \"3\"")]
    [InlineData("1 02 3", "\"1\" \"02\" \"3\"")]
    [InlineData("true False", "true false")]
    [InlineData("true 1", "\"true\" \"1\"")]
    public async Task All_of_the_first_rows_decide(string values, string stored)
    {
        await _run.RunCsvAsync(Names + Valued(values.Split(' ')));
        Assert.Equal(stored, string.Join(' ', Stored()));
    }

    [Fact]
    public async Task A_value_of_another_type_after_the_first_rows_is_rejected_and_by_a_replay_too_unless_it_is_mended_or_text_is_asked_for()
    {
        string[] values = [.. Enumerable.Range(0, 1000).Select(i => i.ToString(CultureInfo.InvariantCulture)), "12E5", "7"];
        var report = await _run.RunCsvAsync(Names + Valued(values));
        Assert.Equal((RunOutcome.Rejected, 1001, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(("column_type", "properties.a", 1002),
            (letter.GetProperty("code").GetString(), letter.GetProperty("field").GetString(), letter.GetProperty("line").GetInt32()));
        Assert.Contains("ImportRequest.ColumnTypes (a=text)", letter.GetProperty("message").GetString(), StringComparison.Ordinal);

        var kept = File.ReadAllText(_run.DeadLetterPath);
        var again = _run.Request() with { Replay = _run.Folder.Write("again", kept) };
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(again)).Outcome);
        Assert.Equal(kept, File.ReadAllText(_run.DeadLetterPath)); // the same reason
        Assert.Equal(RunOutcome.Complete,
            (await _run.RunAsync(again with { Replay = _run.Folder.Write("mended", kept.Replace("12E5", "12", StringComparison.Ordinal)) })).Outcome);
        Assert.Equal("12", Stored()[^1]);
        Assert.Equal(RunOutcome.Complete,
            (await _run.RunAsync(again with
            {
                ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["a"] = ImportColumnType.Text },
            })).Outcome);
        Assert.Equal("\"12E5\"", Stored()[^1]);
    }

    [Theory]
    [InlineData("e,1")]
    [InlineData("e,1782907200,u,1,2")]
    [InlineData("\"e\"x,1782907200,u,1")]
    public async Task Rows_behind_a_thousand_malformed_ones_are_no_partial_record(string malformed)
    {
        foreach (var (bad, good) in ((int, int)[])[(1000, 0), (1000, 10), (1500, 10), (1000, 1000)])
        {
            var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.csv",
                Names + string.Concat(Enumerable.Repeat(malformed + "\n", bad)) + Valued([.. Enumerable.Repeat("7", good)]))) with
            {
                StopWhenRefusedAlike = true,
            });
            Assert.Equal((RunOutcome.Invalid, 0, 0), (report.Outcome, report.Accepted, report.Rejected));
        }

        Assert.Empty(_run.Mixpanel.Stored);
    }

    [Fact]
    public async Task A_column_that_is_empty_in_the_first_rows_takes_the_type_of_its_first_value_in_this_run_and_the_next()
    {
        string[] first = [.. Enumerable.Repeat("", 1100), "5"];
        await _run.RunCsvAsync(Names + Valued(first), _state);
        var report = await _run.RunCsvAsync(Names + Valued([.. first, "x", "6"]), _state);
        Assert.Equal((RunOutcome.Rejected, 1102, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal(["5", "6"], Stored()[1100..]);
    }

    [Fact]
    public async Task A_file_that_grows_keeps_its_types()
    {
        await _run.RunCsvAsync(Names + Valued("1", "2"), _state);
        var report = await _run.RunCsvAsync(Names + Valued("1", "2", "x", "3"), _state);
        Assert.Equal((RunOutcome.Rejected, 3, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal(["1", "2", "3"], Stored());
    }

    [Fact]
    public async Task A_crash_at_any_checkpoint_keeps_the_types()
    {
        var text = Names + Valued("1", "", "2", "", "3") + Valued([.. Enumerable.Repeat("7", 1000), "x", "8"]);
        for (var crash = 1; crash < 8; crash++)
        {
            using var run = new ImportRun();
            using var state = new CrashingState { CrashAtSave = crash };
            var request = run.RequestAll(run.Folder.Write("in.csv", text)) with { BatchEvents = 2, Senders = 1, CheckpointInterval = TimeSpan.Zero };
            var first = await run.RunAsync(request, state);
            state.CrashAtSave = 0;
            var second = first.Outcome is RunOutcome.DiskFailed ? await run.RunAsync(request, state) : first;
            Assert.Equal((RunOutcome.Rejected, 1006, 1), (second.Outcome, second.Accepted, second.Rejected));
            Assert.DoesNotContain(run.Mixpanel.Stored, record => record.Contains("\"a\":\"", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Another_word_on_how_rows_are_read_needs_a_new_beginning()
    {
        var request = _run.RequestAll(_run.Folder.Write("in.csv", Names + Valued("1")));
        await _run.RunAsync(request, _state);
        foreach (var other in (ImportRequest[])[
            request with { ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["a"] = ImportColumnType.Text } },
            request with { Delimiter = ',' },
            request with { NullValues = ["NULL"] },
            request with { Event = "e" }])
            Assert.Equal("restart", (await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(other, _state))).Error.Field);
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(request with { AllowEmpty = true }, _state)).Outcome);
    }

    [Fact]
    public async Task A_stream_that_pauses_is_not_held_back_and_keeps_the_types_of_what_was_sent()
    {
        var pipe = new Pipe();
        using var state = new WatchedState();
        var request = _run.RequestAll("-") with { StandardInput = pipe.Reader.AsStream(), SourceId = "slow" };
        var import = _run.RunAsync(request, state);
        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(Names + Valued("1", "2") + "e,17"));
        await state.SavedAsync(read: 2);
        Assert.Equal(["1", "2"], Stored());

        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes($"90000000,u2,3\n{Valued("x")}"));
        await pipe.Writer.CompleteAsync();
        Assert.Equal((RunOutcome.Rejected, 3, 1), await import is var report ? (report.Outcome, report.Accepted, report.Rejected) : default);

        using var whole = new MemoryStream(Encoding.UTF8.GetBytes(Names + Valued("1", "2") + $"e,1790000000,u2,3\n{Valued("x", "4")}"));
        Assert.Equal((RunOutcome.Rejected, 4, 1),
            await _run.RunAsync(request with { StandardInput = whole }, state) is var again ? (again.Outcome, again.Accepted, again.Rejected) : default);
        Assert.Equal("4", Stored()[^1]);
    }

    [Fact]
    public async Task A_stream_that_comes_in_small_pieces_shows_the_types_of_the_whole()
    {
        using var stream = new Dripping(Encoding.UTF8.GetBytes(Names + Valued("1", "2", "3x")));
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(_run.RequestAll("-") with { StandardInput = stream })).Outcome);
        Assert.Equal(["\"1\"", "\"2\"", "\"3x\""], Stored());
    }

    [Theory]
    [InlineData(498, 0)]
    [InlineData(500, 1)]
    public async Task Large_rows_are_looked_at_within_1_MiB_however_they_come_in(int odd, int rejected)
    {
        var pad = new string('x', 2100 - $"e,{ImportRun.Time},u,1,\n".Length);
        var text = "event,time,distinct_id,a,pad\n"
            + string.Concat(Enumerable.Range(0, 600).Select(i => $"e,{ImportRun.Time},u,{(i == odd ? "x" : "1")},{pad}\n"));
        Assert.Equal(rejected, (await _run.RunCsvAsync(text)).Rejected);
        foreach (var piece in (int[])[7000, 300_000])
        {
            using var stream = new Dripping(Encoding.UTF8.GetBytes(text), piece);
            Assert.Equal(rejected, (await _run.RunAsync(_run.RequestAll("-") with { StandardInput = stream })).Rejected);
        }
    }

    [Fact]
    public async Task What_came_before_damage_is_taken()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(Names + Valued([.. Enumerable.Range(0, 500).Select(i => (i * 7919).ToString(CultureInfo.InvariantCulture))])));
        var request = _run.RequestAll(_run.Folder.Write("in.csv.gz", packed.ToArray().AsSpan(0, (int)packed.Length - 300)));
        var report = await _run.RunAsync(request, _state);
        Assert.Equal(RunOutcome.Damaged, report.Outcome);
        Assert.InRange(report.Accepted, 100, 499);
        _run.Folder.Write("in.csv.gz", packed.ToArray());
        Assert.Equal((RunOutcome.Complete, 500), await _run.RunAsync(request, _state) is var whole ? (whole.Outcome, whole.Accepted) : default);
        Assert.Equal(500, _run.Mixpanel.Stored.Count);
    }

    [Fact]
    public async Task Many_columns_have_their_types()
    {
        var names = string.Join(',', Enumerable.Range(0, 8000).Select(i => $"c{i}"));
        var values = string.Join(',', Enumerable.Range(0, 8000).Select(i => i % 2 == 0 ? "1" : "x"));
        var request = _run.RequestAll(_run.Folder.Write("in.csv", $"distinct_id,{names}\nu1,{values}\nu2,{values}\n")) with { Type = ImportType.Profiles };
        Assert.Equal((RunOutcome.Complete, 2), await _run.RunAsync(request) is var report ? (report.Outcome, report.Accepted) : default);
        Assert.Equal(2, _run.Mixpanel.Stored.Count(record => record.Contains("\"c7998\":1,\"c7999\":\"x\"", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("\"")]
    [InlineData("")]
    public async Task A_header_that_does_not_end_is_told_in_bounded_memory(string quote)
    {
        using var endless = new MemoryStream(Encoding.UTF8.GetBytes($"event,{quote}{new string('x', 40_000_000)}"));
        var report = await _run.RunAsync(_run.RequestAll("-") with { StandardInput = endless, Format = "csv" });
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Read));
        Assert.Contains("more than 1 MiB", report.Problems[0], StringComparison.Ordinal);
        Assert.InRange(endless.Position, 0, 4 << 20);
    }

    /// <summary>Returns a little at a time.</summary>
    sealed class Dripping(byte[] content, int piece = 1) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Read(buffer.Span[..Math.Min(piece, buffer.Length)]));
    }

    [Theory]
    [InlineData(false)] // refused by its first records
    [InlineData(true)] // refused by a column that does not exist
    public async Task A_refused_restart_leaves_everything_as_it_was(bool beforeReading)
    {
        using var state = new InMemoryImportState();
        var path = _run.Folder.Write("in.csv",
            "event,time,distinct_id,a\n" + string.Concat(Enumerable.Range(0, 1200).Select(i => $"e,{ImportRun.Time},u{i},1\n")) + "e,never,u,1\n");
        var request = _run.RequestAll(path) with { StopWhenRefusedAlike = true };
        Assert.Equal((1200, 1), ((await _run.RunAsync(request, state)).Accepted, state.DeadLetters().Count()));
        var (letters, requests) = (File.ReadAllText(_run.DeadLetterPath), _run.Mixpanel.Requests.Count);

        var restarted = request with { Restart = true, NewIds = true };
        if (beforeReading)
            await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(
                restarted with { Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["time"] = "missing" } }, state));
        else Assert.Equal(RunOutcome.Invalid, (await _run.RunAsync(restarted with { TimeFormat = "%d.%m.%Y" }, state)).Outcome);

        Assert.Equal((requests, letters, 1), (_run.Mixpanel.Requests.Count, File.ReadAllText(_run.DeadLetterPath), state.DeadLetters().Count()));
        Assert.Equal((1200, requests), ((await _run.RunAsync(request, state)).Accepted, _run.Mixpanel.Requests.Count));
        Assert.Equal(1200, (await _run.RunAsync(request with { Restart = true }, state)).Accepted);
        Assert.True(_run.Mixpanel.Requests.Count > requests);
    }

    [Fact]
    public async Task A_column_without_values_is_there()
    {
        await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.csv", $"event,time,distinct_id,debug,old\ne,{ImportRun.Time},u,,\n")) with
        {
            Drop = ["debug"],
            Rename = new Dictionary<string, string>(StringComparer.Ordinal) { ["old"] = "new" },
        });
        Assert.Empty(_run.Diagnostics);
    }
}
