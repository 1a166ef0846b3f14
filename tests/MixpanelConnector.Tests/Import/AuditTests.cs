using MixpanelConnector.Import;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>The last check of the counts, and which of several exit codes an import ends with.</summary>
public sealed class AuditTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 9)]
    [InlineData(2, 9)]
    public async Task A_dead_letter_that_got_lost_ends_with_9(int lost, int exitCode)
    {
        using var state = new LossyState(lost);
        using var http = new HttpClient(_run.Mixpanel, disposeHandler: false);
        using var client = new MixpanelClient(_run.Options, http);

        var report = await client.ImportAsync(_run.Request(_run.Folder.Write("a", Events(3) + "nonsense\nmore\n")), state);

        Assert.Equal((exitCode, 5, 3, 2), (report.ExitCode, report.Read, report.Accepted, report.Rejected));
        if (lost > 0) Assert.Contains("audit", report.Problems[0], StringComparison.Ordinal);
    }

    public static TheoryData<int, int> Ranked()
    {
        int[] order = [9, 7, 4, 6, 5, 3];
        var pairs = new TheoryData<int, int>();
        for (var i = 0; i < order.Length; i++)
            for (var j = i + 1; j < order.Length; j++) pairs.Add(order[i], order[j]);
        return pairs;
    }

    [Theory, MemberData(nameof(Ranked))]
    public void Of_two_exit_codes_the_more_serious_wins(int winner, int loser)
    {
        foreach (var first in (int[])[winner, loser])
        {
            using var halt = new Halt(_run.Clock, CancellationToken.None);
            halt.Note(first, "the first");
            halt.Note(first == winner ? loser : winner, "the second");
            var report = ImportPipeline.Report(halt, new ImportTotals(), pending: 0, deadLetterPath: null);
            Assert.Equal((winner, 2), (report.ExitCode, report.Problems.Count));
        }
    }

    /// <summary>Forgets the last dead letters.</summary>
    sealed class LossyState(int lost) : IImportState
    {
        readonly InMemoryImportState _inner = new();

        public string? DeadLetterPath => null;

        public ImportCheckpoint? Load() => _inner.Load();

        public void Save(ImportCheckpoint checkpoint) => _inner.Save(checkpoint);

        public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => _inner.DeadLetters().SkipLast(lost);

        public void Clear() => _inner.Clear();

        public void Dispose() => _inner.Dispose();
    }
}
