using System.Globalization;

namespace MixpanelConnector.Flags.Logic;

/// <summary>Parses and formats numbers like JavaScript.</summary>
static class JavaScriptNumber
{
    /// <summary><c>Number(text)</c>.</summary>
    public static double Of(string text)
    {
        var trimmed = Trim(text);
        if (trimmed.IsEmpty) return 0;
        if (trimmed is ['0', 'x' or 'X' or 'o' or 'O' or 'b' or 'B', _, ..])
            return OfDigits(trimmed[2..], trimmed[1] switch { 'x' or 'X' => 16, 'o' or 'O' => 8, _ => 2 });
        var length = DecimalLength(trimmed);
        return length > 0 && length == trimmed.Length ? Parse(trimmed) : double.NaN;
    }

    /// <summary><c>parseFloat(text)</c>: the number at the start of the text.</summary>
    public static double AtTheBeginningOf(string text)
    {
        var trimmed = Trim(text);
        var length = DecimalLength(trimmed);
        return length > 0 ? Parse(trimmed[..length]) : double.NaN;
    }

    /// <summary><c>String(number)</c>: the fewest digits that round-trip.</summary>
    public static string ToText(double number)
    {
        if (double.IsNaN(number)) return "NaN";
        if (double.IsInfinity(number)) return number > 0 ? "Infinity" : "-Infinity";
        if (number == 0) return "0";
        if (Math.Abs(number) < 1e15 && number == Math.Truncate(number)) return ((long)number).ToString(CultureInfo.InvariantCulture);

        // "E16" always has the form d.ddddE+xxx; R yields the fewest digits, in one of several forms.
        var shortest = number.ToString("R", CultureInfo.InvariantCulture);
        var (mantissa, exponent) = shortest.Split('E') is [var m, var e] ? (m, int.Parse(e, CultureInfo.InvariantCulture)) : (shortest, 0);
        var sign = mantissa[0] is '-' ? "-" : "";
        mantissa = mantissa[sign.Length..];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal) is >= 0 and var at ? at : mantissa.Length;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        point += exponent - (all.Length - digits.Length); // 0.ddd x 10^point
        digits = digits.TrimEnd('0');
        return sign + point switch
        {
            > 0 and <= 21 when digits.Length <= point => digits.PadRight(point, '0'),
            > 0 and <= 21 => $"{digits[..point]}.{digits[point..]}",
            > -6 and <= 0 => $"0.{new string('0', -point)}{digits}",
            _ => $"{digits[0]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{(point > 0 ? "+" : "-")}{Math.Abs(point - 1).ToString(CultureInfo.InvariantCulture)}",
        };
    }

    /// <summary>Trims white space, as JavaScript defines it, from both ends.</summary>
    public static ReadOnlySpan<char> Trim(ReadOnlySpan<char> text)
    {
        while (text is [var first, ..] && IsWhite(first)) text = text[1..];
        while (text is [.., var last] && IsWhite(last)) text = text[..^1];
        return text;
    }

    static bool IsWhite(char character) => character is '\uFEFF' || (char.IsWhiteSpace(character) && character is not '\u0085');

    static double Parse(ReadOnlySpan<char> text) => text switch
    {
        "Infinity" or "+Infinity" => double.PositiveInfinity,
        "-Infinity" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture),
    };

    static double OfDigits(ReadOnlySpan<char> digits, int radix)
    {
        var number = 0.0;
        foreach (var digit in digits)
        {
            var value = char.IsAsciiHexDigit(digit) ? char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10 : radix;
            if (value >= radix) return double.NaN;
            number = (number * radix) + value;
        }

        return number;
    }

    /// <summary>Returns the number of leading characters that form a decimal number.</summary>
    static int DecimalLength(ReadOnlySpan<char> text)
    {
        var at = text is ['+' or '-', ..] ? 1 : 0;
        if (text[at..].StartsWith("Infinity", StringComparison.Ordinal)) return at + "Infinity".Length;
        var whole = Digits(text[at..]);
        at += whole;
        var fraction = 0;
        if (text[at..] is ['.', ..])
        {
            fraction = Digits(text[(at + 1)..]);
            if (whole + fraction > 0) at += 1 + fraction;
        }

        if (whole + fraction == 0) return 0;
        if (text[at..] is not ['e' or 'E', .. var power]) return at;
        var sign = power is ['+' or '-', ..] ? 1 : 0;
        var digits = Digits(power[sign..]);
        return digits == 0 ? at : at + 1 + sign + digits;
    }

    static int Digits(ReadOnlySpan<char> text) => text.IndexOfAnyExceptInRange('0', '9') is >= 0 and var end ? end : text.Length;
}
