using MixpanelConnector.Import.Inspect;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Tests.Import;

/// <summary>An import whose first records are all refused for the same reason.</summary>
public sealed class FirstRecordsTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    static string Flat(int count) => string.Concat(Enumerable.Range(0, count).Select(i => $$"""{"name":"e","ts":{{ImportRun.Time}},"uid":"u{{i}}"}""" + "\n"));

    ImportRequest Stopping(string text) => _run.Request(_run.Folder.Write("in.ndjson", text)) with { StopWhenRefusedAlike = true };

    [Fact]
    public async Task A_thousand_refused_alike_stop_it_before_anything_is_sent_and_nobody_is_told_of_each()
    {
        var report = await _run.RunAsync(Stopping(Flat(1000) + ImportRun.Event(1) + "\n"));
        Assert.Equal((RunOutcome.Invalid, 1000, 1000), (report.Outcome, report.Read, report.Pending));
        Assert.Equal("ImportRequest.Columns (event=name) ImportRequest.Columns (time=ts) ImportRequest.Columns (distinct_id=uid)",
            report.Inspection!.Proposal!.In(MessageWords.Default));
        Assert.Equal(("event_missing", 1000), (Assert.Single(report.Reasons!).Code, report.Reasons![0].Count));
        Assert.Empty(_run.Mixpanel.Requests);
        Assert.Empty(_run.Diagnostics);
        Assert.False(File.Exists(_run.DeadLetterPath));
    }

    [Theory]
    [InlineData(999, 1000)] // a good one before there are enough
    [InlineData(1, 2)]
    public async Task A_good_one_among_them_lets_it_go_on_and_everyone_is_told(int bad, int read)
    {
        var report = await _run.RunAsync(Stopping(Flat(bad) + ImportRun.Event(1) + "\n"));
        Assert.Equal((RunOutcome.Rejected, read, 1, bad), (report.Outcome, report.Read, report.Accepted, report.Rejected));
        Assert.Equal(bad, _run.Diagnostics.Count);
        Assert.Null(report.Inspection);
    }

    [Fact]
    public async Task Refused_for_many_reasons_they_are_dead_letters()
    {
        var mixed = string.Concat(Enumerable.Repeat("""{"event":"e","properties":{"time":"x"}}""" + "\nnonsense\n", 600));
        var report = await _run.RunAsync(Stopping(mixed));
        Assert.Equal((RunOutcome.Rejected, 1200), (report.Outcome, report.Rejected));
        Assert.Equal(1200, _run.Diagnostics.Count);
    }

    [Fact]
    public async Task A_restart_forgets_before_it_sends()
    {
        using var inner = new InMemoryImportState();
        var request = _run.Request(_run.Folder.Write("in.ndjson", ImportRun.Events(3)));
        await _run.RunAsync(request, inner);
        ImportCheckpoint? whenSent = null;
        _run.Mixpanel.Script = _ =>
        {
            whenSent = inner.Load();
            return null;
        };
        await _run.RunAsync(request with { Restart = true }, inner);
        Assert.Equal((false, 0), (whenSent!.Finished, whenSent.Totals.Accepted)); // otherwise the next run after a crash would find nothing to do
    }

    [Fact]
    public async Task Without_being_asked_it_goes_on()
    {
        var report = await _run.RunAsync(Flat(1001));
        Assert.Equal((RunOutcome.Rejected, 1001), (report.Outcome, report.Rejected));
    }

    [Fact]
    public async Task Large_records_are_held_back_too_and_a_state_forgets_them()
    {
        using var state = new InMemoryImportState();
        var large = $$"""{"name":"e","ts":{{ImportRun.Time}},"uid":"u","more":"{{new string('x', 20_000)}}"}""" + "\n";
        var report = await _run.RunAsync(Stopping(string.Concat(Enumerable.Repeat(large, 1000))), state); // several batches of dead letters
        Assert.Equal((RunOutcome.Invalid, 0), (report.Outcome, report.Rejected));
        Assert.Null(state.Load());
        Assert.Empty(_run.Diagnostics);

        report = await _run.RunAsync(Stopping(Flat(3)) with { Columns = report.Inspection!.Proposal!.Map }, state);
        Assert.Equal((RunOutcome.Complete, 3), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task A_stream_is_looked_at_although_it_was_read()
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Flat(5000)));
        var report = await _run.RunAsync(_run.Request("-") with { StandardInput = stream, StopWhenRefusedAlike = true });
        Assert.Equal((RunOutcome.Invalid, 1000), (report.Outcome, report.Inspection!.Proposal!.Accepted));
        Assert.Equal("name ts uid", string.Join(' ', report.Inspection.Columns.Select(column => column.Name)));
    }

    [Fact]
    public async Task A_checkpoint_under_which_nothing_was_sent_binds_no_options()
    {
        using var state = new InMemoryImportState();
        var request = _run.Request(_run.Folder.Write("in.ndjson", Flat(2)));
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(request, state)).Outcome);
        Assert.Equal(RunOutcome.Complete,
            (await _run.RunAsync(
                request with { Event = "e", Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["time"] = "ts", ["distinct_id"] = "uid" } },
                state)).Outcome);
        await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(request, state)); // now something was
    }

    [Fact]
    public async Task A_checkpoint_of_a_run_that_was_killed_binds_its_options()
    {
        using var state = new InMemoryImportState();
        state.Save(new ImportCheckpoint { OptionsFingerprint = "events", Totals = new ImportTotals() }); // what was sent after it is not known
        var request = _run.Request(_run.Folder.Write("in.ndjson", Flat(2)));
        var refusal = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(request, state));
        Assert.Equal("restart", refusal.Error.Field);
    }

    [Fact]
    public void Reasons_are_bounded_and_none_is_lost()
    {
        var counts = new ReasonCounts();
        for (var i = 0; i < 200; i++) counts.Add("in", i, new Refusal($"code_{i % 70}", Field: null, "why"));
        var reasons = counts.Reasons!;
        Assert.Equal((51, 200, 3), (reasons.Count, reasons.Sum(reason => reason.Count), reasons.Max(reason => reason.Samples.Count)));
        Assert.Equal(("other_reasons", "in:50"), (reasons[0].Code, reasons[0].Samples[0].Place));
    }

    [Fact]
    public async Task An_input_at_fault_before_them_is_what_is_told_and_the_others_are_read()
    {
        using var state = new InMemoryImportState();
        string[] inputs =
        [
            _run.Folder.Write("a.ndjson.gz", [0x1f, 0x8b, 8]),
            _run.Folder.Write("b.ndjson", Flat(1500)),
            _run.Folder.Write("c.ndjson", ImportRun.Event(1) + "\n"),
        ];
        for (var again = 0; again < 2; again++)
        {
            var report = await _run.RunAsync(_run.Request(inputs) with { StopWhenRefusedAlike = true }, state);
            Assert.Equal((RunOutcome.Damaged, 1501, 1, 1500, 0), (report.Outcome, report.Read, report.Accepted, report.Rejected, report.Pending));
        }
    }

    [Fact]
    public async Task The_input_that_they_are_of_is_looked_at()
    {
        var report =
            await _run.RunAsync(_run.Request(_run.Folder.Write("a.ndjson", "\n"), _run.Folder.Write("b.ndjson", Flat(3))) with { StopWhenRefusedAlike = true });
        Assert.Equal((RunOutcome.Invalid, 3), (report.Outcome, report.Inspection!.Proposal!.Accepted));
        Assert.EndsWith("b.ndjson", report.Inspection.Source, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)] // no room for all
    [InlineData(100)]
    public async Task A_stream_of_which_something_is_not_kept_is_not_opened_again(int most)
    {
        var bytes = Enumerable.Range(0, 10).Select(i => (byte)i).ToArray();
        using var input = new RepeatableInput(new InputFile("", "in", "in", Folder: null) { Stream = new MemoryStream(bytes) }, most);
        Assert.Equal(10, await ReadAsync(input.Input.Open()));
        if (most < 10)
        {
            Assert.Equal(RunOutcome.DiskFailed, Assert.Throws<InputException>(() => input.Input.Open()).Outcome);
            Assert.False(input.CanRepeat);
            return;
        }

        Assert.Equal(10, await ReadAsync(input.Input.Open()));
        input.KeepNoMore();
        Assert.Equal(10, await ReadAsync(input.Input.Open())); // the last time
        input.Release();
        Assert.Throws<InputException>(() => input.Input.Open());

        static async Task<int> ReadAsync(ByteSource source)
        {
            var buffer = new byte[16];
            return await source.ReadAsync(buffer, CancellationToken.None);
        }
    }
}
