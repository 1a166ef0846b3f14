using System.Buffers.Text;
using System.Text;
using MixpanelConnector.Formats.Columns;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>The value of a cell: cells have no types, so what their text looks like decides.</summary>
static class Cell
{
    // JSON's numbers are doubles on their way: beyond these, a number would not arrive as it was written.
    const long LargestInteger = 1L << 53;
    const int MostDigits = 17;
    const int LongestNumber = 32;

    public static void Write(JsonText json, ReadOnlySpan<byte> cell, FieldKind kind)
    {
        if (cell.IsEmpty) return;
        if (kind is not FieldKind.Text)
        {
            if (IsNumber(cell))
            {
                json.Append(cell);
                return;
            }

            if (kind is FieldKind.Value && cell.Length is 4 or 5 && AsBoolean(cell) is { } boolean)
            {
                json.Append(boolean ? "true"u8 : "false"u8);
                return;
            }
        }

        json.AppendString(cell);
    }

    static bool? AsBoolean(ReadOnlySpan<byte> cell) =>
        Ascii.EqualsIgnoreCase(cell, "true"u8) ? true : Ascii.EqualsIgnoreCase(cell, "false"u8) ? false : null;

    /// <summary>Whether the text is a number literal of JSON that a double holds: <c>1.10</c> is, <c>007</c>, <c>+1</c>, <c>1,000</c> and a long account number are not.</summary>
    public static bool IsNumber(ReadOnlySpan<byte> cell)
    {
        if (cell.Length is 0 or > LongestNumber || cell[^1] is < (byte)'0' or > (byte)'9') return false;
        var rest = cell[0] == '-' ? cell[1..] : cell;
        var whole = Digits(rest);
        if (whole == 0 || (whole > 1 && rest[0] == '0')) return false;
        if (whole == rest.Length) return Utf8Parser.TryParse(cell, out long integer, out _) && integer is >= -LargestInteger and <= LargestInteger;

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
            if (rest[0] is not ((byte)'e' or (byte)'E')) return false;
            rest = rest[1..];
            if (rest is [(byte)'+' or (byte)'-', ..]) rest = rest[1..];
            if (rest.IsEmpty || Digits(rest) != rest.Length) return false;
        }

        var significant = mantissa.TrimStart("0."u8);
        if (significant.Length - (significant.Contains((byte)'.') ? 1 : 0) > MostDigits) return false;
        return Utf8Parser.TryParse(cell, out double value, out var used) && used == cell.Length && double.IsFinite(value) && (value != 0 || significant.IsEmpty);
    }

    static int Digits(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return end < 0 ? text.Length : end;
    }
}
