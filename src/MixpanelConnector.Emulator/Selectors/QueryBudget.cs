namespace MixpanelConnector.Emulator.Selectors;

/// <summary>What the expressions of one query may cost together. A query also ends when its caller has left.</summary>
sealed class QueryBudget(CancellationToken callerLeft)
{
    /// <summary>500 times the most that one record may take: some seconds of one core.</summary>
    public const long Steps = 500L * SelectorLimits.Steps;

    static readonly AsyncLocal<QueryBudget?> Running = new();

    long _steps;

    /// <summary>The one of the query that runs here; null outside of queries.</summary>
    public static QueryBudget? Current => Running.Value;

    /// <summary>Begins the budget of the query that runs from here on.</summary>
    public static void Begin(CancellationToken callerLeft) => Running.Value = new QueryBudget(callerLeft);

    /// <exception cref="OperationCanceledException">Nobody waits for the answer any more.</exception>
    public void CheckCaller() => callerLeft.ThrowIfCancellationRequested();

    /// <exception cref="SelectorException">The records together have taken too many steps.</exception>
    public void Spend(int steps)
    {
        CheckCaller();
        if ((_steps += steps) > Steps)
            throw new SelectorException($"more than {Steps} steps for all records", 0);
    }
}
