using System.Buffers.Binary;
using System.Numerics;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Source;
using ParquetSharp;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>Creates the leaves that write the values of each type.</summary>
/// <param name="most">The number of values of a leaf that are decoded at a time.</param>
/// <param name="records">The builder of the record, which is notified of invalid dates.</param>
/// <param name="words">How messages refer to settings.</param>
sealed class ParquetValues(int most, RecordBuilder records, MessageWords words)
{
    public int Most => most;

    const long SecondsPerDay = 86_400;
    const long NanosecondsPerSecond = 1_000_000_000;
    const long JulianDayOf1970 = 2_440_588;

    readonly ValueText _text = new(records);

    /// <summary>Cancels decoding, since one record may have very many values.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <param name="field">The leaf.</param>
    /// <param name="kind">How its values are written.</param>
    /// <param name="meaning">The meaning of the values, if it differs from that in the file.</param>
    /// <exception cref="InputException">JSON cannot represent values of this type.</exception>
    public ParquetLeaf LeafOf(ParquetField field, FieldKind kind, ParquetMeaning? meaning = null) => (field.Type, meaning ?? field.Meaning) switch
    {
        (_, ParquetMeaning.Unknown) => throw Unsupported(field),
        (PhysicalType.Boolean, ParquetMeaning.None or ParquetMeaning.Nothing) =>
            Leaf<bool>(field, kind, static (json, value, _) => json.Append(value ? "true"u8 : "false"u8)),
        (PhysicalType.Int32, ParquetMeaning.None or ParquetMeaning.Nothing) => Leaf<int>(field, kind, static (json, value, _) => json.AppendFormatted(value)),
        (PhysicalType.Int32, ParquetMeaning.Unsigned) => Leaf<int>(field, kind, static (json, value, _) => json.AppendFormatted((uint)value)),
        (PhysicalType.Int32, ParquetMeaning.Decimal) => Leaf<int>(field, kind, DecimalOf<int>(field, static value => value)),
        (PhysicalType.Int32, ParquetMeaning.Date) => Leaf<int>(field, kind, (json, value, use) => _text.WriteDate(json, value, field.Path, use), quotes: true),
        (PhysicalType.Int32, ParquetMeaning.Time) =>
            Leaf<int>(field, kind, (json, value, _) => _text.WriteTimeOfDay(json, value, field.UnitsPerSecond, field.Path), quotes: true),
        (PhysicalType.Int64, ParquetMeaning.None or ParquetMeaning.Nothing) => Leaf<long>(field, kind, static (json, value, _) => json.AppendFormatted(value)),
        (PhysicalType.Int64, ParquetMeaning.Unsigned) => Leaf<long>(field, kind, static (json, value, _) => json.AppendFormatted((ulong)value)),
        (PhysicalType.Int64, ParquetMeaning.Decimal) => Leaf<long>(field, kind, DecimalOf<long>(field, static value => value)),
        (PhysicalType.Int64, ParquetMeaning.Time) =>
            Leaf<long>(field, kind, (json, value, _) => _text.WriteTimeOfDay(json, value, field.UnitsPerSecond, field.Path), quotes: true),
        (PhysicalType.Int64, ParquetMeaning.Timestamp) =>
            Leaf<long>(field, kind, (json, value, use) => _text.WriteTimestamp(json, value, field.UnitsPerSecond, field.Path, use), quotes: true),
        (PhysicalType.Int96, _) => Leaf<Int96>(field, kind, (json, value, use) => WriteInt96(json, value, field, use), quotes: true),
        (PhysicalType.Float, ParquetMeaning.None or ParquetMeaning.Nothing) =>
            Leaf<float>(field, kind, (json, value, use) => _text.WriteFloat(json, value, field.Path, use)),
        (PhysicalType.Double, ParquetMeaning.None or ParquetMeaning.Nothing) =>
            Leaf<double>(field, kind, (json, value, use) => _text.WriteFloat(json, value, field.Path, use)),
        (PhysicalType.ByteArray, ParquetMeaning.None or ParquetMeaning.Nothing or ParquetMeaning.Text) =>
            Leaf<ByteArray>(field, kind, static (json, value, _) => json.AppendString(Bytes(value)), quotes: true),
        (PhysicalType.ByteArray, ParquetMeaning.Json) =>
            Leaf<ByteArray>(field, kind, static (json, value, use) => ValueText.WriteJson(json, Bytes(value), use), quotes: true),
        (PhysicalType.ByteArray, ParquetMeaning.Decimal) => Leaf<ByteArray>(field, kind, DecimalOf<ByteArray>(field, value => Unscaled(Bytes(value), field))),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.None or ParquetMeaning.Nothing or ParquetMeaning.Text) =>
            Fixed(field, kind, static (json, value, _) => json.AppendString(value), quotes: true),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.Decimal) when field.TypeLength <= ValueText.MostDecimalBytes =>
            Leaf<FixedLenByteArray>(field, kind, DecimalOf<FixedLenByteArray>(field, value => Unscaled(Bytes(value, field), field))),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.Uuid) when field.TypeLength == 16 =>
            Fixed(field, kind, static (json, value, _) => Quoted(json, new Guid(value, bigEndian: true), "D"), quotes: true),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.Half) when field.TypeLength == 2 =>
            Fixed(field, kind, (json, value, use) => _text.WriteFloat(json, BinaryPrimitives.ReadHalfLittleEndian(value), field.Path, use)),
        (PhysicalType.FixedLenByteArray, ParquetMeaning.Interval) when field.TypeLength == ValueText.IntervalBytes =>
            Fixed(field, kind, static (json, value, _) => ValueText.WriteInterval(json, value), quotes: true),
        _ => throw Unsupported(field),
    };

    public InputException Unsupported(ParquetField field) =>
        new($"has the column {field.Path} of a type that is not supported. Leave it out with {words[Setting.Drop]}, or write it as text");

    delegate void BytesWriter(JsonText json, ReadOnlySpan<byte> value, FieldKind kind);

    ParquetLeaf<T> Leaf<T>(ParquetField field, FieldKind kind, ValueWriter<T> write, bool quotes = false) where T : unmanaged =>
        new(field, kind, this, write, quotes);

    ParquetLeaf<FixedLenByteArray> Fixed(ParquetField field, FieldKind kind, BytesWriter write, bool quotes = false) =>
        Leaf<FixedLenByteArray>(field, kind, (json, value, use) => write(json, Bytes(value, field), use), quotes);

    static unsafe ReadOnlySpan<byte> Bytes(ByteArray value) => new((void*)value.Pointer, value.Length);

    static unsafe ReadOnlySpan<byte> Bytes(FixedLenByteArray value, ParquetField field) => new((void*)value.Pointer, field.TypeLength);

    static void Quoted<T>(JsonText json, T value, string format) where T : IUtf8SpanFormattable
    {
        json.AppendByte((byte)'"');
        json.AppendFormatted(value, format);
        json.AppendByte((byte)'"');
    }

    ValueWriter<T> DecimalOf<T>(ParquetField field, Func<T, BigInteger> unscaled)
    {
        if (field.Scale is < 0 or > ValueText.MostScale) throw Unsupported(field);
        return (json, value, _) => ValueText.WriteDecimal(json, unscaled(value), field.Scale);
    }

    static BigInteger Unscaled(ReadOnlySpan<byte> value, ParquetField field) =>
        ValueText.Unscaled(value) ?? throw ParquetPages.Damaged(field, "has a decimal without digits, or with too many");

    /// <summary>Writes nanoseconds of a day and a Julian day.</summary>
    void WriteInt96(JsonText json, Int96 value, ParquetField field, FieldKind kind)
    {
        var ofDay = ((long)value.B << 32) | (uint)value.A;
        var seconds = ValueText.FloorDivide(ofDay, NanosecondsPerSecond, out var nanoseconds);
        _text.WriteMoment(json, ((value.C - JulianDayOf1970) * SecondsPerDay) + seconds, nanoseconds, field.Path, kind);
    }
}
