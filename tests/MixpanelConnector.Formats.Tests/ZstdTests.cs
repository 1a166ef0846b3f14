using System.Text;
using ZstdSharp;
using static MixpanelConnector.Formats.Tests.Rows;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Complete, truncated and damaged zstd.</summary>
public sealed class ZstdTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    static byte[] Compress(string text)
    {
        using var compressor = new Compressor(3);
        compressor.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return compressor.Wrap(Encoding.UTF8.GetBytes(text)).ToArray();
    }

    static string Lines(int from, int count) => string.Concat(Enumerable.Range(from, count).Select(i => ImportRun.Event(i) + "\n"));

    [Fact]
    public async Task A_file_cut_at_any_byte_gives_what_came_before_and_the_whole_file_the_rest()
    {
        byte[] whole = [.. Compress(Lines(0, 7)), .. Compress(Lines(7, 13))];
        var frameEnd = Compress(Lines(0, 7)).Length;
        for (var length = 0; length < whole.Length; length++)
        {
            using var run = new ImportRun();
            using var state = new InMemoryImportState();
            var request = run.RequestAll(run.Folder.Write("in.ndjson.zst", whole.AsSpan(0, length)));
            var report = await run.RunAsync(request, state);
            Assert.Equal(length == frameEnd ? RunOutcome.Complete : RunOutcome.Damaged, report.Outcome);
            Assert.Equal(Enumerable.Range(0, (int)report.Accepted), run.StoredNumbers());
            if (report.Outcome is RunOutcome.Damaged) Assert.Contains("compressed byte", report.Problems[0], StringComparison.Ordinal);

            run.Folder.Write("in.ndjson.zst", whole);
            report = await run.RunAsync(request, state);
            Assert.Equal((RunOutcome.Complete, 20), (report.Outcome, report.Accepted));
            Assert.Equal(Enumerable.Range(0, 20), run.StoredNumbers());
        }
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_never_changes_what_is_taken_for_good()
    {
        var whole = Compress(Lines(0, 20));
        for (var position = 0; position < whole.Length; position++)
        {
            using var run = new ImportRun();
            var damaged = whole.ToArray();
            damaged[position] ^= 0x10;
            var report = await run.RunAsync(run.RequestAll(run.Folder.Write("in.zst", damaged)) with { DryRun = true });
            if (report.Outcome is RunOutcome.Complete) Assert.Equal(20, report.Accepted);
            else Assert.True(report.Outcome is RunOutcome.Damaged or RunOutcome.Rejected, $"byte {position}: {report.Outcome}");
        }
    }

    [Theory]
    [InlineData(new byte[] { 1 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0x28, 0xb5, 0x2f })]
    public async Task Anything_after_the_last_frame_is_an_error(byte[] garbage)
    {
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("a.zst", [.. Compress(Lines(0, 20)), .. garbage])));
        Assert.Equal((RunOutcome.Damaged, 20), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task A_skippable_frame_is_passed_by()
    {
        byte[] skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("a", [.. Compress(Lines(0, 2)), .. skippable, .. Compress(Lines(2, 2))])));
        Assert.Equal((RunOutcome.Complete, 4), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData(0xb0, 1)] // beyond what a decoder can have
    [InlineData(0xa8, 1100)] // 2 GiB, of which more is filled than is kept
    public async Task A_window_that_is_too_large_is_told_for_what_it_is(byte window, int blocks)
    {
        byte[] block = [0x02, 0, 0x10, (byte)'x']; // 128 KiB of one byte
        byte[] frame = [0x28, 0xb5, 0x2f, 0xfd, 0, window, .. Enumerable.Repeat(block, blocks).SelectMany(bytes => bytes), 0x01, 0, 0];
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("a.ndjson.zst", [.. Compress(Lines(0, 20)), .. frame])));
        Assert.Equal((RunOutcome.Damaged, 20), (report.Outcome, report.Accepted));
        Assert.Contains("needs a window of more than 128 MiB", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dictionary_that_is_needed_is_told()
    {
        byte[] frame = [0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x48, 7, 0x01, 0, 0];
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("a.zst", frame)));
        Assert.Equal(RunOutcome.Damaged, report.Outcome);
        Assert.Contains("dictionary", report.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("in.zst")]
    [InlineData("in.csv.zst")]
    [InlineData("in.csv")]
    [InlineData("in")]
    public async Task Csv_can_be_compressed(string name)
    {
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write(name, Compress($"{Header}\n{Some(0, 5000)}"))));
        Assert.Equal((RunOutcome.Complete, 5000), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 5000), _run.StoredNumbers().Order());
    }

    [Fact]
    public async Task An_array_can_be_compressed() =>
        Assert.Equal((RunOutcome.Complete, 2),
            await _run.RunAsync(_run.RequestAll(_run.Folder.Write("a.json.zst", Compress($"[{ImportRun.Event(0)},{ImportRun.Event(1)}]")))) is var report
                ? (report.Outcome, report.Accepted)
                : default);

    [Fact]
    public async Task The_suffix_is_no_part_of_the_ids()
    {
        var text = $"event,time,distinct_id\ne,{ImportRun.Time},x\n";
        await _run.RunCsvAsync(text);
        await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.csv.zst", Compress(text))));
        Assert.Single(_run.Mixpanel.Stored.Distinct(StringComparer.Ordinal));
        Assert.Equal(2, _run.Mixpanel.Stored.Count);
    }
}
