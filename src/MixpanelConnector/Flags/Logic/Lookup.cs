using System.Globalization;

namespace MixpanelConnector.Flags.Logic;

/// <summary><c>var</c>, <c>missing</c> and <c>missing_some</c>: look up the data at a path.</summary>
static class Lookup
{
    /// <summary>Returns the value at a path; undefined when there is none.</summary>
    public static LogicValue Find(in LogicValue data, ReadOnlySpan<string> path)
    {
        var value = data;
        foreach (var name in path)
        {
            value = Member(in value, name);
            if (value.Kind is LogicKind.Undefined) return value;
        }

        return value;
    }

    public static LogicValue Var(in LogicValue path, in LogicValue otherwise, in LogicValue data, ref LogicBudget budget)
    {
        if (path.IsNothing || path is { Kind: LogicKind.Text, Text.Length: 0 }) return data;
        var text = Conversion.ToText(in path, ref budget);
        return budget.Spend(text.Length) ? Found(Find(in data, text.Split('.')), in otherwise) : LogicValue.Undefined;
    }

    public static LogicValue Found(in LogicValue value, in LogicValue otherwise) =>
        value.Kind is not LogicKind.Undefined ? value : otherwise.Kind is LogicKind.Undefined ? LogicValue.Null : otherwise;

    /// <summary>Returns the names whose value is null or empty. The first name may be the list of all names.</summary>
    public static LogicValue Missing(LogicValue[] names, in LogicValue data, ref LogicBudget budget)
    {
        if (names is [{ Kind: LogicKind.List } all, ..]) names = all.List;
        var missing = new List<LogicValue>();
        foreach (var name in names)
        {
            if (!budget.Spend()) return LogicValue.Undefined;
            // A list contains a path and a default value, as for var.
            var value = name.Kind is not LogicKind.List ? Var(in name, LogicValue.Undefined, in data, ref budget)
                : Var(name.List is [var path, ..] ? path : LogicValue.Undefined, name.List is [_, var otherwise, ..] ? otherwise : LogicValue.Undefined,
                    in data, ref budget);
            if (value is { Kind: LogicKind.Null } or { Kind: LogicKind.Text, Text.Length: 0 }) missing.Add(name);
        }

        return LogicValue.OfNew(missing);
    }

    public static LogicValue MissingSome(in LogicValue needed, in LogicValue names, in LogicValue data, ref LogicBudget budget)
    {
        if (names.IsNothing) return budget.Fail();
        var missing = Missing(names.Kind is LogicKind.List ? names.List : [names], in data, ref budget);
        if (missing.Kind is not LogicKind.List) return missing;
        double? length = names.Kind switch { LogicKind.List => names.List.Length, LogicKind.Text => names.Text.Length, _ => null };
        return length is { } all && Conversion.Compare(LogicValue.Of(all - missing.List.Length), in needed, ref budget) >= 0 ? LogicValue.EmptyList : missing;
    }

    static LogicValue Member(in LogicValue value, string name) => value.Kind switch
    {
        LogicKind.Object => value.Members.GetValueOrDefault(name),
        LogicKind.List when name == "length" => LogicValue.Of(value.List.Length),
        LogicKind.List => Index(name, value.List.Length) is { } at ? value.List[at] : LogicValue.Undefined,
        LogicKind.Text when name == "length" => LogicValue.Of(value.Text.Length),
        LogicKind.Text => Index(name, value.Text.Length) is { } at ? LogicValue.Of(value.Text[at].ToString()) : LogicValue.Undefined,
        _ => LogicValue.Undefined,
    };

    static int? Index(string name, int length) =>
        name.Length is > 0 and < 10 && (name[0] != '0' || name.Length == 1) && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            && at < length
            ? at
            : null;
}

/// <summary><c>var</c> with a constant path: needs no allocation.</summary>
sealed class VarOf(string[] path, LogicNode otherwise) : LogicNode
{
    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend(1 + path.Length)) return LogicValue.Undefined;
        var instead = otherwise.Evaluate(in data, ref budget);
        return Lookup.Found(Lookup.Find(in data, path), in instead);
    }
}
