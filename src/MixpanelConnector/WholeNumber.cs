using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace MixpanelConnector;

/// <summary>
/// An integer in the sense of JSON Schema: any number without a fraction, in any notation (<c>10</c>, <c>10.0</c>, <c>1e1</c>), exact to the last digit.
/// </summary>
static class WholeNumber
{
    // The number of digits of the largest 64-bit number.
    const int MostDigits = 19;

    /// <summary>Returns false for a fraction, and for a number that does not fit in 64 bits.</summary>
    public static bool TryRead(JsonElement number, out long value) => number.TryGetInt64(out value) || TryRead(JsonMarshal.GetRawUtf8Value(number), out value);

    /// <summary>Returns false for a fraction, and for a number that does not fit in 64 bits.</summary>
    /// <param name="json">A number.</param>
    /// <param name="value">The number.</param>
    public static bool TryRead(ReadOnlySpan<byte> json, out long value)
    {
        value = 0;
        var isNegative = json[0] == '-';
        var number = isNegative ? json[1..] : json;
        var end = number.IndexOfAny((byte)'e', (byte)'E');
        var mantissa = end < 0 ? number : number[..end];
        var point = mantissa.IndexOf((byte)'.');
        var whole = point < 0 ? mantissa : mantissa[..point];
        var fraction = point < 0 ? default : mantissa[(point + 1)..].TrimEnd((byte)'0');

        // All digits from the first to the last that is not 0, and the number of zeros that follow them.
        long zeros = -fraction.Length;
        if (fraction.IsEmpty)
        {
            zeros = whole.Length;
            whole = whole.TrimEnd((byte)'0');
            zeros -= whole.Length;
        }

        whole = whole.TrimStart((byte)'0');
        if (whole.IsEmpty) fraction = fraction.TrimStart((byte)'0');
        var count = whole.Length + fraction.Length;
        if (count == 0) return true;
        if (end >= 0)
        {
            if (!int.TryParse(number[(end + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent)) return false;
            zeros += exponent;
        }

        if (zeros < 0 || count + zeros > MostDigits) return false;
        Span<byte> digits = stackalloc byte[1 + MostDigits];
        digits.Fill((byte)'0');
        if (isNegative) digits[0] = (byte)'-';
        whole.CopyTo(digits[1..]);
        fraction.CopyTo(digits[(1 + whole.Length)..]);
        return long.TryParse(digits[..(1 + count + (int)zeros)], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }
}
