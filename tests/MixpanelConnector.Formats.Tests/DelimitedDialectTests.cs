using System.Text;
using static MixpanelConnector.Formats.Tests.Rows;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Rows with the delimiters and headers that the caller specifies, for every kind of input.</summary>
public sealed class DelimitedDialectTests
{
    static readonly string[] Cells = ["a", "'a;b'", "'it''s'", "'it\\'s; \\\\'", "a\\;b", "two\\\nlines", "'two\\\r\nlines'", "C:\\\\new\\tab", "\\'", "''"];
    static readonly string[] Values = ["a", "a;b", "it's", "it's; \\", "a;b", "two\nlines", "two\r\nlines", "C:\\new\tab", "'"];

    static readonly string Text = "# a ; comment\r\n'sep=;\r\n\r\nSEP=;\r\n\r\n"
        + string.Concat(Cells.Select((cell, i) => $"{Row(i).Replace(",", ";", StringComparison.Ordinal)};{cell}\r\n"));

    static ImportRequest Said(ImportRequest request) => request with
    {
        SkipLines = 2,
        NoHeader = true,
        ColumnNames = [.. Header.Split(','), "note"],
        Quote = '\'',
        Escape = '\\',
    };

    static List<string> Notes(ImportRun run) =>
        [
            .. run.Mixpanel.Stored.Select(record => Properties(record))
                .OrderBy(properties => properties.GetProperty("n").GetInt32())
                .Select(properties => properties.TryGetProperty("note", out var note) ? note.GetString()! : "")
                .Where(note => note.Length > 0),
        ];

    [Fact]
    public async Task An_input_cut_at_any_byte_and_completed_gives_every_record_once()
    {
        var whole = Encoding.UTF8.GetBytes(Text);
        var changed = 0;
        for (var length = 0; length < whole.Length; length += 1 + (length % 3))
        {
            using var run = new ImportRun();
            using var state = new InMemoryImportState();
            var request = Said(run.RequestAll(run.Folder.Write("in.csv", whole.AsSpan(0, length)))) with { AllowEmpty = true };
            var first = await run.RunAsync(request, state);
            Assert.True(first.Outcome is RunOutcome.Complete or RunOutcome.Damaged, $"byte {length}: {first.Outcome}");
            run.Folder.Write("in.csv", whole);
            var second = await run.RunAsync(request, state);
            if (second.Outcome is RunOutcome.Damaged)
            {
                // Truncated within a last cell that could have been complete, or within the line sep=. It is reported, and nothing is sent twice.
                Assert.Contains("has changed", second.Problems[0], StringComparison.Ordinal);
                changed++;
                continue;
            }

            Assert.Equal((RunOutcome.Complete, Cells.Length, 0), (second.Outcome, second.Accepted, second.Blank));
            Assert.Equal<IEnumerable<string>>(Values, Notes(run));
        }

        Assert.InRange(changed, 1, 40);
    }

    [Fact]
    public async Task A_crash_at_any_checkpoint_is_resumed_without_loss()
    {
        for (var crash = 1; crash < Cells.Length + 3; crash++)
        {
            using var run = new ImportRun();
            using var state = new CrashingState { CrashAtSave = crash };
            var request = Said(run.RequestAll(run.Folder.Write("in.csv", [0xff, 0xfe, .. Encoding.Unicode.GetBytes(Text + "bad\r\n")]))) with
            {
                BatchEvents = 1,
                Senders = 1,
                CheckpointInterval = TimeSpan.Zero,
            };
            var first = await run.RunAsync(request, state);
            state.CrashAtSave = 0;
            var second = first.Outcome is RunOutcome.DiskFailed ? await run.RunAsync(request, state) : first;
            Assert.Equal((RunOutcome.Rejected, Cells.Length, 1), (second.Outcome, second.Accepted, second.Rejected));
            Assert.Empty(Values.Except(Notes(run), StringComparer.Ordinal));
            Assert.Equal(18, run.DeadLetters()[^1].GetProperty("line").GetInt32());
        }
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task What_stands_before_the_header_is_passed_however_lines_end(string end)
    {
        using var run = new ImportRun();
        var text = $"# one\n\"two\n\n\nsep=|\n\n{Header.Replace(',', '|')}\n{Row(0).Replace(',', '|')}\nbad\n".Replace("\n", end, StringComparison.Ordinal);
        var report = await run.RunAsync(run.RequestAll(run.Folder.Write("in.csv", text)) with { SkipLines = 2 });
        Assert.Equal((RunOutcome.Rejected, 1, 1, 0), (report.Outcome, report.Accepted, report.Rejected, report.Blank));
        Assert.Equal(9, run.DeadLetters()[0].GetProperty("line").GetInt32());
    }

    [Fact]
    public async Task Ten_thousand_columns_are_read()
    {
        using var run = new ImportRun();
        var names = string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"c{i}"));
        var report = await run.RunAsync(run.RequestAll(run.Folder.Write("in.csv",
            $"{Header},{names}\n{Row(0)},{new string(',', 9_998)}x,\n{Row(1)}{string.Concat(Enumerable.Repeat(",1", 10_000))}\n")));
        Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal("x", Properties(run.Mixpanel.Stored[0]).GetProperty("c9998").GetString());
    }

    [Fact]
    public async Task Rows_that_are_parted_otherwise_are_another_import_and_other_ids()
    {
        using var run = new ImportRun();
        using var state = new InMemoryImportState();
        var request = run.RequestAll(run.Folder.Write("in.csv", $"event;time;distinct_id\ne;{ImportRun.Time};u\n"));
        Assert.Equal(RunOutcome.Complete, (await run.RunAsync(request, state)).Outcome);
        await Assert.ThrowsAsync<MixpanelException>(() => run.RunAsync(request with { Quote = null }, state));
        var restarted = await Assert.ThrowsAsync<MixpanelException>(() => run.RunAsync(request with { Escape = '\\', Restart = true }, state));
        Assert.Contains("ImportRequest.NewIds", restarted.Message, StringComparison.Ordinal);
    }
}
