using System.Globalization;
using System.Numerics;
using System.Text;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Source;
using Parquet.Data;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>The values of a leaf in a row group, and how each type is written.</summary>
abstract class ParquetValues
{
    public abstract int Count { get; }

    /// <summary>Writes a value; false when JSON has nothing for it.</summary>
    public abstract bool Write(JsonText json, int index, FieldKind kind);

    /// <exception cref="InputException">The type has no JSON.</exception>
    public static ParquetValues Of(RawColumnData data, string column) => data switch
    {
        RawColumnData<ReadOnlyMemory<byte>> values => new Values<ReadOnlyMemory<byte>>(values, static (json, value, _) => json.AppendString(value.Span), quotes: true),
        RawColumnData<bool> values => new Values<bool>(values, static (json, value, _) => json.Append(value ? "true"u8 : "false"u8)),
        RawColumnData<sbyte> values => Number(values),
        RawColumnData<byte> values => Number(values),
        RawColumnData<short> values => Number(values),
        RawColumnData<ushort> values => Number(values),
        RawColumnData<int> values => Number(values),
        RawColumnData<uint> values => Number(values),
        RawColumnData<long> values => Number(values),
        RawColumnData<ulong> values => Number(values),
        RawColumnData<float> values => new Values<float>(values, static (json, value, _) => WriteFloat(json, value)),
        RawColumnData<double> values => new Values<double>(values, static (json, value, _) => WriteFloat(json, value)),
        RawColumnData<decimal> values => Number(values),
        RawColumnData<BigDecimal> values => new Values<BigDecimal>(values, static (json, value, _) => WriteDecimal(json, value)),
        RawColumnData<DateTime> values => new Values<DateTime>(values, WriteTime, quotes: true),
        RawColumnData<DateOnly> values => new Values<DateOnly>(values, WriteDate, quotes: true),
        RawColumnData<TimeOnly> values => new Values<TimeOnly>(values, static (json, value, _) => Quoted(json, value, "HH':'mm':'ss.FFFFFFF"), quotes: true),
        RawColumnData<TimeSpan> values => new Values<TimeSpan>(values, static (json, value, _) => Quoted(json, value, "c"), quotes: true),
        RawColumnData<Guid> values => new Values<Guid>(values, static (json, value, _) => Quoted(json, value, "D"), quotes: true),
        _ => throw new InputException($"has a column of a type that is not supported: {column}"),
    };

    delegate void Writer<T>(JsonText json, T value, FieldKind kind);

    static Values<T> Number<T>(RawColumnData<T> values) where T : struct, IUtf8SpanFormattable => new(values, static (json, value, _) => json.AppendFormatted(value));

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

    static void WriteDecimal(JsonText json, BigDecimal value)
    {
        var digits = BigInteger.Abs(value.UnscaledValue).ToString(CultureInfo.InvariantCulture).PadLeft(value.Scale + 1, '0');
        if (value.UnscaledValue.Sign < 0) json.AppendByte((byte)'-');
        json.Append(Encoding.ASCII.GetBytes(digits[..^value.Scale]));
        if (value.Scale == 0) return;
        json.AppendByte((byte)'.');
        json.Append(Encoding.ASCII.GetBytes(digits[^value.Scale..]));
    }

    /// <summary>An event's time as milliseconds since 1970, any other as Mixpanel writes dates: https://docs.mixpanel.com/docs/data-structure/property-reference/data-type.</summary>
    static void WriteTime(JsonText json, DateTime value, FieldKind kind)
    {
        if (kind is FieldKind.Time) json.AppendFormatted((value.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond);
        else Quoted(json, value, "yyyy'-'MM'-'dd'T'HH':'mm':'ss.FFFFFFF");
    }

    static void WriteDate(JsonText json, DateOnly value, FieldKind kind)
    {
        if (kind is FieldKind.Time) WriteTime(json, value.ToDateTime(TimeOnly.MinValue), kind);
        else Quoted(json, value, "yyyy'-'MM'-'dd");
    }

    sealed class Values<T>(RawColumnData<T> data, Writer<T> write, bool quotes = false) : ParquetValues where T : struct
    {
        public override int Count => data.Values.Length;

        public override bool Write(JsonText json, int index, FieldKind kind)
        {
            var start = json.Length;
            var bare = kind is FieldKind.Text && !quotes;
            if (bare) json.AppendByte((byte)'"');
            var value = json.Length;
            write(json, data.Values[index], kind);
            if (json.Length == value)
            {
                json.CutTo(start);
                return false;
            }

            if (bare) json.AppendByte((byte)'"');
            return true;
        }
    }
}
