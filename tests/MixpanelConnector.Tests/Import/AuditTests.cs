using MixpanelConnector.Import.Ending;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>The final audit of the counts, and the precedence of exit codes.</summary>
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
        using var http = new HttpClient(_run.Mixpanel, disposeHandler: false) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(_run.Options, http);

        var report = await client.ImportAsync(_run.Request(_run.Folder.Write("a", Events(3) + "nonsense\nmore\n")), state);

        Assert.Equal((exitCode, 5, 3, 2), ((int)report.Outcome, report.Read, report.Accepted, report.Rejected));
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
    public void Of_two_outcomes_the_more_serious_wins(int winningCode, int losingCode)
    {
        var (winner, loser) = ((RunOutcome)winningCode, (RunOutcome)losingCode);
        foreach (var first in (RunOutcome[])[winner, loser])
        {
            using var cancellation = new ImportCancellation(_run.Clock, CancellationToken.None);
            cancellation.Note(first, "the first");
            cancellation.Note(first == winner ? loser : winner, "the second");
            var report = ImportReports.Of(cancellation, new ImportTotals(), pending: 0, deadLetterPath: null);
            Assert.Equal((winner, 2), (report.Outcome, report.Problems.Count));
        }
    }

    [Theory]
    [InlineData("nonsense\n", 3)]
    [InlineData("", 0)]
    public async Task Where_a_state_is_finished_its_dead_letter_file_is_written(string bad, int exitCode)
    {
        using var state = new WatchedState(_run.DeadLetterPath);
        var request = _run.Request(_run.Folder.Write("a", Events(3) + bad));
        state.BeforeFirstSave = () => Directory.CreateDirectory(_run.DeadLetterPath); // stands in the way when it is too late to be seen at the start

        using var http = new HttpClient(_run.Mixpanel, disposeHandler: false) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(_run.Options, http);
        Assert.Equal(RunOutcome.DiskFailed, (await client.ImportAsync(request, state)).Outcome);
        if (exitCode == 3) Assert.False(state.Load()!.Finished);

        Directory.Delete(_run.DeadLetterPath);
        var report = await client.ImportAsync(request, state);
        Assert.Equal((exitCode, 3), ((int)report.Outcome, report.Accepted));
        Assert.True(state.Load()!.Finished);
        Assert.Equal(report.Rejected, File.ReadLines(_run.DeadLetterPath).LongCount());
        Assert.True(state.FinishedAfterTheFile || exitCode == 0);
        Assert.Equal(3, _run.Mixpanel.Stored.Count);
    }

    /// <summary>Checks, when an import is marked as finished, that its dead-letter file exists.</summary>
    sealed class WatchedState(string deadLetters) : IImportState
    {
        readonly InMemoryImportState _inner = new();
        bool _saved;

        public Action? BeforeFirstSave { get; set; }

        public bool FinishedAfterTheFile { get; private set; }

        public string? DeadLetterPath => null;

        public ImportCheckpoint? Load() => _inner.Load();

        public void Save(ImportCheckpoint checkpoint)
        {
            if (!_saved) BeforeFirstSave?.Invoke();
            _saved = true;
            if (checkpoint.Finished) FinishedAfterTheFile = File.Exists(deadLetters);
            _inner.Save(checkpoint);
        }

        public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => _inner.DeadLetters();

        public void Clear() => _inner.Clear();

        public void Dispose() => _inner.Dispose();
    }

    /// <summary>Loses the last dead letters.</summary>
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
