using System.Text;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>Runs alone, because allocations are counted for the whole process.</summary>
[Collection(nameof(Alone))]
public sealed class BoundedMemoryTests
{
    [Fact]
    public async Task A_line_of_a_hundred_megabytes_passes_by_in_bounded_memory()
    {
        using var run = new ImportRun();
        var path = run.Folder.File("a");
        var part = new byte[1 << 20];
        part.AsSpan().Fill((byte)'x');
        using (var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256))
        {
            using (var file = File.Create(path))
            {
                file.Write(Encoding.UTF8.GetBytes(Event(1) + "\n"));
                for (var i = 0; i < 100; i++)
                {
                    file.Write(part);
                    hash.AppendData(part);
                }

                file.Write(Encoding.UTF8.GetBytes("\n" + Event(2) + "\n"));
            }

            var before = GC.GetTotalAllocatedBytes();
            var report = await run.RunAsync(run.Request(path));
            Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
            Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 60_000_000);
            var letter = Assert.Single(run.DeadLetters());
            Assert.Equal((100L << 20, 2, Event(1).Length + 1L),
                (letter.GetProperty("length").GetInt64(), letter.GetProperty("line").GetInt32(), letter.GetProperty("offset").GetInt64()));
            Assert.Equal(64 << 10, letter.Raw().Length);
            Assert.Equal(Convert.ToHexStringLower(hash.GetHashAndReset()), letter.GetProperty("sha256").GetString());
        }
    }

    [Fact]
    public async Task A_bomb_of_one_endless_line_passes_by_in_bounded_memory()
    {
        var bomb = GzipTests.Gzip($$"""{"event":"{{new string('x', 100_000_000)}}"}""" + "\n" + Event(1) + "\n");
        using var run = new ImportRun();
        var before = GC.GetTotalAllocatedBytes();
        var report = await run.RunAsync(run.Request(run.Folder.Write("a.gz", bomb)));
        Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 60_000_000);
        Assert.Equal((100_000_012L, true),
            (run.DeadLetters()[0].GetProperty("length").GetInt64(), run.DeadLetters()[0].GetProperty("raw_truncated").GetBoolean()));
    }
}

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
