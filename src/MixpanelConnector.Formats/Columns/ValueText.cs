using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Import.Columns;

namespace MixpanelConnector.Formats.Columns;

/// <summary>Writes numbers, times and durations from binary formats.</summary>
/// <param name="records">The builder of the record, which is notified of invalid dates.</param>
sealed class ValueText(RecordBuilder records)
{
    /// <summary>More digits after the decimal point than <see cref="MostDecimalBytes"/> can hold.</summary>
    public const int MostScale = 154;

    public const int MostDecimalBytes = 64;

    public const int IntervalBytes = 12;

    const long SecondsPerDay = 86_400;
    const long NanosecondsPerSecond = 1_000_000_000;
    const long DaysTo2000 = 10_957;
    const long DaysPer400Years = 146_097;

    /// <summary>
    /// Writes the shortest text that round-trips. Data frames write missing values as NaN; an infinity is an out-of-range number, and rejected as such,
    /// also as an id or a name.
    /// </summary>
    /// <param name="json">The JSON to write to.</param>
    /// <param name="value">The number.</param>
    /// <param name="column">The column's name, for messages.</param>
    /// <param name="kind">How it is written.</param>
    public void WriteFloat<T>(JsonText json, T value, string column, FieldKind kind) where T : IFloatingPoint<T>
    {
        if (T.IsNaN(value)) return;
        if (T.IsFinite(value))
        {
            json.AppendFormatted(value);
            return;
        }

        if (kind is FieldKind.Text) records.IsNoNumber(new("number_range", column, "the column has an infinite number"), kind);
        json.Append(T.IsNegative(value) ? "-1e999"u8 : "1e999"u8);
    }

    /// <summary>Writes JSON. Text that is not valid JSON, and names and ids, are written as strings.</summary>
    public static void WriteJson(JsonText json, ReadOnlySpan<byte> value, FieldKind kind)
    {
        if (kind is FieldKind.Value && IsJson(value, out var isNull))
        {
            if (!isNull) json.Append(value.Trim(" \t\r\n"u8));
            return;
        }

        json.AppendString(value);
    }

    /// <summary>The digits of a decimal as a number; null when there are none, or too many.</summary>
    public static BigInteger? Unscaled(ReadOnlySpan<byte> value)
    {
        while (value is [0, < 0x80, ..] or [0xff, >= 0x80, ..]) value = value[1..]; // redundant sign bytes
        return value.Length is 0 or > MostDecimalBytes ? null : new BigInteger(value, isBigEndian: true);
    }

    /// <summary>Writes a decimal by its digits; the record is rejected when there are none, or too many.</summary>
    public void WriteDecimal(JsonText json, ReadOnlySpan<byte> value, int scale, string column, FieldKind kind)
    {
        if (Unscaled(value) is { } unscaled)
        {
            WriteDecimal(json, unscaled, scale);
            return;
        }

        records.IsNoNumber(new("number_range", column, $"the column has a decimal without digits, or with more than {MostDecimalBytes} bytes of them"), kind);
        var hex = Encoding.ASCII.GetBytes($"0x{Convert.ToHexStringLower(value)}"); // no number, and not empty, so that a replay rejects it, too
        if (kind is FieldKind.Text) json.Append(hex);
        else json.AppendString(hex);
    }

    public static void WriteDecimal(JsonText json, BigInteger unscaled, int scale)
    {
        var digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        if (unscaled.Sign < 0) json.AppendByte((byte)'-');
        json.Append(Encoding.ASCII.GetBytes(digits[..^scale]));
        if (scale == 0) return;
        json.AppendByte((byte)'.');
        json.Append(Encoding.ASCII.GetBytes(digits[^scale..]));
    }

    /// <summary>
    /// Writes months, days and milliseconds as an ISO 8601 duration. They are not converted into each other: the number of days in a month varies.
    /// </summary>
    public static void WriteInterval(JsonText json, ReadOnlySpan<byte> value)
    {
        var (months, days, milliseconds) = (BinaryPrimitives.ReadUInt32LittleEndian(value), BinaryPrimitives.ReadUInt32LittleEndian(value[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(value[8..]));
        json.Append("\"P"u8);
        Part(json, months, (byte)'M');
        Part(json, days, (byte)'D');
        if (milliseconds > 0 || (months == 0 && days == 0))
        {
            json.AppendByte((byte)'T');
            json.AppendFormatted(milliseconds / 1000m, "0.###");
            json.AppendByte((byte)'S');
        }

        json.AppendByte((byte)'"');

        static void Part(JsonText json, uint count, byte unit)
        {
            if (count == 0) return;
            json.AppendFormatted(count);
            json.AppendByte(unit);
        }
    }

    /// <summary>
    /// Writes an event's time as milliseconds since 1970, and any other time as a Mixpanel date:
    /// https://docs.mixpanel.com/docs/data-structure/property-reference/data-type.
    /// </summary>
    /// <param name="json">The JSON to write to.</param>
    /// <param name="seconds">Seconds since 1970.</param>
    /// <param name="nanoseconds">Additional nanoseconds.</param>
    /// <param name="column">The column's name, for messages.</param>
    /// <param name="kind">How it is written.</param>
    public void WriteMoment(JsonText json, long seconds, long nanoseconds, string column, FieldKind kind)
    {
        if (kind is FieldKind.Time)
        {
            json.AppendFormatted(((Int128)seconds * 1000) + (nanoseconds / 1_000_000));
            return;
        }

        var days = FloorDivide(seconds, SecondsPerDay, out var ofDay);
        json.AppendByte((byte)'"');
        AppendDate(json, days, column, Temporal.Timestamp);
        json.AppendByte((byte)'T');
        AppendTimeOfDay(json, ofDay, nanoseconds);
        json.AppendByte((byte)'"');
    }

    /// <param name="json">The JSON to write to.</param>
    /// <param name="value">Units since 1970.</param>
    /// <param name="unitsPerSecond">The number of units per second.</param>
    /// <param name="column">The column's name, for messages.</param>
    /// <param name="kind">How it is written.</param>
    public void WriteTimestamp(JsonText json, long value, long unitsPerSecond, string column, FieldKind kind)
    {
        var seconds = FloorDivide(value, unitsPerSecond, out var rest);
        WriteMoment(json, seconds, rest * (NanosecondsPerSecond / unitsPerSecond), column, kind);
    }

    /// <param name="json">The JSON to write to.</param>
    /// <param name="days">Days since 1970.</param>
    /// <param name="column">The column's name, for messages.</param>
    /// <param name="kind">How it is written.</param>
    public void WriteDate(JsonText json, int days, string column, FieldKind kind)
    {
        if (kind is FieldKind.Time)
        {
            json.AppendFormatted(days * SecondsPerDay * 1000);
            return;
        }

        json.AppendByte((byte)'"');
        AppendDate(json, days, column, Temporal.Date);
        json.AppendByte((byte)'"');
    }

    /// <param name="json">The JSON to write to.</param>
    /// <param name="value">Units since midnight.</param>
    /// <param name="unitsPerSecond">The number of units per second.</param>
    /// <param name="column">The column's name, for messages.</param>
    public void WriteTimeOfDay(JsonText json, long value, long unitsPerSecond, string column)
    {
        var seconds = FloorDivide(value, unitsPerSecond, out var rest);
        if (seconds is < 0 or > SecondsPerDay) records.IsOutOfRange(column, Temporal.TimeOfDay);
        json.AppendByte((byte)'"');
        AppendTimeOfDay(json, seconds, rest * (NanosecondsPerSecond / unitsPerSecond));
        json.AppendByte((byte)'"');
    }

    public static long FloorDivide(long value, long by, out long rest)
    {
        var (quotient, remainder) = Math.DivRem(value, by);
        if (remainder < 0) (quotient, remainder) = (quotient - 1, remainder + by);
        rest = remainder;
        return quotient;
    }

    /// <summary>
    /// Writes a date. An infinity, or a year outside the supported range, makes the record invalid but is still written, to show what was there.
    /// </summary>
    void AppendDate(JsonText json, long days, string column, Temporal temporal)
    {
        // The calendar repeats every 400 years.
        var cycles = FloorDivide(days - DaysTo2000, DaysPer400Years, out var ofCycle);
        var date = new DateOnly(2000, 1, 1).AddDays((int)ofCycle);
        var year = date.Year + (cycles * 400);
        if (year is < 1 or > 9999)
        {
            records.IsOutOfRange(column, temporal);
            if (year > 9999) json.AppendByte((byte)'+');
        }

        json.AppendFormatted(year, "0000");
        json.AppendFormatted(date, "'-'MM'-'dd");
    }

    static void AppendTimeOfDay(JsonText json, long seconds, long nanoseconds)
    {
        json.AppendFormatted(seconds / 3600, "00");
        json.AppendByte((byte)':');
        json.AppendFormatted(seconds / 60 % 60, "00");
        json.AppendByte((byte)':');
        json.AppendFormatted(seconds % 60, "00");
        if (nanoseconds == 0) return;
        json.AppendByte((byte)'.');
        json.AppendFormatted(nanoseconds, "000000000");
        while (json.Written[^1] == (byte)'0') json.CutTo(json.Length - 1);
    }

    static bool IsJson(ReadOnlySpan<byte> value, out bool isNull)
    {
        isNull = false;
        if (!Utf8.IsValid(value)) return false;
        try
        {
            var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = 1000 });
            if (!reader.Read()) return false;
            isNull = reader.TokenType is JsonTokenType.Null;
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
