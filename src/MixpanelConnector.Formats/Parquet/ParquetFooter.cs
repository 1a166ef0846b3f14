using System.Buffers.Binary;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>A leaf's column chunk in a row group.</summary>
/// <param name="Begin">The position of its first page; 0 for none.</param>
/// <param name="Length">The compressed size of its pages in bytes.</param>
/// <param name="Values">The number of its values, including nulls.</param>
/// <param name="Type">How they are encoded.</param>
/// <param name="Codec">How its pages are compressed.</param>
/// <param name="Encrypted">Whether it is encrypted.</param>
readonly record struct ParquetChunk(long Begin, long Length, long Values, int Type, int Codec, bool Encrypted);

sealed record ParquetGroup(long Rows, ParquetChunk[] Chunks);

/// <summary>
/// The metadata at the end of a file. It is read here before the decoding package sees it: that package's memory grows
/// with what is announced, and its stack with the nesting depth of columns, and it does not check whether the parts of the metadata are consistent.
/// </summary>
sealed class ParquetFooter
{
    /// <summary>For comparison: 2 MB describe 8,000 columns in one row group.</summary>
    const int MostBytes = 16 << 20;

    const int MostNested = 64;

    readonly List<ParquetField> _leaves = [];
    readonly List<ParquetGroup> _groups = [];
    ParquetField? _record;
    long _rows;

    /// <summary>The columns.</summary>
    public IReadOnlyList<ParquetField> Columns => _record!.Children;

    /// <summary>The columns and their parts that hold values.</summary>
    public IReadOnlyList<ParquetField> Leaves => _leaves;

    public IReadOnlyList<ParquetGroup> Groups => _groups;

    public long Rows => _rows;

    /// <summary>The position at which the pages end.</summary>
    public long Begin { get; private set; }

    /// <exception cref="InputException">The file is encrypted, or exceeds a limit.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static ParquetFooter Read(ParquetFile file)
    {
        Span<byte> end = stackalloc byte[8];
        if (file.Length < 12) throw new InvalidDataException("it is too short");
        file.ReadExactly(end, file.Length - end.Length);
        if (end.EndsWith("PARE"u8)) throw new InputException("is an encrypted Parquet file, which is not supported. Write it without encryption");
        if (!end.EndsWith("PAR1"u8)) throw new InvalidDataException("it does not have the end of a Parquet file");
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        var footer = new ParquetFooter { Begin = file.Length - end.Length - length };
        if (footer.Begin < 4) throw new InvalidDataException("its metadata is longer than the file");
        if (length > MostBytes)
            throw new InputException(
                $"is a Parquet file with {length} bytes of metadata; at most {MostBytes} are supported. Write it with larger row groups, or as several files");
        var bytes = new byte[length];
        file.ReadExactly(bytes, footer.Begin);
        try
        {
            footer.Read(new ThriftReader(bytes));
        }
        catch (Exception e) when (e is ThriftEndException or ArgumentException)
        {
            throw new InvalidDataException("its metadata cannot be read", e);
        }

        return footer;
    }

    void Read(ThriftReader thrift)
    {
        for (var id = 0; thrift.TryReadField(ref id, out var type);)
        {
            switch (id, type)
            {
                case (2, ThriftType.List): ReadSchema(ref thrift); break;
                case (3, ThriftType.Int64): _rows = thrift.ReadInteger(); break;
                case (4, ThriftType.List): ReadGroups(ref thrift); break;
                default: thrift.Skip(type); break;
            }
        }

        if (_record is null || _leaves.Count == 0) throw new InvalidDataException("it has no columns");
        var rows = 0L;
        foreach (var group in _groups)
        {
            if (group.Rows < 0 || group.Rows > long.MaxValue - rows) throw new InvalidDataException("a row group has a negative number of rows");
            if (group.Chunks.Length != _leaves.Count)
                throw new InvalidDataException($"a row group has {Counted.Of(group.Chunks.Length, "column")}, and the file {_leaves.Count}");
            rows += group.Rows;
        }

        if (rows != _rows) throw new InvalidDataException($"it declares {Counted.Of(_rows, "row")}, but its row groups declare {rows}");
    }

    void ReadSchema(ref ThriftReader thrift)
    {
        if (_record is not null) throw ThriftReader.Damaged();
        var open = new Stack<ParquetField>();
        for (var left = ReadStructs(ref thrift); left > 0; left--)
        {
            var field = ParquetField.Read(ref thrift);
            while (open.TryPeek(out var full) && full.Children.Count == full.Announced) open.Pop();
            if (_record is null) _record = field;
            else if (open.TryPeek(out var parent)) parent.Add(field);
            else throw new InvalidDataException("it has more columns than it declares");
            if (open.Count > MostNested) throw new InputException($"is a Parquet file whose columns are nested more than {MostNested} deep");
            if (!field.IsLeaf)
            {
                if (field.Announced == 0) throw new InvalidDataException("it has a column without parts");
                open.Push(field);
            }
            else if (_record != field)
            {
                field.Leaf = _leaves.Count;
                _leaves.Add(field);
            }
        }

        if (open.Any(field => field.Children.Count < field.Announced)) throw new InvalidDataException("it has fewer columns than it declares");
    }

    void ReadGroups(ref ThriftReader thrift)
    {
        if (_groups.Count > 0) throw ThriftReader.Damaged();
        for (var left = ReadStructs(ref thrift); left > 0; left--)
        {
            var (rows, chunks) = (-1L, (ParquetChunk[])[]);
            for (var id = 0; thrift.TryReadField(ref id, out var type);)
            {
                switch (id, type)
                {
                    case (1, ThriftType.List): chunks = ReadChunks(ref thrift); break;
                    case (3, ThriftType.Int64): rows = thrift.ReadInteger(); break;
                    default: thrift.Skip(type); break;
                }
            }

            _groups.Add(new ParquetGroup(rows, chunks));
        }
    }

    static ParquetChunk[] ReadChunks(ref ThriftReader thrift)
    {
        var chunks = new ParquetChunk[ReadStructs(ref thrift)];
        thrift.Weigh(chunks.Length * 900L);
        foreach (ref var chunk in chunks.AsSpan())
        {
            var encrypted = false;
            for (var id = 0; thrift.TryReadField(ref id, out var type);)
            {
                switch (id, type)
                {
                    case (1, ThriftType.Bytes) when thrift.ReadBytes().Length > 0:
                        throw new InputException("is a Parquet file whose columns are in other files. Write it as one file");
                    case (1, ThriftType.Bytes): break;
                    case (3, ThriftType.Struct): chunk = ReadChunk(ref thrift); break;
                    case (8, ThriftType.Struct):
                        encrypted = true;
                        thrift.Skip(type);
                        break;
                    default: thrift.Skip(type); break;
                }
            }

            chunk = chunk with { Encrypted = encrypted };
        }

        return chunks;
    }

    static ParquetChunk ReadChunk(ref ThriftReader thrift)
    {
        var (type, codec, values, length, data, dictionary) = (-1, -1, -1L, -1L, -1L, 0L);
        for (var id = 0; thrift.TryReadField(ref id, out var kind);)
        {
            switch (id, kind)
            {
                case (1, ThriftType.Int32): type = thrift.ReadInt32(); break;
                case (4, ThriftType.Int32): codec = thrift.ReadInt32(); break;
                case (5, ThriftType.Int64): values = thrift.ReadInteger(); break;
                case (7, ThriftType.Int64): length = thrift.ReadInteger(); break;
                case (9, ThriftType.Int64): data = thrift.ReadInteger(); break;
                case (11, ThriftType.Int64): dictionary = thrift.ReadInteger(); break;
                default: thrift.Skip(kind); break;
            }
        }

        // Some writers specify position 0 for a missing dictionary.
        return new ParquetChunk(dictionary > 0 && dictionary < data ? dictionary : data, length, values, type, codec, Encrypted: false);
    }

    static int ReadStructs(ref ThriftReader thrift)
    {
        var count = thrift.ReadList(out var element);
        if (count > 0 && element is not ThriftType.Struct) throw ThriftReader.Damaged();
        return count;
    }
}
