namespace MixpanelConnector.Flags.Logic;

/// <summary>
/// What rules may still cost: a unit for each step, and for each character and item that is made or gone through. A rule that
/// fails, or takes more than there is, has no answer: it goes on without work until it has unwound, and its result does not count.
/// </summary>
struct LogicBudget(int units)
{
    /// <summary>Whether the result does not count.</summary>
    public bool HasFailed { get; private set; }

    public int Left { get; private set; } = units;

    /// <returns>False when there is no answer any more.</returns>
    public bool Spend(int units = 1)
    {
        if (HasFailed) return false;
        HasFailed = units > Left;
        Left -= Math.Min(units, Left);
        return !HasFailed;
    }

    /// <summary>What JavaScript would throw for.</summary>
    public LogicValue Fail()
    {
        HasFailed = true;
        return LogicValue.Undefined;
    }

    /// <summary>A rule that has failed says nothing of the next one.</summary>
    public void Begin() => HasFailed = false;
}
