using System.Text;

namespace MixpanelConnector.Flags.Logic;

/// <summary>JavaScript's type conversions, and its comparisons across types.</summary>
static class Conversion
{
    // Nested lists in JSON are not that deep; those that a rule builds could be.
    const int DeepestList = 100;

    /// <summary><c>Number(value)</c>.</summary>
    public static double ToNumber(in LogicValue value, ref LogicBudget budget)
    {
        switch (value.Kind)
        {
            case LogicKind.Boolean or LogicKind.Number:
                return value.Number;
            case LogicKind.Null:
                return 0;
            case LogicKind.Undefined:
                return double.NaN;
            default:
                var text = ToText(in value, ref budget);
                return budget.Spend(text.Length) ? JavaScriptNumber.Of(text) : double.NaN;
        }
    }

    /// <summary><c>parseFloat(value)</c>.</summary>
    public static double ParseFloat(in LogicValue value, ref LogicBudget budget)
    {
        if (value.Kind is LogicKind.Number) return value.Number;
        var text = ToText(in value, ref budget);
        return budget.Spend(text.Length) ? JavaScriptNumber.AtTheBeginningOf(text) : double.NaN;
    }

    /// <summary><c>String(value)</c>.</summary>
    public static string ToText(in LogicValue value, ref LogicBudget budget)
    {
        switch (value.Kind)
        {
            case LogicKind.Text:
                return value.Text;
            case LogicKind.Number:
                return JavaScriptNumber.ToText(value.Number);
            case LogicKind.Boolean:
                return value.Number != 0 ? "true" : "false";
            case LogicKind.Null:
                return "null";
            case LogicKind.Undefined:
                return "undefined";
            case LogicKind.Object:
                return "[object Object]";
            default:
                var text = new StringBuilder();
                Join(value.List, ",", text, depth: 1, ref budget);
                return text.ToString();
        }
    }

    /// <summary><c>list.join(separator)</c>: null and undefined are empty.</summary>
    public static void Join(ReadOnlySpan<LogicValue> list, string separator, StringBuilder text, int depth, ref LogicBudget budget)
    {
        if (depth > DeepestList)
        {
            budget.Fail();
            return;
        }

        for (var i = 0; i < list.Length && budget.Spend(); i++)
        {
            if (i > 0) text.Append(separator);
            ref readonly var item = ref list[i];
            if (item.IsNothing) continue;
            if (item.Kind is LogicKind.List)
            {
                Join(item.List, ",", text, depth + 1, ref budget);
                continue;
            }

            var part = ToText(in item, ref budget);
            if (budget.Spend(part.Length)) text.Append(part);
        }
    }

    /// <summary><c>==</c>.</summary>
    public static bool AreEqual(in LogicValue one, in LogicValue other, ref LogicBudget budget)
    {
        if (one.IsNothing || other.IsNothing) return one.IsNothing && other.IsNothing;
        if (one.Kind == other.Kind || (one.IsReference && other.IsReference)) return AreSame(in one, in other, ref budget);
        if (one.IsReference) return AreEqual(LogicValue.Of(ToText(in one, ref budget)), in other, ref budget);
        if (other.IsReference) return AreEqual(in one, LogicValue.Of(ToText(in other, ref budget)), ref budget);
        return ToNumber(in one, ref budget) == ToNumber(in other, ref budget);
    }

    /// <summary><c>===</c>.</summary>
    public static bool AreSame(in LogicValue one, in LogicValue other, ref LogicBudget budget) =>
        (one.Kind is not LogicKind.Text || other.Kind is not LogicKind.Text || one.Text.Length != other.Text.Length || budget.Spend(one.Text.Length / 16))
            && one.IsSameAs(in other);

    /// <summary>Compares for <c>&lt;</c> and similar operators; returns null where the values cannot be compared.</summary>
    public static int? Compare(in LogicValue one, in LogicValue other, ref LogicBudget budget)
    {
        if (one.IsReference) return Compare(LogicValue.Of(ToText(in one, ref budget)), in other, ref budget);
        if (other.IsReference) return Compare(in one, LogicValue.Of(ToText(in other, ref budget)), ref budget);
        if (one.Kind is LogicKind.Text && other.Kind is LogicKind.Text)
            return budget.Spend(Math.Min(one.Text.Length, other.Text.Length) / 16) ? string.CompareOrdinal(one.Text, other.Text) : null;
        var (left, right) = (ToNumber(in one, ref budget), ToNumber(in other, ref budget));
        return left < right ? -1 : left > right ? 1 : left == right ? 0 : null;
    }
}
