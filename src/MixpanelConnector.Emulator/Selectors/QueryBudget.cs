namespace MixpanelConnector.Emulator.Selectors;

/// <summary>The total cost of the expressions of one query. A query also ends if its caller has disconnected.</summary>
sealed class QueryBudget(CancellationToken callerLeft)
{
    /// <summary>500 times the maximum of one record: a few seconds of one core.</summary>
    public const long Steps = 500L * SelectorLimits.Steps;

    static readonly AsyncLocal<QueryBudget?> Running = new();

    long _steps;

    /// <summary>The budget of the current query; null outside of queries.</summary>
    public static QueryBudget? Current => Running.Value;

    /// <summary>Starts the budget of the current query.</summary>
    public static void Begin(CancellationToken callerLeft) => Running.Value = new QueryBudget(callerLeft);

    /// <exception cref="OperationCanceledException">The caller has disconnected.</exception>
    public void CheckCaller() => callerLeft.ThrowIfCancellationRequested();

    /// <exception cref="SelectorException">The records together have exceeded the maximum number of steps.</exception>
    public void Spend(int steps)
    {
        CheckCaller();
        if ((_steps += steps) > Steps) throw new SelectorException($"more than {Steps} steps for all records", 0);
    }
}
