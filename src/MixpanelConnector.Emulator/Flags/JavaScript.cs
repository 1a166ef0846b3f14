using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Flags;

/// <summary>
/// Values as JavaScript compares and converts them, because rules are written for it: null, <see cref="Undefined"/>, <c>bool</c>, <c>double</c>, <c>string</c>,
/// a list, or a dictionary.
/// </summary>
static class JavaScript
{
    const int LongestDepth = 100, LongestText = 1_000_000;

    /// <summary>A missing argument.</summary>
    public static readonly object Undefined = new();

    /// <summary>Converts JSON to values, with strings in lower case.</summary>
    /// <param name="json">The JSON.</param>
    /// <param name="ofData">Whether names of members are converted to lower case too; in a rule they are operators.</param>
    public static object? Lowered(JsonElement json, bool ofData)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var members = new Dictionary<string, object?>(StringComparer.Ordinal);
                foreach (var member in json.EnumerateObject())
                    members[ofData ? member.Name.ToLowerInvariant() : member.Name] = Lowered(member.Value, ofData);
                return members;
            case JsonValueKind.Array:
                return json.EnumerateArray().Select(element => Lowered(element, ofData)).ToList();
            case JsonValueKind.String:
                return json.GetString()!.ToLowerInvariant();
            case JsonValueKind.Number:
                return json.GetDouble();
            case JsonValueKind.True or JsonValueKind.False:
                return json.GetBoolean();
            default:
                return null;
        }
    }

    /// <summary>JsonLogic's truthiness: as in JavaScript, except that an empty list is false.</summary>
    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        bool truth => truth,
        double number => number != 0 && !double.IsNaN(number),
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        _ => value != Undefined,
    };

    /// <summary><c>===</c>.</summary>
    public static bool AreSame(object? one, object? other) => (one, other) switch
    {
        (string a, string b) => string.Equals(a, b, StringComparison.Ordinal),
        (double a, double b) => a == b,
        (bool a, bool b) => a == b,
        _ => ReferenceEquals(one, other),
    };

    /// <summary><c>==</c>.</summary>
    public static bool AreEqual(object? one, object? other)
    {
        if (IsNothing(one) || IsNothing(other)) return IsNothing(one) && IsNothing(other);
        if (one is string && other is string || IsObject(one) && IsObject(other)) return AreSame(one, other);
        (one, other) = (Primitive(one), Primitive(other));
        return one is string && other is string ? AreSame(one, other) : ToNumber(one) == ToNumber(other);
    }

    /// <summary>Whether one is less, equal or greater, for <c>&lt;</c> and similar operators; null if they cannot be compared.</summary>
    public static int? Compare(object? one, object? other)
    {
        (one, other) = (Primitive(one), Primitive(other));
        if (one is string a && other is string b) return string.CompareOrdinal(a, b);
        var (left, right) = (ToNumber(one), ToNumber(other));
        return double.IsNaN(left) || double.IsNaN(right) ? null : left.CompareTo(right) is var order && left == right ? 0 : order;
    }

    /// <summary><c>Number(value)</c>.</summary>
    public static double ToNumber(object? value) => Primitive(value) switch
    {
        null => 0,
        bool truth => truth ? 1 : 0,
        double number => number,
        string text => ToNumber(Trim(text)),
        _ => double.NaN,
    };

    /// <summary><c>parseFloat(value)</c>: the number at the start of the text.</summary>
    public static double ParseFloat(object? value)
    {
        var text = Trim(ToText(value)).AsSpan();
        var sign = text.StartsWith('-') ? -1 : 1;
        var unsigned = text.StartsWith('-') || text.StartsWith('+') ? text[1..] : text;
        if (unsigned.StartsWith("Infinity", StringComparison.Ordinal)) return sign * double.PositiveInfinity;
        var length = DecimalLength(unsigned);
        return length == 0 ? double.NaN : sign * double.Parse(unsigned[..length], NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    /// <summary><c>String(value)</c>.</summary>
    public static string ToText(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        double number => ToText(number),
        string text => text,
        List<object?> list => Write(list, new StringBuilder(), depth: 1).ToString(),
        Dictionary<string, object?> => "[object Object]",
        _ => "undefined",
    };

    /// <summary>A list built by a rule may contain the same list many times.</summary>
    static StringBuilder Write(List<object?> list, StringBuilder text, int depth)
    {
        if (depth > LongestDepth) throw new JsonLogicException("the rule makes a list that is too deep");
        for (var index = 0; index < list.Count; index++)
        {
            text.Append(index > 0 ? "," : "");
            if (list[index] is List<object?> inner) Write(inner, text, depth + 1);
            else if (!IsNothing(list[index])) text.Append(ToText(list[index]));
            if (text.Length > LongestText) throw new JsonLogicException("the rule makes a text that is too long");
        }
        return text;
    }

    public static string ToText(double number)
    {
        if (double.IsNaN(number)) return "NaN";
        if (double.IsInfinity(number)) return number > 0 ? "Infinity" : "-Infinity";
        if (number == 0) return "0";
        // The shortest digits that round-trip, and the position of the decimal point.
        var shortest = Math.Abs(number).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var all = shortest[0].Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        var point = (shortest[0].Contains('.', StringComparison.Ordinal)
            ? shortest[0].IndexOf('.', StringComparison.Ordinal)
            : all.Length) - (all.Length - digits.Length);
        point += shortest.Length > 1 ? int.Parse(shortest[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        digits = digits.TrimEnd('0');
        var text = new StringBuilder(number < 0 ? "-" : "");
        if (point is > 0 and <= 21)
        {
            text.Append(digits.Length <= point ? digits.PadRight(point, '0') : digits.Insert(point, "."));
        }
        else if (point is > -6 and <= 0)
        {
            text.Append("0.").Append('0', -point).Append(digits);
        }
        else
        {
            text.Append(digits.Length == 1 ? digits : digits.Insert(1, ".")).Append(point > 0 ? "e+" : "e-").Append(Math.Abs(point - 1));
        }
        return text.ToString();
    }

    public static bool IsNothing(object? value) => value is null || value == Undefined;

    static bool IsObject(object? value) => value is List<object?> or Dictionary<string, object?>;

    static object? Primitive(object? value) => IsObject(value) ? ToText(value) : value;

    /// <summary>Trims white space as JavaScript defines it: including a byte order mark, but not U+0085.</summary>
    internal static string Trim(string text)
    {
        var (start, end) = (0, text.Length);
        while (start < end && IsWhite(text[start]))
            start++;
        while (end > start && IsWhite(text[end - 1]))
            end--;
        return text[start..end];
    }

    static bool IsWhite(char character) => character == '\uFEFF' || char.IsWhiteSpace(character) && character != '\u0085';

    static double ToNumber(string text)
    {
        if (text.Length == 0) return 0;
        if (text.Length > 2 && text[0] == '0' && char.ToLowerInvariant(text[1]) is var kind and ('x' or 'o' or 'b'))
            return ToNumber(text.AsSpan(2), kind switch { 'x' => 16, 'o' => 8, _ => 2 });
        var unsigned = text.AsSpan(text[0] is '+' or '-' ? 1 : 0);
        if (unsigned is "Infinity") return text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        return unsigned.Length > 0 && DecimalLength(unsigned) == unsigned.Length ? ParseFloat(text) : double.NaN;
    }

    static double ToNumber(ReadOnlySpan<char> digits, int radix)
    {
        var number = 0.0;
        foreach (var digit in digits)
        {
            var value = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : radix;
            if (value >= radix) return double.NaN;
            number = number * radix + value;
        }
        return number;
    }

    /// <summary>The length of the unsigned decimal number at the start of a text.</summary>
    static int DecimalLength(ReadOnlySpan<char> text)
    {
        var whole = Digits(text);
        var length = whole;
        if (length < text.Length && text[length] == '.')
        {
            var fraction = Digits(text[(length + 1)..]);
            if (whole + fraction == 0) return 0;
            length += 1 + fraction;
        }
        if (length == 0 || length >= text.Length || text[length] is not ('e' or 'E')) return length;
        var exponent = text[(length + 1)..];
        var sign = exponent.Length > 0 && exponent[0] is '+' or '-' ? 1 : 0;
        var power = Digits(exponent[sign..]);
        return power == 0 ? length : length + 1 + sign + power;
    }

    static int Digits(ReadOnlySpan<char> text) => text.IndexOfAnyExceptInRange('0', '9') is var end and >= 0 ? end : text.Length;
}
