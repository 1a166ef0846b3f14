using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <summary>Helpers for JSON values.</summary>
static class JsonValues
{
    const long LargestExact = 1L << 53;

    static readonly SearchValues<byte> Escaped = SearchValues.Create([.. Enumerable.Range(0, 32).Select(control => (byte)control), (byte)'"', (byte)'\\']);

    /// <summary>Unescapes a string, given without its quotes.</summary>
    /// <exception cref="InvalidOperationException">It contains an unpaired surrogate.</exception>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> text)
    {
        byte[] quoted = [(byte)'"', .. escaped, (byte)'"'];
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.CopyString(text);
    }

    /// <inheritdoc cref="Unescape"/>
    public static ReadOnlySpan<byte> Unescaped(ReadOnlySpan<byte> escaped)
    {
        var text = new byte[escaped.Length];
        return text.AsSpan(0, Unescape(escaped, text));
    }

    /// <summary>
    /// Whether a number is changed by conversion to a double, or beyond its range: integers
    /// above 2^53, which are ids, and numbers beyond all doubles. They stay exact only as text.
    /// </summary>
    public static bool IsInexact(ReadOnlySpan<byte> number)
    {
        if (number.IndexOfAny((byte)'e', (byte)'E') >= 0) return !double.IsFinite(double.Parse(number, CultureInfo.InvariantCulture));
        var whole = number.IndexOf((byte)'.') is var point and >= 0 ? number[..point] : number;
        if (whole.Length < 16) return false;
        return !System.Buffers.Text.Utf8Parser.TryParse(whole, out long value, out var used) || used != whole.Length
            || value is > LargestExact or < -LargestExact;
    }

    /// <summary>Whether a text is a JSON number.</summary>
    public static bool IsNumber(ReadOnlySpan<byte> text)
    {
        if (text is [] or { Length: > 64 } || text[0] is not ((byte)'-' or (>= (byte)'0' and <= (byte)'9'))) return false;
        try
        {
            var reader = new Utf8JsonReader(text);
            return reader.Read() && reader.TokenType is JsonTokenType.Number && reader.BytesConsumed == text.Length
                && double.IsFinite(double.Parse(text, CultureInfo.InvariantCulture));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether a text as written in JSON is blank, or is an empty object or list.</summary>
    public static bool IsBlank(ReadOnlySpan<byte> text) =>
        text.IsEmpty || (text[0] is <= (byte)' ' or (byte)'[' or (byte)'{' or (byte)'\\' && IsBlankText(text));

    static bool IsBlankText(ReadOnlySpan<byte> text)
    {
        if (text.Contains((byte)'\\')) text = Unescaped(text);
        text = text.Trim(" \t\r\n"u8);
        return text.IsEmpty || text.SequenceEqual("[]"u8) || text.SequenceEqual("{}"u8);
    }

    /// <summary>Whether two scalars, as written in JSON without quotes, are equal as texts or as numbers.</summary>
    public static bool AreSame(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) =>
        one.SequenceEqual(other)
        || (IsNumber(one) && IsNumber(other) && !IsInexact(one) && !IsInexact(other)
            && double.Parse(one, CultureInfo.InvariantCulture).Equals(double.Parse(other, CultureInfo.InvariantCulture)));

    /// <summary>Whether a text needs no escapes between quotes.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> text) => text.IndexOfAny(Escaped) < 0;
}
