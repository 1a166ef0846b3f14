using System.Runtime.ExceptionServices;

namespace MixpanelConnector.Import.Outcome;

/// <summary>The problems of an import, and the signals that end it early: first to start nothing new, then to abandon requests in flight.</summary>
sealed class ImportCancellation : IDisposable
{
    /// <summary>The time to wait for requests in flight after the signal.</summary>
    static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(8);

    readonly CancellationTokenSource _stop = new();
    readonly CancellationTokenSource _abandon;
    readonly CancellationTokenSource _abandonOutput;
    readonly CancellationTokenRegistration _caller;
    readonly TimeSpan _grace;
    ExceptionDispatchInfo? _defect;
    bool _byCaller;
    bool _leavesNothing;

    public ImportCancellation(TimeProvider time, CancellationToken caller, TimeSpan? grace = null)
    {
        _grace = grace ?? DefaultGrace;
        _abandon = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _abandonOutput = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _caller = caller.Register(() =>
        {
            _byCaller = true;
            _abandonOutput.CancelAfter(_grace);
            Begin();
        });
    }

    /// <summary>What the same call does after an early end.</summary>
    public Resumption Resumption { get; init; } = Resumption.FromCheckpoint;

    /// <summary>Signals to start nothing new.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Signals to abandon what is in flight.</summary>
    public CancellationToken Abandon => _abandon.Token;

    /// <summary>Signals to stop waiting for a reader of the output; canceled only by the caller.</summary>
    public CancellationToken AbandonOutput => _abandonOutput.Token;

    /// <summary>Whether the caller stopped the import before its end.</summary>
    public bool IsCutShort => _byCaller && !_leavesNothing;

    /// <summary>Records that every record has its final outcome: a stop came too late to change anything.</summary>
    public void LeavesNothing() => _leavesNothing = true;

    /// <summary>Whether the state can no longer be saved.</summary>
    public bool StateFailed { get; private set; }

    /// <summary>The problems that make the import incomplete.</summary>
    public ProblemList Problems { get; } = new();

    /// <summary>Records a problem and continues.</summary>
    public void Note(RunOutcome outcome, string message) => Problems.Note(outcome, message);

    /// <summary>Records a problem and ends the import.</summary>
    public void Because(RunOutcome outcome, string message)
    {
        Note(outcome, message);
        Begin();
    }

    /// <summary>Ends the import because its state cannot be written.</summary>
    public void Because(ImportStateException failure)
    {
        StateFailed = true;
        Because(failure.Outcome, failure.Message);
    }

    /// <summary>Ends the import because of a defect in it, or in a callback of the caller.</summary>
    public void Fail(Exception defect)
    {
        Interlocked.CompareExchange(ref _defect, ExceptionDispatchInfo.Capture(defect), null);
        Begin();
    }

    /// <summary>
    /// Runs a stage. A defect in it, including in callbacks, ends the other stages, and is rethrown to the caller after settled records are saved.
    /// </summary>
    public async Task GuardAsync(Func<Task> stage)
    {
        try
        {
            await Task.Run(stage, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>The first defect, which is rethrown to the caller.</summary>
    public ExceptionDispatchInfo? Defect => _defect;

    public void Dispose()
    {
        _caller.Dispose();
        _stop.Dispose();
        _abandon.Dispose();
        _abandonOutput.Dispose();
    }

    void Begin()
    {
        try
        {
            _abandon.CancelAfter(_grace); // first: code that waits for the stop may continue and dispose this before the next line
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Code that was waiting continued and disposed this before the second line.
        }
    }
}
