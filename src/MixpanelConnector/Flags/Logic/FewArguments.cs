using System.Text;

namespace MixpanelConnector.Flags.Logic;

/// <summary>Applies an operator of up to three arguments; missing ones are undefined.</summary>
delegate LogicValue FewArgumentsOperator(in LogicValue a, in LogicValue b, in LogicValue c, in LogicValue data, ref LogicBudget budget);

/// <summary>An operation of up to three arguments, which needs no allocation for them.</summary>
sealed class FewArguments(FewArgumentsOperator apply, LogicNode[] given) : LogicNode
{
    readonly LogicNode _a = given is [var a, ..] ? a : Nothing;
    readonly LogicNode _b = given is [_, var b, ..] ? b : Nothing;
    readonly LogicNode _c = given is [_, _, var c, ..] ? c : Nothing;
    readonly LogicNode[] _more = given is [_, _, _, .. var more] ? more : [];

    public static FewArgumentsOperator? Find(string name) => name switch
    {
        "==" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(Conversion.AreEqual(in a, in b, ref budget)),
        "!=" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(!Conversion.AreEqual(in a, in b, ref budget)),
        "===" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(Conversion.AreSame(in a, in b, ref budget)),
        "!==" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(!Conversion.AreSame(in a, in b, ref budget)),
        "<" => static (in a, in b, in c, in _, ref budget) => LogicValue.Of(Conversion.Compare(in a, in b, ref budget) < 0
            && (c.Kind is LogicKind.Undefined || Conversion.Compare(in b, in c, ref budget) < 0)),
        "<=" => static (in a, in b, in c, in _, ref budget) => LogicValue.Of(Conversion.Compare(in a, in b, ref budget) <= 0
            && (c.Kind is LogicKind.Undefined || Conversion.Compare(in b, in c, ref budget) <= 0)),
        ">" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(Conversion.Compare(in a, in b, ref budget) > 0),
        ">=" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(Conversion.Compare(in a, in b, ref budget) >= 0),
        "!" => static (in a, in _, in _, in _, ref _) => LogicValue.Of(!a.IsTrue),
        "!!" => static (in a, in _, in _, in _, ref _) => LogicValue.Of(a.IsTrue),
        "log" => static (in a, in _, in _, in _, ref _) => a,
        "in" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(IsIn(in a, in b, ref budget)),
        "substr" => Substr,
        "-" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(b.Kind is LogicKind.Undefined
            ? -Conversion.ToNumber(in a, ref budget)
            : Conversion.ToNumber(in a, ref budget) - Conversion.ToNumber(in b, ref budget)),
        "/" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(Conversion.ToNumber(in a, ref budget) / Conversion.ToNumber(in b, ref budget)),
        "%" => static (in a, in b, in _, in _, ref budget) => LogicValue.Of(Conversion.ToNumber(in a, ref budget) % Conversion.ToNumber(in b, ref budget)),
        "var" => static (in a, in b, in _, in data, ref budget) => Lookup.Var(in a, in b, in data, ref budget),
        "missing_some" => static (in a, in b, in _, in data, ref budget) => Lookup.MissingSome(in a, in b, in data, ref budget),
        _ => null,
    };

    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend()) return LogicValue.Undefined;
        var a = _a.Evaluate(in data, ref budget);
        var b = _b.Evaluate(in data, ref budget);
        var c = _c.Evaluate(in data, ref budget);
        foreach (var more in _more) more.Evaluate(in data, ref budget); // matters only if it fails
        return budget.HasFailed ? LogicValue.Undefined : apply(in a, in b, in c, in data, ref budget);
    }

    static bool IsIn(in LogicValue part, in LogicValue whole, ref LogicBudget budget)
    {
        if (whole.Kind is LogicKind.Text)
        {
            if (whole.Text.Length == 0) return false;
            var sought = Conversion.ToText(in part, ref budget);
            return budget.Spend((int)Math.Min(int.MaxValue, (1 + ((long)sought.Length / 16)) * whole.Text.Length / 16))
                && whole.Text.Contains(sought, StringComparison.Ordinal);
        }

        if (whole.Kind is not LogicKind.List) return false;
        foreach (ref readonly var item in whole.List.AsSpan())
        {
            if (!budget.Spend()) return false;
            if (Conversion.AreSame(in item, in part, ref budget)) return true;
        }

        return false;
    }

    static LogicValue Substr(in LogicValue source, in LogicValue start, in LogicValue length, in LogicValue data, ref LogicBudget budget)
    {
        var text = Conversion.ToText(in source, ref budget);
        var from = Integer(in start, 0, ref budget);
        text = text[(int)(from < 0 ? Math.Max(text.Length + from, 0) : Math.Min(from, text.Length))..];
        double count = text.Length;
        if (length.Kind is not LogicKind.Undefined && Conversion.Compare(in length, LogicValue.Of(0.0), ref budget) < 0)
        {
            // JavaScript does not add a string to the length but appends it.
            count = length.Kind is LogicKind.Number ? Math.Truncate(text.Length + length.Number)
                : Whole(JavaScriptNumber.Of(JavaScriptNumber.ToText(text.Length) + Conversion.ToText(in length, ref budget)));
        }
        else if (length.Kind is not LogicKind.Undefined)
        {
            count = Integer(in length, 0, ref budget);
        }

        text = text[..(int)Math.Clamp(count, 0, text.Length)];
        return budget.Spend(text.Length) ? LogicValue.Of(text) : LogicValue.Undefined;
    }

    static double Integer(in LogicValue value, double otherwise, ref LogicBudget budget) =>
        value.Kind is LogicKind.Undefined ? otherwise : Whole(Conversion.ToNumber(in value, ref budget));

    static double Whole(double number) => double.IsNaN(number) ? 0 : Math.Truncate(number);
}

/// <summary>Applies an operator with any number of arguments.</summary>
delegate LogicValue ManyArgumentsOperator(LogicValue[] arguments, in LogicValue data, ref LogicBudget budget);

/// <summary>An operation with any number of arguments.</summary>
sealed class ManyArguments(ManyArgumentsOperator apply, LogicNode[] given) : LogicNode
{
    public static ManyArgumentsOperator? Find(string name) => name switch
    {
        "cat" => static (values, in _, ref budget) =>
        {
            var text = new StringBuilder();
            Conversion.Join(values, "", text, depth: 1, ref budget);
            return LogicValue.Of(text.ToString());
        }
        ,
        "merge" => Merge,
        "+" => static (values, in _, ref budget) =>
        {
            var sum = 0.0;
            foreach (var value in values) sum += Conversion.ParseFloat(in value, ref budget);
            return LogicValue.Of(sum);
        }
        ,
        "*" => static (values, in _, ref budget) =>
        {
            if (values.Length < 2) return values is [var alone] ? alone : budget.Fail();
            var product = Conversion.ParseFloat(in values[0], ref budget);
            foreach (var value in values.AsSpan(1)) product *= Conversion.ParseFloat(in value, ref budget);
            return LogicValue.Of(product);
        }
        ,
        "min" => static (values, in _, ref budget) =>
        {
            var least = double.PositiveInfinity;
            foreach (var value in values) least = Math.Min(least, Conversion.ToNumber(in value, ref budget));
            return LogicValue.Of(least);
        }
        ,
        "max" => static (values, in _, ref budget) =>
        {
            var most = double.NegativeInfinity;
            foreach (var value in values) most = Math.Max(most, Conversion.ToNumber(in value, ref budget));
            return LogicValue.Of(most);
        }
        ,
        "missing" => static (values, in data, ref budget) => Lookup.Missing(values, in data, ref budget),
        "semver_compare" => static (values, in _, ref _) => LogicValue.Of(
            values is [{ Kind: LogicKind.Text } actual, { Kind: LogicKind.Text } how, { Kind: LogicKind.Text } target]
            && Versions.Hold(actual.Text, how.Text, target.Text)),
        "datetime_compare" => static (values, in _, ref _) => LogicValue.Of(
            values is [{ Kind: LogicKind.Text } actual, { Kind: LogicKind.Text } how, { Kind: LogicKind.Number } target]
            && Moments.Hold(actual.Text, how.Text, target.Number)),
        _ => null,
    };

    public override LogicValue Evaluate(in LogicValue data, ref LogicBudget budget)
    {
        if (!budget.Spend(1 + given.Length)) return LogicValue.Undefined;
        var values = given.Length == 0 ? [] : new LogicValue[given.Length];
        for (var i = 0; i < values.Length; i++) values[i] = given[i].Evaluate(in data, ref budget);
        return budget.HasFailed ? LogicValue.Undefined : apply(values, in data, ref budget);
    }

    static LogicValue Merge(LogicValue[] values, in LogicValue data, ref LogicBudget budget)
    {
        var merged = new List<LogicValue>();
        foreach (var value in values)
        {
            if (!budget.Spend(value.Kind is LogicKind.List ? value.List.Length : 1)) return LogicValue.Undefined;
            if (value.Kind is LogicKind.List) merged.AddRange(value.List);
            else merged.Add(value);
        }

        return LogicValue.OfNew(merged);
    }
}
