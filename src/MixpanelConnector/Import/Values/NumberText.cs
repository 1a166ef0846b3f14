using System.Buffers.Text;

namespace MixpanelConnector.Import.Values;

/// <summary>Recognizes text that is a number and survives a round-trip through JSON unchanged. Results are valid until the next call.</summary>
/// <param name="separator">The decimal separator: a point or a comma.</param>
sealed class NumberText(char separator)
{
    // JSON numbers are transported as doubles: beyond these limits, a number would change.
    const long LargestInteger = 1L << 53;
    const int MostDigits = 17;
    const int LongestNumber = 32;

    readonly byte[] _literal = new byte[LongestNumber];

    /// <summary>
    /// Whether the text is a JSON number literal, apart from its decimal separator.
    /// If that is a comma, a point is rejected: it need not be a thousands separator.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="exponents">As in <see cref="IsLiteral"/>.</param>
    /// <param name="literal">The number as JSON.</param>
    public bool TryRead(ReadOnlySpan<byte> text, bool exponents, out ReadOnlySpan<byte> literal)
    {
        literal = text;
        if (separator == '.') return IsLiteral(text, exponents);
        if (text.Length > LongestNumber || text.Contains((byte)'.')) return false;
        text.Replace(_literal, (byte)separator, (byte)'.');
        literal = _literal.AsSpan(0, text.Length);
        return IsLiteral(literal, exponents);
    }

    /// <summary>
    /// Whether the text is a JSON number literal that a double can represent: <c>1.10</c>
    /// is; <c>007</c>, <c>+1</c>, <c>1,000</c> and a long account number are not.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="exponents">Whether to accept <c>12E5</c>, which may also be an identifier.</param>
    public static bool IsLiteral(ReadOnlySpan<byte> text, bool exponents)
    {
        if (text.Length is 0 or > LongestNumber || text[^1] is < (byte)'0' or > (byte)'9') return false;
        var rest = text[0] == '-' ? text[1..] : text;
        var whole = Digits(rest);
        if (whole == 0 || (whole > 1 && rest[0] == '0')) return false;
        if (whole == rest.Length) return Utf8Parser.TryParse(text, out long integer, out _) && integer is >= -LargestInteger and <= LargestInteger;

        var mantissa = rest[..whole];
        if (rest[whole] == '.')
        {
            var fraction = Digits(rest[(whole + 1)..]);
            if (fraction == 0) return false;
            mantissa = rest[..(whole + 1 + fraction)];
        }

        rest = rest[mantissa.Length..];
        if (!rest.IsEmpty)
        {
            if (!exponents || rest[0] is not ((byte)'e' or (byte)'E')) return false;
            rest = rest[1..];
            if (rest is [(byte)'+' or (byte)'-', ..]) rest = rest[1..];
            if (rest.IsEmpty || Digits(rest) != rest.Length) return false;
        }

        var significant = mantissa.TrimStart("0."u8);
        if (significant.Length - (significant.Contains((byte)'.') ? 1 : 0) > MostDigits) return false;
        return Utf8Parser.TryParse(text, out double value, out var used) && used == text.Length && double.IsFinite(value)
            && (value != 0 || significant.IsEmpty);
    }

    static int Digits(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return end < 0 ? text.Length : end;
    }
}
