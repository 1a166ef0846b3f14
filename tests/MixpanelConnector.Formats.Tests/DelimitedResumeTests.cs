using static MixpanelConnector.Formats.Tests.Rows;

namespace MixpanelConnector.Formats.Tests;

/// <summary>The same CSV imported again with its state, with the input unchanged or changed.</summary>
public sealed class DelimitedResumeTests : IDisposable
{
    // Line ends inside cells, bad rows, blank lines, quotes: everything that could make the position of a row ambiguous.
    static readonly string[] Texts =
    [
        "\uFEFFevent,time,distinct_id,$insert_id,n,note\n",
        .. Enumerable.Range(0, 24)
            .Select(i => Row(i)
                + (i % 6) switch { 0 => ",\n", 1 => ",\"a\nb\"\n", 2 => ",\"\"\"\r\n\"\"\"\r\n", 3 => ",é\n\n", 4 => ",x\nbad,row\n", _ => ",\"\"\n" }),
    ];

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    [Fact]
    public async Task A_crash_at_any_checkpoint_is_resumed_without_loss()
    {
        var whole = string.Concat(Texts);
        for (var crash = 1; crash < 40; crash++)
        {
            using var run = new ImportRun();
            using var state = new CrashingState { CrashAtSave = crash };
            var request = run.RequestAll(run.Folder.Write("in.csv", whole)) with { BatchEvents = 1, Senders = 1, CheckpointInterval = TimeSpan.Zero };
            var first = await run.RunAsync(request, state);
            state.CrashAtSave = 0;
            var second = first.Outcome is RunOutcome.DiskFailed ? await run.RunAsync(request, state) : first;
            Assert.Equal((RunOutcome.Rejected, 24, 4, 4), (second.Outcome, second.Accepted, second.Rejected, second.Blank));
            Assert.Equal(Enumerable.Range(0, 24), run.StoredNumbers().Distinct().Order());
            Assert.Equal([10, 20, 30, 40], run.DeadLetters().Select(letter => letter.GetProperty("line").GetInt32()));
        }
    }

    [Fact]
    public async Task An_input_cut_at_any_byte_and_completed_gives_every_record_once()
    {
        var whole = System.Text.Encoding.UTF8.GetBytes(string.Concat(Texts[..8]));
        var changed = 0;
        for (var length = 0; length < whole.Length; length++)
        {
            using var run = new ImportRun();
            using var state = new InMemoryImportState();
            var request = run.RequestAll(run.Folder.Write("in.csv", whole.AsSpan(0, length)));
            var first = await run.RunAsync(request, state);
            Assert.True(first.Outcome is RunOutcome.Complete or RunOutcome.Rejected or RunOutcome.Damaged, $"byte {length}: {first.Outcome}");
            run.Folder.Write("in.csv", whole);
            var second = await run.RunAsync(request, state);
            if (second.Outcome is RunOutcome.Damaged)
            {
                // Truncated within the last cell of a row, which could have been complete. It is reported, and nothing is sent twice.
                Assert.Contains("longer now", second.Problems[0], StringComparison.Ordinal);
                changed++;
                continue;
            }

            Assert.Equal((RunOutcome.Rejected, 7, 1), (second.Outcome, second.Accepted, second.Rejected));
            Assert.Equal(Enumerable.Range(0, 7), run.StoredNumbers());
        }

        Assert.InRange(changed, 1, 30);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("")]
    public async Task A_last_row_that_gets_its_line_end_later_is_not_read_again(string lineEnd)
    {
        await _run.RunCsvAsync($"{Header}\n{Some(0, 3).TrimEnd()}", _state);
        var report = await _run.RunCsvAsync($"{Header}\n{Some(0, 3).TrimEnd()}{lineEnd}{(lineEnd.Length > 0 ? Some(3, 2) : "")}", _state);
        Assert.Equal((RunOutcome.Complete, lineEnd.Length > 0 ? 5 : 3, 0), (report.Outcome, report.Accepted, report.Blank));
        Assert.Equal(report.Accepted, _run.StoredNumbers().Count);
    }

    [Theory]
    [InlineData("Event,time,distinct_id,$insert_id,n\n")]
    [InlineData("event,time,distinct_id,$insert_id,m\n")]
    public async Task A_header_that_changed_is_told(string header)
    {
        await _run.RunCsvAsync($"{Header}\n{Some(0, 3)}", _state);
        var report = await _run.RunCsvAsync($"{header}{Some(0, 4)}", _state);
        Assert.Equal((RunOutcome.Damaged, 3), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData("")]
    [InlineData(Header)]
    [InlineData(Header + "\n")]
    public async Task An_input_that_shrank_is_told_and_not_read_again_when_it_is_back(string text)
    {
        var whole = $"{Header}\n{Some(0, 3)}";
        await _run.RunCsvAsync(whole, _state);
        var report = await _run.RunCsvAsync(text, _state);
        Assert.Equal((RunOutcome.Damaged, 3), (report.Outcome, report.Accepted));
        Assert.Equal((RunOutcome.Complete, 3), await _run.RunCsvAsync(whole, _state) is var last ? (last.Outcome, last.Accepted) : default);
        Assert.Equal(3, _run.Mixpanel.Stored.Count);
    }

    [Fact]
    public async Task A_header_alone_may_grow()
    {
        await _run.RunCsvAsync(Header, _state);
        await _run.RunCsvAsync(Header + "\n", _state);
        Assert.Equal((RunOutcome.Complete, 3),
            await _run.RunCsvAsync($"{Header}\n{Some(0, 3)}", _state) is var report ? (report.Outcome, report.Accepted) : default);
    }

    [Fact]
    public async Task Another_mapping_needs_a_new_beginning()
    {
        var request = _run.RequestAll(_run.Folder.Write("in.csv", $"{Header}\n{Some(0, 3)}"));
        await _run.RunAsync(request, _state);
        var exception = await Assert.ThrowsAsync<MixpanelException>(() =>
            _run.RunAsync(request with { Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["m"] = "n" } }, _state));
        Assert.Equal("restart", exception.Error.Field);
    }
}
