namespace MixpanelConnector.Flags.Logic;

/// <summary><c>if</c>: only the chosen branch is evaluated.</summary>
sealed class Choice(LogicNode[] given) : LogicNode
{
    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend()) return LogicValue.Undefined;
        var i = 0;
        for (; i < given.Length - 1; i += 2)
            if (given[i].Evaluate(in data, ref budget).IsTrue) return given[i + 1].Evaluate(in data, ref budget);
        return i < given.Length ? given[i].Evaluate(in data, ref budget) : LogicValue.Null;
    }
}

/// <summary><c>and</c>, <c>or</c>: the first value that decides, or else the last.</summary>
sealed class FirstOf(LogicNode[] given, bool truth) : LogicNode
{
    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend()) return LogicValue.Undefined;
        var value = LogicValue.Undefined;
        foreach (var node in given)
        {
            value = node.Evaluate(in data, ref budget);
            if (value.IsTrue == truth) break;
        }

        return value;
    }
}

/// <summary><c>all</c>, <c>some</c>, <c>none</c>: the truth value that ends the search, the result then, and the result for an empty list.</summary>
sealed class Search(LogicNode list, LogicNode each, bool endsOn, bool found, bool ofNone) : LogicNode
{
    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend()) return LogicValue.Undefined;
        var items = list.Evaluate(in data, ref budget);
        if (items is not { Kind: LogicKind.List, List.Length: > 0 }) return LogicValue.Of(ofNone);
        foreach (ref readonly var item in items.List.AsSpan())
        {
            if (budget.HasFailed) return LogicValue.Undefined;
            if (each.Evaluate(in item, ref budget).IsTrue == endsOn) return LogicValue.Of(found);
        }

        return LogicValue.Of(!found);
    }
}

/// <summary><c>map</c>, <c>filter</c>.</summary>
sealed class Projection(LogicNode list, LogicNode each, bool filters) : LogicNode
{
    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend()) return LogicValue.Undefined;
        var items = list.Evaluate(in data, ref budget);
        if (items.Kind is not LogicKind.List) return LogicValue.EmptyList;
        var result = new List<LogicValue>();
        foreach (ref readonly var item in items.List.AsSpan())
        {
            if (budget.HasFailed) return LogicValue.Undefined;
            var value = each.Evaluate(in item, ref budget);
            if (!filters) result.Add(value);
            else if (value.IsTrue) result.Add(item);
        }

        return LogicValue.OfNew(result);
    }
}

/// <summary><c>reduce</c>.</summary>
sealed class Reduction(LogicNode list, LogicNode each, LogicNode? initial) : LogicNode
{
    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend()) return LogicValue.Undefined;
        var items = list.Evaluate(in data, ref budget);
        var accumulated = initial is null ? LogicValue.Null : initial.Evaluate(in data, ref budget);
        if (items.Kind is not LogicKind.List) return accumulated;
        foreach (var item in items.List)
        {
            if (!budget.Spend(4)) return LogicValue.Undefined;
            accumulated = each.Evaluate(
                LogicValue.Of(new Dictionary<string, LogicValue>(2, StringComparer.Ordinal) { ["current"] = item, ["accumulator"] = accumulated }), ref budget);
        }

        return accumulated;
    }
}
