using System.Runtime.ExceptionServices;

namespace MixpanelConnector.Import;

/// <summary>Why an import does not end well, and the signals that end it early: first no new work, then no more waiting for answers.</summary>
sealed class ImportCancellation : IDisposable
{
    /// <summary>Within this time after the signal, requests under way are awaited.</summary>
    static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(8);

    readonly CancellationTokenSource _stop = new();
    readonly CancellationTokenSource _abandon;
    readonly CancellationTokenSource _abandonOutput;
    readonly CancellationTokenRegistration _caller;
    readonly TimeSpan _grace;
    ExceptionDispatchInfo? _defect;

    public ImportCancellation(TimeProvider time, CancellationToken caller, TimeSpan? grace = null)
    {
        _grace = grace ?? DefaultGrace;
        _abandon = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _abandonOutput = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _caller = caller.Register(() =>
        {
            ByCaller = true;
            _abandonOutput.CancelAfter(_grace);
            Begin();
        });
    }

    /// <summary>Begin nothing new.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Abandon what is under way.</summary>
    public CancellationToken Abandon => _abandon.Token;

    /// <summary>Wait no longer for whoever reads what is written: only the caller ends that.</summary>
    public CancellationToken AbandonOutput => _abandonOutput.Token;

    public bool ByCaller { get; private set; }

    /// <summary>Whether nothing can be made durable any more.</summary>
    public bool StateFailed { get; private set; }

    /// <summary>Why the import does not end well.</summary>
    public ProblemList Problems { get; } = new();

    /// <summary>Keeps a problem, and goes on.</summary>
    public void Note(RunOutcome outcome, string message) => Problems.Note(outcome, message);

    /// <summary>Keeps a problem, and ends the import.</summary>
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

    /// <summary>Ends the import because of a defect in it, or in a callback of the caller's.</summary>
    public void Fail(Exception defect)
    {
        Interlocked.CompareExchange(ref _defect, ExceptionDispatchInfo.Capture(defect), null);
        Begin();
    }

    /// <summary>The first defect, which the caller is to see.</summary>
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
            _abandon.CancelAfter(_grace); // first: whoever waits for the stop may go on, and dispose this, within the next line
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Whoever waited went on, and disposed this, within the first line.
        }
    }
}
