namespace MixpanelConnector;

/// <summary>The problems of a run. The worst one determines its outcome.</summary>
sealed class ProblemList
{
    static readonly RunOutcome[] WorstFirst =
    [
        RunOutcome.Invalid, RunOutcome.Busy, RunOutcome.Inconsistent, RunOutcome.DiskFailed, RunOutcome.NotAllowed, RunOutcome.Damaged,
        RunOutcome.Unavailable, RunOutcome.Stopped, RunOutcome.Rejected, RunOutcome.Complete,
    ];

    readonly Lock _lock = new();
    readonly List<(RunOutcome Outcome, string Message)> _problems = [];

    public bool IsEmpty
    {
        get
        {
            lock (_lock) return _problems.Count == 0;
        }
    }

    public RunOutcome Outcome => Sorted().Select(problem => problem.Outcome).FirstOrDefault();

    /// <summary>Each message once, the worst first.</summary>
    public IReadOnlyList<string> Messages => [.. Sorted().Select(problem => problem.Message).Distinct(StringComparer.Ordinal)];

    public int Count(RunOutcome outcome)
    {
        lock (_lock) return _problems.Count(problem => problem.Outcome == outcome);
    }

    /// <summary>Adds a problem, unless it was added before.</summary>
    public void Note(RunOutcome outcome, string message)
    {
        lock (_lock)
            if (!_problems.Contains((outcome, message))) _problems.Add((outcome, message));
    }

    List<(RunOutcome Outcome, string Message)> Sorted()
    {
        lock (_lock) return [.. _problems.OrderBy(problem => Array.IndexOf(WorstFirst, problem.Outcome))];
    }
}
