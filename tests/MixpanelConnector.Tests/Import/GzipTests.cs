using System.IO.Compression;
using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>Complete, truncated and damaged compressed input: .NET's own reader treats a truncated file as complete.</summary>
public sealed class GzipTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    public static byte[] Gzip(string text)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return buffer.ToArray();
    }

    static string Some(int from, int count) => string.Concat(Enumerable.Range(from, count).Select(i => Event(i) + "\n"));

    static byte[] ThreeMembers() => [.. Gzip(Some(0, 7)), .. Gzip(Some(7, 1)), .. Gzip(Some(8, 12))];

    [Fact]
    public async Task A_file_cut_at_any_byte_gives_what_came_before_and_the_whole_file_the_rest()
    {
        var whole = ThreeMembers();
        var memberEnds = new[] { Gzip(Some(0, 7)).Length, Gzip(Some(0, 7)).Length + Gzip(Some(7, 1)).Length };
        for (var length = 0; length < whole.Length; length++)
        {
            using var run = new ImportRun();
            using var state = new InMemoryImportState();
            var request = run.Request(run.Folder.Write("input.ndjson.gz", whole.AsSpan(0, length)));
            var report = await run.RunAsync(request, state);
            Assert.Equal(memberEnds.Contains(length) ? RunOutcome.Complete : RunOutcome.Damaged, report.Outcome);
            Assert.Equal(Enumerable.Range(0, (int)report.Accepted), run.StoredNumbers());
            if (report.Outcome is RunOutcome.Damaged) Assert.Contains("compressed byte", report.Problems[0], StringComparison.Ordinal);

            run.Folder.Write("input.ndjson.gz", whole);
            report = await run.RunAsync(request, state);
            Assert.Equal((RunOutcome.Complete, 20), (report.Outcome, report.Accepted));
            Assert.Equal(Enumerable.Range(0, 20), run.StoredNumbers());
        }
    }

    [Theory]
    [InlineData(0, 0, 20)]
    [InlineData(-1, 6, 19)] // what came before is whole
    public async Task A_compressed_input_gives_no_more_than_it_may(int more, int exit, int accepted)
    {
        var most = Encoding.UTF8.GetByteCount(Some(0, 20)) + more;
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("input.gz", Gzip(Some(0, 20)))) with { MaxDecompressedBytes = most });
        Assert.Equal((exit, accepted), ((int)report.Outcome, report.Accepted));
        if (exit == 6) Assert.Contains($"more than {most} bytes when it is decompressed", report.Problems[0], StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Complete,
            (await _run.RunAsync(_run.Request(_run.Folder.Write("plain.ndjson", Encoding.UTF8.GetBytes(Some(0, 20)))) with
            {
                MaxDecompressedBytes = 1,
            })).Outcome);
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_never_changes_what_is_taken_for_good()
    {
        var whole = ThreeMembers();
        for (var position = 0; position < whole.Length; position++)
        {
            using var run = new ImportRun();
            var damaged = whole.ToArray();
            damaged[position] ^= 0x10;
            var report = await run.RunAsync(run.Request(run.Folder.Write("input.gz", damaged)) with { DryRun = true });
            if (report.Outcome is RunOutcome.Complete) Assert.Equal(20, report.Accepted); // the header holds a time and a system that mean nothing
            else Assert.True(report.Outcome is RunOutcome.Damaged or RunOutcome.Rejected, $"byte {position}: {report.Outcome}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(512)]
    [InlineData(300_000)]
    public async Task Zeros_after_the_end_are_padding(int zeros)
    {
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a.gz", [.. ThreeMembers(), .. new byte[zeros]])));
        Assert.Equal((RunOutcome.Complete, 20), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData(new byte[] { 1 })]
    [InlineData(new byte[] { 0, 0, 1 })]
    [InlineData(new byte[] { 0, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0x1f, 0x8b })]
    [InlineData(new byte[] { 0x1f, 0x8b, 8, 0, 0, 0 })]
    [InlineData(new byte[] { 0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    public async Task Anything_else_after_the_end_is_an_error(byte[] garbage)
    {
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a.gz", [.. ThreeMembers(), .. garbage])));
        Assert.Equal((RunOutcome.Damaged, 20), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.SmallestSize)]
    public async Task Large_members_of_every_level_are_read_to_their_end(CompressionLevel level)
    {
        using var buffer = new MemoryStream();
        foreach (var from in (int[])[0, 20_000])
            using (var gzip = new GZipStream(buffer, level, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(Some(from, 20_000)));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a.gz", buffer.ToArray())));
        Assert.Equal((RunOutcome.Complete, 40_000), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task A_header_with_every_optional_field_is_understood()
    {
        var plain = Gzip(Some(0, 5));
        byte[] header = [0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3, .. "name\0comment\0"u8, 9, 9];
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", [.. header, .. plain[10..]])));
        Assert.Equal((RunOutcome.Complete, 5), (report.Outcome, report.Accepted));
    }
}
