using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>Runs alone: what is allocated is counted for the whole process.</summary>
[Collection(nameof(Alone))]
public sealed class BombTests
{
    [Fact]
    public async Task A_bomb_of_one_endless_line_passes_by_in_bounded_memory()
    {
        var bomb = GzipTests.Gzip($$"""{"event":"{{new string('x', 100_000_000)}}"}""" + "\n" + Event(1) + "\n");
        using var run = new ImportRun();
        var before = GC.GetTotalAllocatedBytes();
        var report = await run.RunAsync(run.Request(run.Folder.Write("a.gz", bomb)));
        Assert.Equal((3, 1, 1), (report.ExitCode, report.Accepted, report.Rejected));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 60_000_000);
        Assert.Equal((100_000_012L, true), (run.DeadLetters()[0].GetProperty("length").GetInt64(), run.DeadLetters()[0].GetProperty("raw_truncated").GetBoolean()));
    }
}

[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
