using System.Buffers.Text;

namespace MixpanelConnector.Import.Values;

/// <summary>Tells which text is a number, that arrives as it was written. What was made is good until the next call.</summary>
/// <param name="separator">What stands before the decimals: a point or a comma.</param>
sealed class NumberText(char separator)
{
    // JSON's numbers are doubles on their way: beyond these, a number would not arrive as it was written.
    const long LargestInteger = 1L << 53;
    const int MostDigits = 17;
    const int LongestNumber = 32;

    readonly byte[] _literal = new byte[LongestNumber];

    /// <summary>Whether the text is a number literal of JSON, but for its separator. Nobody says that a point, where it is a comma, parts thousands.</summary>
    /// <param name="text">The text.</param>
    /// <param name="exponents">As in <see cref="IsLiteral"/>.</param>
    /// <param name="literal">It, as JSON.</param>
    public bool TryRead(ReadOnlySpan<byte> text, bool exponents, out ReadOnlySpan<byte> literal)
    {
        literal = text;
        if (separator == '.') return IsLiteral(text, exponents);
        if (text.Length > LongestNumber || text.Contains((byte)'.')) return false;
        text.Replace(_literal, (byte)separator, (byte)'.');
        literal = _literal.AsSpan(0, text.Length);
        return IsLiteral(literal, exponents);
    }

    /// <summary>Whether the text is a number literal of JSON that a double holds: <c>1.10</c> is, <c>007</c>, <c>+1</c>, <c>1,000</c> and a long account number are not.</summary>
    /// <param name="text">The text.</param>
    /// <param name="exponents">Whether <c>12E5</c> is one, too: who does not say so may have an identifier.</param>
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
        return Utf8Parser.TryParse(text, out double value, out var used) && used == text.Length && double.IsFinite(value) && (value != 0 || significant.IsEmpty);
    }

    static int Digits(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return end < 0 ? text.Length : end;
    }
}
