namespace MixpanelConnector.Flags.Logic;

/// <summary>
/// The remaining budget of rules: a unit for each step, and for each character and item that is created or traversed. A rule that
/// fails, or exceeds the budget, has no result: it continues without work until it has unwound, and its value is ignored.
/// </summary>
struct LogicBudget(int units)
{
    /// <summary>Whether the value is to be ignored.</summary>
    public bool HasFailed { get; private set; }

    public int Left { get; private set; } = units;

    /// <returns>False when there is no result any more.</returns>
    public bool Spend(int units = 1)
    {
        if (HasFailed) return false;
        HasFailed = units > Left;
        Left -= Math.Min(units, Left);
        return !HasFailed;
    }

    /// <summary>Fails where JavaScript would throw.</summary>
    public LogicValue Fail()
    {
        HasFailed = true;
        return LogicValue.Undefined;
    }

    /// <summary>Resets the failure: that of one rule does not affect the next.</summary>
    public void Begin() => HasFailed = false;
}
