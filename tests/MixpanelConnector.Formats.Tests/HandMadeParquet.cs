using System.Buffers.Binary;
using System.Text;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Writes Parquet files byte by byte, so that they can declare what no writer would: https://github.com/apache/parquet-format.</summary>
sealed class HandMadeParquet
{
    public const int AsInt32 = 1, AsInt64 = 2, AsInt96 = 3, AsText = 6, AsFixed = 7;
    const int Plain = 0, Rle = 3;

    readonly List<Column> _columns = [];
    readonly List<byte> _pages = [.. "PAR1"u8];

    /// <summary>The number of rows that the row group declares.</summary>
    public long GroupRows { get; set; }

    /// <summary>The number of rows that the file declares.</summary>
    public long FileRows { get; set; }

    /// <summary>A valid file of events with these rows.</summary>
    public static HandMadeParquet Events(int rows)
    {
        var file = new HandMadeParquet { GroupRows = rows, FileRows = rows };
        file.Add("event", AsText, Texts(Enumerable.Repeat("e", rows)), rows, converted: 0);
        file.Add("time", AsInt64, Longs(Enumerable.Repeat(ImportRun.Time, rows)), rows);
        file.Add("distinct_id", AsText, Texts(Enumerable.Range(0, rows).Select(row => $"u{row}")), rows, converted: 0);
        return file;
    }

    /// <summary>A column of one page without nulls.</summary>
    public void Add(string name, int type, byte[] values, int count, int converted = -1, int length = 0, Action<Thrift>? logical = null, int encoding = Plain,
        long? announced = null)
    {
        var page = new Thrift()
            .I32(1, 0)
            .I32(2, values.Length)
            .I32(3, values.Length)
            .Struct(5, header => header.I32(1, count).I32(2, encoding).I32(3, Rle).I32(4, Rle)).End();
        AddPages(name, type, [.. page, .. values], announced ?? count, converted, length, logical, encoding);
    }

    /// <summary>A column of the given pages.</summary>
    public void AddPages(string name, int type, byte[] pages, long count, int converted = -1, int length = 0, Action<Thrift>? logical = null,
        int encoding = Plain)
    {
        _columns.Add(new(name, type, length, converted, logical, count, _pages.Count, pages.Length, encoding));
        _pages.AddRange(pages);
    }

    public byte[] ToArray()
    {
        var chunks = _columns.ConvertAll<Action<Thrift>>(column => chunk => chunk.I64(2, column.At).Struct(3, data => data
            .I32(1, column.Type)
                .List(2, 5, [Thrift.ZigZag(column.Encoding)])
                .List(3, 8, [[.. Thrift.Varint((ulong)column.Name.Length), .. Encoding.UTF8.GetBytes(column.Name)]])
                .I32(4, 0)
                .I64(5, column.Count)
                .I64(6, column.Length)
                .I64(7, column.Length)
                .I64(9, column.At)));
        var schema = _columns.ConvertAll<Action<Thrift>>(column => element =>
        {
            element.I32(1, column.Type);
            if (column.TypeLength > 0) element.I32(2, column.TypeLength);
            element.I32(3, 0).Bytes(4, column.Name);
            if (column.Converted >= 0) element.I32(6, column.Converted);
            if (column.Logical is not null) element.Struct(10, column.Logical);
        });
        return WithFooter([.. _pages], footer => footer
            .I32(1, 2)
            .Structs(2, [root => root.Bytes(4, "schema").I32(5, _columns.Count), .. schema])
            .I64(3, FileRows)
            .Structs(4, [group => group.Structs(1, chunks).I64(2, 0).I64(3, GroupRows)]));
    }

    public static byte[] WithFooter(byte[] pages, Action<Thrift> write)
    {
        var footer = new Thrift();
        write(footer);
        return WithFooter(pages, footer.End());
    }

    /// <summary>A file with the given pages and footer.</summary>
    public static byte[] WithFooter(byte[] pages, byte[] footer)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, footer.Length);
        return [.. pages, .. footer, .. length, .. "PAR1"u8];
    }

    public static byte[] Texts(IEnumerable<string> texts) =>
        [.. texts.SelectMany(text => (byte[])[.. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)])];

    public static byte[] Longs(IEnumerable<long> values) => [.. values.SelectMany(BitConverter.GetBytes)];

    sealed record Column(string Name, int Type, int TypeLength, int Converted, Action<Thrift>? Logical, long Count, long At, int Length, int Encoding);

    /// <summary>A structure in Thrift's compact protocol.</summary>
    public sealed class Thrift
    {
        readonly List<byte> _bytes = [];
        int _last;

        /// <summary>Whether each field has its full id instead of a delta, as no writer does.</summary>
        public bool LongIds { get; init; }

        public Thrift I32(int id, int value) => Field(id, 5, ZigZag(value));

        public Thrift I64(int id, long value) => Field(id, 6, ZigZag(value));

        public Thrift Bytes(int id, string text) => Field(id, 8, [.. Varint((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)]);

        public Thrift Bool(int id, bool value) => Field(id, value ? 1 : 2, []);

        public Thrift I8(int id, byte value) => Field(id, 3, [value]);

        public Thrift Struct(int id, Action<Thrift> write) => Field(id, 12, Of(write));

        public Thrift Structs(int id, IReadOnlyCollection<Action<Thrift>> write) => List(id, 12, [.. write.Select(Of)]);

        public Thrift List(int id, int type, IReadOnlyCollection<byte[]> items) =>
            Field(id, 9,
                [.. items.Count < 15 ? [(byte)((items.Count << 4) | type)] : (byte[])[(byte)(0xf0 | type), .. Varint((ulong)items.Count)],
                    .. items.SelectMany(item => item)]);

        public byte[] End() => [.. _bytes, 0];

        public static byte[] ZigZag(long value) => Varint((ulong)((value << 1) ^ (value >> 63)));

        public static byte[] Varint(ulong value)
        {
            var bytes = new List<byte>();
            for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
            return [.. bytes, (byte)value];
        }

        byte[] Of(Action<Thrift> write)
        {
            var thrift = new Thrift { LongIds = LongIds };
            write(thrift);
            return thrift.End();
        }

        Thrift Field(int id, int type, byte[] value)
        {
            if (!LongIds && id - _last is > 0 and < 16) _bytes.Add((byte)(((id - _last) << 4) | type));
            else _bytes.AddRange([(byte)type, .. ZigZag(id)]);
            _bytes.AddRange(value);
            _last = id;
            return this;
        }
    }
}
