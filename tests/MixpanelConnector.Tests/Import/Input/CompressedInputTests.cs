using System.Globalization;
using System.IO.Compression;
using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>Gzip that is damaged at every position: only data that was compressed is ever accepted.</summary>
public sealed class CompressedInputTests
{
    const int Records = 2;

    static byte[] Gzip(string text, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, level, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return buffer.ToArray();
    }

    static async Task<(ImportReport Report, IReadOnlyList<string> Stored)> ImportAsync(byte[] content, string name = "input.ndjson.gz")
    {
        using var run = new ImportRun();
        var report = await run.RunAsync(run.Request(run.Folder.Write(name, content)) with { DeadLetterPath = null });
        return (report, run.Mixpanel.Stored);
    }

    [Theory]
    [InlineData(CompressionLevel.Optimal)]
    [InlineData(CompressionLevel.NoCompression)]
    public async Task Every_single_bit_that_is_flipped_is_noticed_or_means_nothing(CompressionLevel level)
    {
        var events = Enumerable.Range(0, Records).Select(i => Event(i)).ToList();
        var whole = Gzip(string.Concat(events.Select(record => record + "\n")), level);
        for (var bit = 0; bit < whole.Length * 8; bit += level is CompressionLevel.Optimal ? 1 : 5)
        {
            var damaged = whole.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            var (report, stored) = await ImportAsync(damaged);
            var where = $"bit {bit % 8} of byte {bit / 8}: exit {report.Outcome}, {report.Accepted} accepted";
            switch ((int)report.Outcome)
            {
                case 0:
                    Assert.True(stored.SequenceEqual(events, StringComparer.Ordinal), where); // the header's time and system, padding between blocks
                    break;
                case 6:
                    Assert.Contains("input.ndjson.gz", report.Problems[0], StringComparison.Ordinal);
                    break;
                case 3:
                    // With a damaged magic number, the bytes contain no readable record.
                    Assert.True(bit / 8 < 2 && stored.Count == 0, where);
                    break;
                default:
                    Assert.Fail(where);
                    break;
            }
        }
    }

    [Fact]
    public async Task A_second_member_cut_at_every_byte_leaves_the_first_and_says_where()
    {
        var first = Gzip(Event(0) + "\n" + Event(1) + "\n");
        var second = Gzip(Event(2) + "\n");
        for (var length = 1; length < second.Length; length++)
        {
            var (report, stored) = await ImportAsync([.. first, .. second[..length]]);
            Assert.Equal(RunOutcome.Damaged, report.Outcome);
            Assert.InRange(report.Accepted, 2, 3);
            Assert.Equal(Enumerable.Range(0, stored.Count).Select(i => Event(i)), stored, StringComparer.Ordinal);
            var problem = Assert.Single(report.Problems);
            Assert.Matches("the file is truncated.*at compressed byte [0-9]+", problem);
            Assert.InRange(int.Parse(problem.Split("compressed byte ")[1].Split(';')[0], CultureInfo.InvariantCulture), first.Length - 8,
                first.Length + length); // where the last certain byte was
            Assert.Contains($"everything up to line {report.Accepted} was read", problem, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0, "input.gz")]
    [InlineData(1, "input.gz")]
    [InlineData(9, "input.gz")]
    [InlineData(10, "input.gz")]
    [InlineData(1, "input")]
    [InlineData(2, "input")]
    [InlineData(10, "input")]
    public async Task A_header_alone_is_a_file_cut_short(int length, string name)
    {
        var (report, stored) = await ImportAsync(Gzip(Event(0))[..length], name);
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, stored.Count));
        Assert.Contains("the file is truncated", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_members_between_others_are_nothing()
    {
        var (report, stored) =
            await ImportAsync([.. Gzip(""), .. Gzip(Event(0) + "\n"), .. Gzip(""), .. Gzip(""), .. Gzip(Event(1)[..20]), .. Gzip(Event(1)[20..]), .. Gzip("")]);
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
        Assert.Equal([Event(0), Event(1)], stored);
    }

    [Fact]
    public async Task Many_small_members_are_read_like_one()
    {
        var (report, _) = await ImportAsync([.. Enumerable.Range(0, 2000).SelectMany(i => Gzip(Event(i) + "\n"))]);
        Assert.Equal((RunOutcome.Complete, 2000), (report.Outcome, report.Accepted));
    }
}
