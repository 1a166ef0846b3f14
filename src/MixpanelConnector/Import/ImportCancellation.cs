using System.Runtime.ExceptionServices;

namespace MixpanelConnector.Import;

/// <summary>Why an import does not end well, and the signals that end it early: first no new work, then no more waiting for answers.</summary>
sealed class ImportCancellation : IDisposable
{
    /// <summary>Within this time after the signal, requests under way are awaited.</summary>
    static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(8);

    static readonly int[] Precedence = [2, 8, 9, 7, 4, 6, 5, 130, 3];

    readonly Lock _lock = new();
    readonly List<(int ExitCode, string Message)> _problems = [];
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

    /// <summary>Keeps a problem, and goes on.</summary>
    public void Note(int exitCode, string message)
    {
        lock (_lock)
            if (!_problems.Contains((exitCode, message))) _problems.Add((exitCode, message));
    }

    /// <summary>Keeps a problem, and ends the import.</summary>
    public void Because(int exitCode, string message)
    {
        Note(exitCode, message);
        Begin();
    }

    /// <summary>Ends the import because its state cannot be written.</summary>
    public void Because(ImportStateException failure)
    {
        StateFailed = true;
        Because(failure.ExitCode, failure.Message);
    }

    /// <summary>Ends the import because of a defect in it, or in a callback of the caller's.</summary>
    public void Fail(Exception defect)
    {
        Interlocked.CompareExchange(ref _defect, ExceptionDispatchInfo.Capture(defect), null);
        Begin();
    }

    /// <summary>The first defect, which the caller is to see.</summary>
    public ExceptionDispatchInfo? Defect => _defect;

    /// <summary>The problems, those first whose exit code wins.</summary>
    public List<(int ExitCode, string Message)> Problems()
    {
        lock (_lock) return [.. _problems.OrderBy(problem => Array.IndexOf(Precedence, problem.ExitCode))];
    }

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
