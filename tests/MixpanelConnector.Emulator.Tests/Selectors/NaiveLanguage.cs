using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MixpanelConnector.Emulator.Tests.Selectors;

/// <summary>
/// A second implementation of the language, written from its rules and sharing no code with the product: an oracle for random expressions.
/// A value is a bool, a double, a string, a <see cref="Moment"/>, a list of values, a JSON object, null, or <see cref="Missing"/>.
/// </summary>
static partial class NaiveLanguage
{
    public static readonly object Missing = new();

    public sealed record Moment(double Seconds);

    public sealed class Refused : Exception;

    public sealed record Environment(JsonElement Properties, double Now, double OffsetSeconds, ImmutableDictionary<string, object?> Variables);

    /// <summary>An expression: its text, the precedence of that text, and how to compute its value.</summary>
    public sealed record Node(string Text, Tightness Tightness, Func<Environment, object?> ValueIn);

    public enum Tightness
    {
        Or,
        And,
        Not,
        Comparison,
        Sum,
        Product,
        Sign,
        Whole,
    }

    static string At(Tightness needed, Node node) => node.Tightness >= needed ? node.Text : $"({node.Text})";

    public static Node Parenthesised(Node node) => new($"( {node.Text} )", Tightness.Whole, node.ValueIn);

    public static Node Number(string digits) => new(digits, Tightness.Whole, _ => double.Parse(digits, CultureInfo.InvariantCulture));

    public static Node Text(string value) => new(Quoted(value), Tightness.Whole, _ => value);

    public static Node Boolean(bool value) => new(value ? "true" : "false", Tightness.Whole, _ => value);

    public static Node Property(string name) => new(
        $"properties[{Quoted(name)}]",
        Tightness.Whole,
        environment => environment.Properties.TryGetProperty(name, out var value) ? FromJson(value) : Missing);

    public static Node Now() => new("NOW", Tightness.Whole, environment => environment.Now);

    public static Node Variable(string name) => new(name, Tightness.Whole, environment => environment.Variables[name]);

    public static Node List(Node[] items) => new(
        $"[{string.Join(" , ", items.Select(item => item.Text))}]",
        Tightness.Whole,
        environment => items.Select(item => item.ValueIn(environment)).ToList());

    public static Node Call(string function, params Node[] arguments) => new(
        $"{function}({string.Join(',', arguments.Select(argument => argument.Text))})",
        Tightness.Whole,
        environment => Apply(function, [.. arguments.Select(argument => argument.ValueIn(environment))], environment));

    public static Node Any(string variable, Node list, Node condition) => new(
        $"any({variable}, {list.Text}, {condition.Text})",
        Tightness.Whole,
        environment => list.ValueIn(environment) is List<object?> items
            ? items.Any(item => True(condition.ValueIn(environment with { Variables = environment.Variables.SetItem(variable, item) })))
            : Missing);

    public static Node Minus(Node operand) => new(
        $"-{At(Tightness.Sign, operand)}",
        Tightness.Sign,
        environment => operand.ValueIn(environment) is double number ? -number : Missing);

    public static Node Not(Node operand) => new(
        $"not {At(Tightness.Not, operand)}",
        Tightness.Not,
        environment => operand.ValueIn(environment) switch
        {
            bool value => !value,
            var value => value == Missing ? true : Missing,
        });

    public static Node And(Node left, Node right) => new(
        $"{At(Tightness.And, left)} and {At(Tightness.Not, right)}",
        Tightness.And,
        environment => True(left.ValueIn(environment)) && True(right.ValueIn(environment)));

    public static Node Or(Node left, Node right) => new(
        $"{At(Tightness.Or, left)} OR {At(Tightness.And, right)}",
        Tightness.Or,
        environment => True(left.ValueIn(environment)) || True(right.ValueIn(environment)));

    public static Node Binary(string symbol, Node left, Node right)
    {
        var tightness = symbol switch
        {
            "+" or "-" => Tightness.Sum,
            "*" or "/" or "%" => Tightness.Product,
            _ => Tightness.Comparison,
        };
        // A comparison accepts no comparison on either side; the others accept their own kind on the left.
        var onTheLeft = tightness == Tightness.Comparison ? Tightness.Sum : tightness;
        return new(
            $"{At(onTheLeft, left)} {symbol} {At(tightness + 1, right)}",
            tightness,
            environment => Operate(symbol, left.ValueIn(environment), right.ValueIn(environment)));
    }

    static bool True(object? value) => value is bool known ? known : value == Missing ? false : throw new Refused();

    static object? Operate(string symbol, object? left, object? right)
    {
        if (symbol is "==" or "!=") return Same(left, right) == (symbol == "==");
        if (symbol == "in")
        {
            if (right is List<object?> items) return items.Exists(item => Same(item, left));
            return left is string part && right is string whole ? whole.Contains(part, StringComparison.Ordinal) : Missing;
        }
        if (symbol is ">" or ">=" or "<" or "<=")
        {
            double? order = (left, right) switch
            {
                (double a, double b) => a - b,
                (Moment a, Moment b) => a.Seconds - b.Seconds,
                (string a, string b) => StringComparer.Ordinal.Compare(a, b),
                _ => null,
            };
            return order is null ? Missing : symbol switch
            {
                ">" => order > 0,
                ">=" => order >= 0,
                "<" => order < 0,
                _ => order <= 0,
            };
        }
        if (symbol == "+" && left is string first && right is string second) return first + second;
        if (left is not double x || right is not double y) return Missing;
        return Finite(symbol switch
        {
            "+" => x + y,
            "-" => x - y,
            "*" => x * y,
            "/" => x / y,
            _ => Math.CopySign(Math.Abs(x) % Math.Abs(y), x),
        });
    }

    static object Finite(double number) => double.IsFinite(number) ? number : Missing;

    static bool Same(object? left, object? right) => (left, right) switch
    {
        (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(pair => Same(pair.First, pair.Second)),
        (JsonElement a, JsonElement b) => a.GetRawText() == b.GetRawText(),
        _ => Equals(left, right),
    };

    static object? Apply(string function, object?[] arguments, Environment environment)
    {
        var value = arguments[0];
        switch (function)
        {
            case "floor":
                return value is double floor ? Math.Floor(floor) : Missing;
            case "ceil":
                return value is double ceil ? Math.Ceiling(ceil) : Missing;
            case "round":
                return value is double round ? Math.CopySign(Math.Floor(Math.Abs(round)) + (Math.Abs(round) % 1 >= 0.5 ? 1 : 0), round) : Missing;
            case "defined":
                return value is not null && value != Missing;
            case "boolean":
                return value is not (null or false or 0.0 or "" or "false") && value != Missing;
            case "number":
                return value switch
                {
                    double => value,
                    true => 1.0,
                    false => 0.0,
                    string text when Decimal().IsMatch(text) => Finite(double.Parse(text, CultureInfo.InvariantCulture)),
                    _ => Missing,
                };
            case "string":
                var written = value switch
                {
                    null or string => value,
                    double number => Written(number),
                    true => "true",
                    false => "false",
                    _ => Missing,
                };
                return written == Missing && arguments.Length == 2 ? Apply("string", [arguments[1]], environment) : written;
            case "list":
                return value is null || value == Missing ? Missing : value as List<object?> ?? [value];
            case "datetime":
                return value switch
                {
                    Moment => value,
                    double and < 1 => Missing,
                    double and <= 4294967295 and var seconds => new Moment(Math.Floor(seconds)),
                    double milliseconds => new Moment(Math.Floor(milliseconds / 1000)),
                    string text => Read(text, environment.OffsetSeconds),
                    _ => Missing,
                };
            case "has_prefix":
                return value is string whole && arguments[1] is string prefix ? whole.AsSpan().CommonPrefixLength(prefix) == prefix.Length : Missing;
            default:
                throw new ArgumentException($"no function {function}", nameof(function));
        }
    }

    static object Read(string text, double offsetSeconds)
    {
        if (!DateAndTime().IsMatch(text)) return Missing;
        int[] parts = [.. text.Split('-', 'T', ':').Select(part => int.Parse(part, CultureInfo.InvariantCulture)), 0, 0, 0];
        try
        {
            var utc = new DateTime(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], DateTimeKind.Utc);
            return new Moment((utc - DateTime.UnixEpoch).TotalSeconds - offsetSeconds);
        }
        catch (ArgumentOutOfRangeException)
        {
            return Missing;
        }
    }

    static string Written(double number)
    {
        var shortest = (number + 0.0).ToString("R", CultureInfo.InvariantCulture).Split('E');
        if (number == 0) return "0";
        if (shortest.Length == 1) return shortest[0];
        var exponent = int.Parse(shortest[1], CultureInfo.InvariantCulture);
        var decimals = shortest[0].Length - 1 - shortest[0].IndexOf('.', StringComparison.Ordinal);
        decimals = shortest[0].Contains('.', StringComparison.Ordinal) ? decimals : 0;
        var digits = BigInteger.Parse(shortest[0].Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        if (exponent >= decimals) return (digits * BigInteger.Pow(10, exponent - decimals)).ToString(CultureInfo.InvariantCulture);
        var fraction = BigInteger.Abs(digits).ToString(CultureInfo.InvariantCulture).PadLeft(decimals - exponent, '0');
        return (number < 0 ? "-" : "") + "0." + fraction;
    }

    static object? FromJson(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => json.GetDouble(),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Array => json.EnumerateArray().Select(FromJson).ToList(),
        _ => json,
    };

    static string Quoted(string value) => $"\"{string.Concat(value.Select(character => character is '"' or '\\' ? $"\\{character}" : $"{character}"))}\"";

    [GeneratedRegex(@"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^[0-9]{4}(-[0-9]{2}){2}(T[0-9]{2}(:[0-9]{2}){2})?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex DateAndTime();
}
