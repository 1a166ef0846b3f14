using System.IO.Compression;
using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

public sealed class EventsTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task Every_event_of_a_file_is_sent_once()
    {
        var report = await _run.RunAsync(Events(5000));
        Assert.Equal(RunOutcome.Complete, report.Outcome);
        Assert.Equal(5000, report.Accepted);
        Assert.Equal(3, report.Requests);
        Assert.Equal(Enumerable.Range(0, 5000), _run.StoredNumbers().Order());
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n\n  \n")]
    [InlineData(" \n")]
    public async Task Line_ends_and_blank_lines_do_not_matter(string lineEnd)
    {
        var report = await _run.RunAsync(string.Concat(Enumerable.Range(0, 10).Select(i => Event(i) + lineEnd)));
        Assert.Equal((RunOutcome.Complete, 10), (report.Outcome, report.Accepted));
        Assert.Equal(lineEnd.Count(c => c == '\n') * 10 - 10, report.Blank);
    }

    [Fact]
    public async Task A_byte_order_mark_at_the_start_is_skipped()
    {
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a.ndjson", [0xef, 0xbb, 0xbf, .. Encoding.UTF8.GetBytes(Events(2))])));
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task A_complete_last_line_needs_no_line_end()
    {
        var report = await _run.RunAsync(Event(1) + "\n" + Event(2));
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task An_incomplete_last_line_is_pending()
    {
        var report = await _run.RunAsync(Event(1) + "\n" + Event(2)[..^3]);
        Assert.Equal((RunOutcome.Damaged, 1, 1), (report.Outcome, report.Accepted, report.Pending));
    }

    [Theory]
    [InlineData("[{0}]")]
    [InlineData("  [\n  {0}\n ]\n")]
    public async Task A_json_array_is_read_element_by_element(string form)
    {
        var text = form.Replace("{0}", string.Join(",\n", Enumerable.Range(0, 3000).Select(i => Event(i))), StringComparison.Ordinal);
        var report = await _run.RunAsync(text);
        Assert.Equal((RunOutcome.Complete, 3000), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 3000), _run.StoredNumbers().Order());
    }

    [Fact]
    public async Task Gzip_is_told_by_content()
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(Events(4000)));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("input", buffer.ToArray())));
        Assert.Equal((RunOutcome.Complete, 4000), (report.Outcome, report.Accepted));
    }
}
