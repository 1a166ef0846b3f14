using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Source;
using ParquetSharp;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>How the values of each type are written.</summary>
/// <param name="most">How many values of a leaf are decoded at a time.</param>
/// <param name="records">What they are written into: it is told of dates that are none.</param>
sealed class ParquetValues(int most, RecordBuilder records)
{
    public int Most => most;

    const int MostDecimalBytes = 64;
    const int MostScale = 154; // more digits than these bytes hold
    const long SecondsPerDay = 86_400;
    const long NanosecondsPerSecond = 1_000_000_000;
    const long JulianDayOf1970 = 2_440_588;
    const long DaysTo2000 = 10_957;
    const long DaysPer400Years = 146_097;

    /// <summary>Ends the decoding of values, of which one record may have very many.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <param name="field">The leaf.</param>
    /// <param name="kind">How its values are written.</param>
    /// <param name="meaning">What they mean, where that is not what the file says.</param>
    /// <exception cref="InputException">No JSON stands for values of this type.</exception>
    public ParquetLeaf LeafOf(ParquetField field, FieldKind kind, ParquetMeaning? meaning = null) => (field.Type, meaning ?? field.Meaning) switch
    {
        (_, ParquetMeaning.Unknown) => throw Unsupported(field),
        (PhysicalType.Boolean, ParquetMeaning.None or ParquetMeaning.Nothing) => Leaf<bool>(field, kind, static (json, value, _) => json.Append(value ? "true"u8 : "false"u8)),
        (PhysicalType.Int32, ParquetMeaning.None or ParquetMeaning.Nothing) => Leaf<int>(field, kind, static (json, value, _) => json.AppendFormatted(value)),
        (PhysicalType.Int32, ParquetMeaning.Unsigned) => Leaf<int>(field, kind, static (json, value, _) => json.AppendFormatted((uint)value)),
        (PhysicalType.Int32, ParquetMeaning.Decimal) => Leaf<int>(field, kind, DecimalOf<int>(field, static value => value)),
        (PhysicalType.Int32, ParquetMeaning.Date) => Leaf<int>(field, kind, (json, value, use) => WriteDate(json, value, field, use), quotes: true),
        (PhysicalType.Int32, ParquetMeaning.Time) => Leaf<int>(field, kind, (json, value, _) => WriteTimeOfDay(json, value, field), quotes: true),
        (PhysicalType.Int64, ParquetMeaning.None or ParquetMeaning.Nothing) => Leaf<long>(field, kind, static (json, value, _) => json.AppendFormatted(value)),
        (PhysicalType.Int64, ParquetMeaning.Unsigned) => Leaf<long>(field, kind, static (json, value, _) => json.AppendFormatted((ulong)value)),
        (PhysicalType.Int64, ParquetMeaning.Decimal) => Leaf<long>(field, kind, DecimalOf<long>(field, static value => value)),
        (PhysicalType.Int64, ParquetMeaning.Time) => Leaf<long>(field, kind, (json, value, _) => WriteTimeOfDay(json, value, field), quotes: true),
        (PhysicalType.Int64, ParquetMeaning.Timestamp) => Leaf<long>(field, kind, (json, value, use) => WriteTimestamp(json, value, field, use), quotes: true),
        (PhysicalType.Int96, _) => Leaf<Int96>(field, kind, (json, value, use) => WriteInt96(json, value, field, use), quotes: true),
        (PhysicalType.Float, ParquetMeaning.None or ParquetMeaning.Nothing) => Leaf<float>(field, kind, static (json, value, _) => WriteFloat(json, value)),
        (PhysicalType.Double, ParquetMeaning.None or ParquetMeaning.Nothing) => Leaf<double>(field, kind, static (json, value, _) => WriteFloat(json, value)),
        (PhysicalType.ByteArray, ParquetMeaning.None or ParquetMeaning.Nothing or ParquetMeaning.Text) => Leaf<ByteArray>(field, kind, static (json, value, _) => json.AppendString(Bytes(value)), quotes: true),
        (PhysicalType.ByteArray, ParquetMeaning.Json) => Leaf<ByteArray>(field, kind, static (json, value, use) => WriteJson(json, Bytes(value), use), quotes: true),
        (PhysicalType.ByteArray, ParquetMeaning.Decimal) => Leaf<ByteArray>(field, kind, DecimalOf<ByteArray>(field, value => Unscaled(Bytes(value), field))),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.None or ParquetMeaning.Nothing or ParquetMeaning.Text) => Fixed(field, kind, static (json, value, _) => json.AppendString(value), quotes: true),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.Decimal) when field.TypeLength <= MostDecimalBytes => Leaf<FixedLenByteArray>(field, kind, DecimalOf<FixedLenByteArray>(field, value => Unscaled(Bytes(value, field), field))),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.Uuid) when field.TypeLength == 16 => Fixed(field, kind, static (json, value, _) => Quoted(json, new Guid(value, bigEndian: true), "D"), quotes: true),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.Half) when field.TypeLength == 2 => Fixed(field, kind, static (json, value, _) => WriteFloat(json, BinaryPrimitives.ReadHalfLittleEndian(value))),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.Interval) when field.TypeLength == 12 => Fixed(field, kind, static (json, value, _) => WriteInterval(json, value), quotes: true),
        _ => throw Unsupported(field),
    };

    public static InputException Unsupported(ParquetField field) => new($"has the column {field.Path} of a type that is not supported. Leave it out with --drop, or write it as text");

    delegate void BytesWriter(JsonText json, ReadOnlySpan<byte> value, FieldKind kind);

    ParquetLeaf<T> Leaf<T>(ParquetField field, FieldKind kind, ValueWriter<T> write, bool quotes = false) where T : unmanaged => new(field, kind, this, write, quotes);

    ParquetLeaf<FixedLenByteArray> Fixed(ParquetField field, FieldKind kind, BytesWriter write, bool quotes = false) => Leaf<FixedLenByteArray>(field, kind, (json, value, use) => write(json, Bytes(value, field), use), quotes);

    static unsafe ReadOnlySpan<byte> Bytes(ByteArray value) => new((void*)value.Pointer, value.Length);

    static unsafe ReadOnlySpan<byte> Bytes(FixedLenByteArray value, ParquetField field) => new((void*)value.Pointer, field.TypeLength);

    static void Quoted<T>(JsonText json, T value, string format) where T : IUtf8SpanFormattable
    {
        json.AppendByte((byte)'"');
        json.AppendFormatted(value, format);
        json.AppendByte((byte)'"');
    }

    /// <summary>The shortest text that gives the same number again. NaN is how data frames write what is missing; an infinity is a number out of range, and refused as such.</summary>
    static void WriteFloat<T>(JsonText json, T value) where T : IFloatingPoint<T>
    {
        if (T.IsNaN(value)) return;
        if (T.IsFinite(value)) json.AppendFormatted(value);
        else json.Append(T.IsNegative(value) ? "-1e999"u8 : "1e999"u8);
    }

    /// <summary>What is no JSON all the same, and names and ids, are text.</summary>
    static void WriteJson(JsonText json, ReadOnlySpan<byte> value, FieldKind kind)
    {
        if (kind is FieldKind.Value && IsJson(value, out var isNull))
        {
            if (!isNull) json.Append(value.Trim(" \t\r\n"u8));
            return;
        }

        json.AppendString(value);
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

    static ValueWriter<T> DecimalOf<T>(ParquetField field, Func<T, BigInteger> unscaled)
    {
        if (field.Scale is < 0 or > MostScale) throw Unsupported(field);
        return (json, value, _) => WriteDecimal(json, unscaled(value), field.Scale);
    }

    static BigInteger Unscaled(ReadOnlySpan<byte> value, ParquetField field)
    {
        while (value is [0, < 0x80, ..] or [0xff, >= 0x80, ..]) value = value[1..]; // only the sign again
        if (value.Length is 0 or > MostDecimalBytes) throw ParquetPages.Damaged(field, "has a decimal without digits, or with more than it can have");
        return new BigInteger(value, isBigEndian: true);
    }

    static void WriteDecimal(JsonText json, BigInteger unscaled, int scale)
    {
        var digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        if (unscaled.Sign < 0) json.AppendByte((byte)'-');
        json.Append(System.Text.Encoding.ASCII.GetBytes(digits[..^scale]));
        if (scale == 0) return;
        json.AppendByte((byte)'.');
        json.Append(System.Text.Encoding.ASCII.GetBytes(digits[^scale..]));
    }

    /// <summary>As ISO 8601 writes durations. Its parts do not make up for each other: a month has no fixed number of days.</summary>
    static void WriteInterval(JsonText json, ReadOnlySpan<byte> value)
    {
        var (months, days, milliseconds) = (BinaryPrimitives.ReadUInt32LittleEndian(value), BinaryPrimitives.ReadUInt32LittleEndian(value[4..]), BinaryPrimitives.ReadUInt32LittleEndian(value[8..]));
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

    /// <summary>An event's time as milliseconds since 1970, any other as Mixpanel writes dates: https://docs.mixpanel.com/docs/data-structure/property-reference/data-type.</summary>
    void WriteMoment(JsonText json, long seconds, long nanoseconds, ParquetField field, FieldKind kind)
    {
        if (kind is FieldKind.Time)
        {
            json.AppendFormatted(((Int128)seconds * 1000) + (nanoseconds / 1_000_000));
            return;
        }

        var days = FloorDivide(seconds, SecondsPerDay, out var ofDay);
        json.AppendByte((byte)'"');
        AppendDate(json, days, field);
        json.AppendByte((byte)'T');
        AppendTimeOfDay(json, ofDay, nanoseconds);
        json.AppendByte((byte)'"');
    }

    void WriteTimestamp(JsonText json, long value, ParquetField field, FieldKind kind)
    {
        var seconds = FloorDivide(value, field.UnitsPerSecond, out var rest);
        WriteMoment(json, seconds, rest * (NanosecondsPerSecond / field.UnitsPerSecond), field, kind);
    }

    /// <summary>Nanoseconds of a day, and the day in Julian days.</summary>
    void WriteInt96(JsonText json, Int96 value, ParquetField field, FieldKind kind)
    {
        var ofDay = ((long)value.B << 32) | (uint)value.A;
        var seconds = FloorDivide(ofDay, NanosecondsPerSecond, out var nanoseconds);
        WriteMoment(json, ((value.C - JulianDayOf1970) * SecondsPerDay) + seconds, nanoseconds, field, kind);
    }

    void WriteDate(JsonText json, int days, ParquetField field, FieldKind kind)
    {
        if (kind is FieldKind.Time)
        {
            json.AppendFormatted(days * SecondsPerDay * 1000);
            return;
        }

        json.AppendByte((byte)'"');
        AppendDate(json, days, field);
        json.AppendByte((byte)'"');
    }

    void WriteTimeOfDay(JsonText json, long value, ParquetField field)
    {
        var seconds = FloorDivide(value, field.UnitsPerSecond, out var rest);
        if (seconds is < 0 or > SecondsPerDay) records.Fault ??= new("date_range", field.Path, "the column has a time that no day has");
        json.AppendByte((byte)'"');
        AppendTimeOfDay(json, seconds, rest * (NanosecondsPerSecond / field.UnitsPerSecond));
        json.AppendByte((byte)'"');
    }

    /// <summary>Infinities, and what a program left that knows other years, make a record that is refused, and still say what was there.</summary>
    void AppendDate(JsonText json, long days, ParquetField field)
    {
        // The calendar repeats itself.
        var cycles = FloorDivide(days - DaysTo2000, DaysPer400Years, out var ofCycle);
        var date = new DateOnly(2000, 1, 1).AddDays((int)ofCycle);
        var year = date.Year + (cycles * 400);
        if (year is < 1 or > 9999)
        {
            records.Fault ??= new("date_range", field.Path, "the column has a date that is infinite, or outside the years 1 to 9999");
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

    static long FloorDivide(long value, long by, out long rest)
    {
        var (quotient, remainder) = Math.DivRem(value, by);
        if (remainder < 0) (quotient, remainder) = (quotient - 1, remainder + by);
        rest = remainder;
        return quotient;
    }
}
