using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Numerics;
using System.Text;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Source;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>How columns of a type are read, and how their values are written. A program compiled ahead of time has code for those types only that are named here.</summary>
abstract class ParquetType
{
    /// <summary>Of a column in one row group. Writers make some 100,000 rows a group.</summary>
    const int MostValues = 1 << 26;

    static readonly FrozenDictionary<Type, ParquetType> Known = new ParquetType[]
    {
        new Of<ReadOnlyMemory<byte>>(static (json, value, _) => json.AppendString(value.Span), quotes: true),
        new Of<bool>(static (json, value, _) => json.Append(value ? "true"u8 : "false"u8)),
        Number<sbyte>(),
        Number<byte>(),
        Number<short>(),
        Number<ushort>(),
        Number<int>(),
        Number<uint>(),
        Number<long>(),
        Number<ulong>(),
        new Of<float>(static (json, value, _) => WriteFloat(json, value)),
        new Of<double>(static (json, value, _) => WriteFloat(json, value)),
        Number<decimal>(),
        new Of<BigDecimal>(static (json, value, _) => WriteDecimal(json, value)),
        new Of<DateTime>(WriteTime, quotes: true),
        new Of<DateOnly>(WriteDate, quotes: true),
        new Of<TimeOnly>(static (json, value, _) => Quoted(json, value, "HH':'mm':'ss.FFFFFFF"), quotes: true),
        new Of<TimeSpan>(static (json, value, _) => Quoted(json, value, "c"), quotes: true),
        new Of<Guid>(static (json, value, _) => Quoted(json, value, "D"), quotes: true),
    }.ToFrozenDictionary(type => type.Clr);

    protected abstract Type Clr { get; }

    /// <exception cref="InputException">The type has no JSON.</exception>
    public static ParquetType For(DataField column) =>
        Known.GetValueOrDefault(column.ClrType) ?? throw new InputException($"has a column of a type that is not supported: {column.Name}");

    public abstract Task<ParquetColumn> ReadAsync(ParquetRowGroupReader group, DataField column, CancellationToken cancellationToken);

    /// <summary>How many values a row group says it has of a column, before memory is taken for them.</summary>
    static int CountOf(ParquetRowGroupReader group, DataField column)
    {
        var count = group.GetMetadata(column)?.MetaData?.NumValues ?? throw new InvalidDataException($"a row group has no column {column.Name}");
        if (count < 0 || (column.MaxRepetitionLevel == 0 && count != group.RowCount)) throw new InvalidDataException($"the column {column.Name} has another number of values than its row group has rows");
        return count <= MostValues ? (int)count : throw new InputException($"has {count} values of the column {column.Name} in one row group, which are read at once. Write it with smaller row groups: at most {MostValues} values");
    }

    delegate void Writer<T>(JsonText json, T value, FieldKind kind);

    static Of<T> Number<T>() where T : struct, IUtf8SpanFormattable => new(static (json, value, _) => json.AppendFormatted(value));

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

    sealed class Of<T>(Writer<T> write, bool quotes = false) : ParquetType where T : struct
    {
        protected override Type Clr => typeof(T);

        public override async Task<ParquetColumn> ReadAsync(ParquetRowGroupReader group, DataField column, CancellationToken cancellationToken)
        {
            var count = CountOf(group, column);
            var read = new Column<T>(count, column, write, quotes);
            try
            {
                read.Clear();
                await group.ReadRawAsync(column, read.Values, read.Definitions, read.Repetitions, cancellationToken).ConfigureAwait(false);
                read.Check(column.MaxDefinitionLevel, column.MaxRepetitionLevel);
                return read;
            }
            catch
            {
                read.Dispose();
                throw;
            }
        }
    }

    sealed class Column<T>(int count, DataField column, Writer<T> write, bool quotes) : ParquetColumn(count, column.MaxDefinitionLevel > 0, column.MaxRepetitionLevel > 0) where T : struct
    {
        /// <summary>What stands for a value that the file does not hold: of text, bytes that no file refers to; of numbers zero, which cannot be told from one that it holds.</summary>
        static readonly T Absent = typeof(T) == typeof(ReadOnlyMemory<byte>) ? (T)(object)new ReadOnlyMemory<byte>(new byte[1]) : default;

        readonly IMemoryOwner<T> _values = MemoryPool<T>.Shared.Rent(count);

        public Memory<T> Values => _values.Memory[..Count];

        public override bool Write(JsonText json, int index, FieldKind kind)
        {
            var start = json.Length;
            var bare = kind is FieldKind.Text && !quotes;
            if (bare) json.AppendByte((byte)'"');
            var value = json.Length;
            write(json, Values.Span[index], kind);
            if (json.Length == value)
            {
                json.CutTo(start);
                return false;
            }

            if (bare) json.AppendByte((byte)'"');
            return true;
        }

        public override void Clear()
        {
            Values.Span.Fill(Absent);
            base.Clear();
        }

        public override void Check(int definition, int repetition)
        {
            base.Check(definition, repetition);
            var there = Definitions is { } levels ? levels.Span.Count(definition) : Count;
            if (typeof(T) == typeof(ReadOnlyMemory<byte>) && Values.Span[..there].Contains(Absent)) throw new InvalidDataException("a column has fewer values than it says");
        }

        public override void Dispose()
        {
            Values.Span.Clear(); // what it refers to is not kept alive by the pool
            _values.Dispose();
            base.Dispose();
        }
    }
}
