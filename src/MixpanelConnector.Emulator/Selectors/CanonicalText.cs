using System.Globalization;
using System.Text;

namespace MixpanelConnector.Emulator.Selectors;

/// <summary>Writes an expression with all parentheses, so that its meaning does not depend on precedence.</summary>
static class CanonicalText
{
    public static string Of(Expression expression)
    {
        var text = new StringBuilder();
        Write(text, expression);
        return text.ToString();
    }

    public static string OfText(string value) =>
        $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>The shortest decimal text that round-trips, never with an exponent, which the grammar does not support.</summary>
    public static string OfNumber(double value)
    {
        if (value == 0) return "0";
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var mark = shortest.IndexOf('E', StringComparison.Ordinal);
        if (mark < 0) return shortest;

        var exponent = int.Parse(shortest.AsSpan(mark + 1), CultureInfo.InvariantCulture);
        var sign = value < 0 ? "-" : "";
        var digits = shortest[sign.Length..mark].Replace(".", "", StringComparison.Ordinal);
        // A mantissa has one digit before the decimal point, so the point moves by the exponent from there.
        return exponent < 0
            ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : $"{sign}{digits.PadRight(exponent + 1, '0')}";
    }

    public static string NameOf(Function function) => function switch
    {
        Function.Floor => "floor",
        Function.Round => "round",
        Function.Ceil => "ceil",
        Function.Boolean => "boolean",
        Function.Number => "number",
        Function.String => "string",
        Function.Defined => "defined",
        Function.List => "list",
        Function.DateTime => "datetime",
        _ => "has_prefix",
    };

    static void Write(StringBuilder text, Expression expression)
    {
        switch (expression)
        {
            case Literal literal:
                text.Append(literal.Value);
                break;
            case PropertyRead property:
                text.Append(NameOf(property.Reference.Root)).Append('[').Append(OfText(property.Reference.Name)).Append(']');
                break;
            case Now:
                text.Append("NOW");
                break;
            case Variable variable:
                text.Append(variable.Name);
                break;
            case ListOf list:
                WriteAll(text, "[", list.Items, ", ", "]");
                break;
            case Negation negation:
                text.Append("(-");
                Write(text, negation.Operand);
                text.Append(')');
                break;
            case Not not:
                text.Append("(not ");
                Write(text, not.Operand);
                text.Append(')');
                break;
            case Arithmetic arithmetic:
                text.Append('(');
                Write(text, arithmetic.First);
                foreach (var step in arithmetic.Steps.Items)
                {
                    text.Append(SymbolOf(step.Operator));
                    Write(text, step.Operand);
                }
                text.Append(')');
                break;
            case Comparison comparison:
                text.Append('(');
                Write(text, comparison.Left);
                text.Append(SymbolOf(comparison.Operator));
                Write(text, comparison.Right);
                text.Append(')');
                break;
            case Logical logical:
                WriteAll(text, "(", logical.Operands, logical.Operator == LogicalOperator.And ? " and " : " or ", ")");
                break;
            case Call call:
                WriteAll(text, NameOf(call.Function) + "(", call.Arguments, ", ", ")");
                break;
            case AnyElement any:
                WriteAll(text, $"any({any.Variable}, ", new([any.List, any.Condition]), ", ", ")");
                break;
        }
    }

    static void WriteAll(StringBuilder text, string open, Sequence<Expression> expressions, string separator, string close)
    {
        text.Append(open);
        for (var index = 0; index < expressions.Count; index++)
        {
            if (index > 0) text.Append(separator);
            Write(text, expressions[index]);
        }
        text.Append(close);
    }

    static string NameOf(PropertyRoot root) => root switch
    {
        PropertyRoot.Properties => "properties",
        PropertyRoot.User => "user",
        PropertyRoot.Event => "event",
        _ => "behaviors",
    };

    static string SymbolOf(ArithmeticOperator kind) => kind switch
    {
        ArithmeticOperator.Add => " + ",
        ArithmeticOperator.Subtract => " - ",
        ArithmeticOperator.Multiply => " * ",
        ArithmeticOperator.Divide => " / ",
        _ => " % ",
    };

    static string SymbolOf(ComparisonOperator kind) => kind switch
    {
        ComparisonOperator.Equal => " == ",
        ComparisonOperator.NotEqual => " != ",
        ComparisonOperator.Greater => " > ",
        ComparisonOperator.GreaterOrEqual => " >= ",
        ComparisonOperator.Less => " < ",
        ComparisonOperator.LessOrEqual => " <= ",
        _ => " in ",
    };
}
