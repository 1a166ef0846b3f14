using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>A stream that returns a little and then makes the import wait, as <c>tail -f</c> does.</summary>
public sealed class SlowStreamTests : IDisposable
{
    readonly ImportRun _run = new();
    readonly Pipe _pipe = new();
    readonly WatchedState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    ImportRequest Stream() => _run.Request("-") with { StandardInput = _pipe.Reader.AsStream(), SourceId = "slow" };

    async Task GiveAsync(string text) => await _pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(text));

    [Fact]
    public async Task What_has_come_is_sent_and_settled_while_the_stream_pauses()
    {
        var import = _run.RunAsync(Stream(), _state);
        await GiveAsync(Event(1) + "\n" + Event(2) + "\nnonsense\n" + Event(3)[..20]);
        var first = await _state.SavedAsync(read: 3);
        Assert.Equal((2, 1), (first.Totals.Accepted, first.Totals.Rejected));
        Assert.Equal([1, 2], _run.StoredNumbers());

        await GiveAsync(Event(3)[20..] + "\n");
        await _state.SavedAsync(read: 4);
        Assert.Equal([1, 2, 3], _run.StoredNumbers());

        await _pipe.Writer.CompleteAsync();
        var report = await import;
        Assert.Equal((RunOutcome.Rejected, 4, 3, 1), (report.Outcome, report.Read, report.Accepted, report.Rejected));
    }

    [Fact]
    public async Task A_stream_that_broke_after_a_pause_goes_on_where_its_checkpoint_is()
    {
        var import = _run.RunAsync(Stream(), _state);
        await GiveAsync(Event(1) + "\n" + Event(2) + "\n");
        await _state.SavedAsync(read: 2);
        await GiveAsync(Event(3)[..9]);
        await _pipe.Writer.CompleteAsync();
        Assert.Equal(RunOutcome.Damaged, (await import).Outcome);

        using var whole = new MemoryStream(Encoding.UTF8.GetBytes(Event(1) + "\n" + Event(2) + "\n" + Event(3) + "\n"));
        var report = await _run.RunAsync(Stream() with { StandardInput = whole }, _state);
        Assert.Equal((RunOutcome.Complete, 3, 2), (report.Outcome, report.Accepted, report.ResumedFrom));
        Assert.Equal([1, 2, 3], _run.StoredNumbers());
    }

    [Theory]
    [InlineData("[", ",")]
    [InlineData("[\n", "\n,\n")]
    public async Task An_array_pauses_between_its_elements(string opening, string comma)
    {
        var import = _run.RunAsync(Stream(), _state);
        await GiveAsync(opening + Event(1) + comma + Event(2) + comma);
        await _state.SavedAsync(read: 2);
        await GiveAsync(Event(3) + "]");
        await _pipe.Writer.CompleteAsync();
        Assert.Equal((RunOutcome.Complete, 3), await import is var report ? (report.Outcome, report.Accepted) : default);
        Assert.Equal([1, 2, 3], _run.StoredNumbers());
    }

    [Fact]
    public async Task A_compressed_stream_pauses_where_it_was_flushed()
    {
        var import = _run.RunAsync(Stream(), _state);
        await using (var gzip = new GZipStream(_pipe.Writer.AsStream(leaveOpen: true), CompressionLevel.Fastest))
        {
            // Some bytes are held back to detect the end of the data, so the last record waits for the next.
            for (var i = 0; i < 3; i++)
            {
                await gzip.WriteAsync(Encoding.UTF8.GetBytes(Event(i) + "\n"));
                await gzip.FlushAsync();
            }

            await _state.SavedAsync(read: 2);
        }

        await _pipe.Writer.CompleteAsync();
        Assert.Equal((RunOutcome.Complete, 3), await import is var report ? (report.Outcome, report.Accepted) : default);
    }

    [Fact]
    public async Task A_dead_input_does_not_make_empty_requests()
    {
        var import = _run.RunAsync(Stream(), _state);
        await GiveAsync(Event(1) + "\n");
        await _state.SavedAsync(read: 1);
        await GiveAsync("\n\n");
        await _state.SavedAsync(read: 3);
        await _pipe.Writer.CompleteAsync();
        Assert.Equal((RunOutcome.Complete, 1, 2, 1), await import is var report ? (report.Outcome, report.Accepted, report.Blank, report.Requests) : default);
    }
}
