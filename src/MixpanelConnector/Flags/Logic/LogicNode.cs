namespace MixpanelConnector.Flags.Logic;

/// <summary>A part of a rule, parsed for repeated evaluation. It has no state.</summary>
abstract class LogicNode
{
    public abstract LogicValue Evaluate(in LogicValue data, ref LogicBudget budget);

    /// <summary>The value of a missing argument.</summary>
    public static readonly LogicNode Nothing = new ConstantNode(LogicValue.Undefined);

    /// <summary>Whether the rule holds; false when it fails.</summary>
    public bool Holds(in LogicValue data, ref LogicBudget budget)
    {
        var holds = Evaluate(in data, ref budget).IsTrue;
        return holds && !budget.HasFailed;
    }
}

/// <summary>A constant of the rule.</summary>
sealed class ConstantNode(LogicValue value) : LogicNode
{
    public LogicValue Value => value;

    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget) => budget.Spend() ? value : LogicValue.Undefined;
}

/// <summary>A list with items that are evaluated.</summary>
sealed class ListOf(LogicNode[] items) : LogicNode
{
    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend(1 + items.Length)) return LogicValue.Undefined;
        var values = new LogicValue[items.Length];
        for (var i = 0; i < items.Length; i++) values[i] = items[i].Evaluate(in data, ref budget);
        return LogicValue.Of(values);
    }
}

/// <summary>An unknown operator: every evaluation fails.</summary>
sealed class UnknownOperator : LogicNode
{
    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget) => budget.Fail();
}
