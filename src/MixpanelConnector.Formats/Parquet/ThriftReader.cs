using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>
/// Reads Parquet metadata, which uses Thrift's compact protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
/// For any input, its running time is linear in the length, it allocates nothing, and it rejects what would make other code allocate too much.
/// </summary>
ref struct ThriftReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>The nesting limit for skipping unknown structures; Parquet's own are 6 deep.</summary>
    const int MostNested = 32;

    /// <summary>The limit for the memory that the decoding package uses for this metadata.</summary>
    const long MostMemory = 64 << 20;

    readonly ReadOnlySpan<byte> _bytes = bytes;
    long _memory;

    public int Position { get; private set; }

    /// <summary>Reads the header of the next field of a structure; false at its end.</summary>
    /// <param name="id">The id of the previous field, 0 at first; receives that of the next.</param>
    /// <param name="type">The type of the field.</param>
    public bool TryReadField(ref int id, out ThriftType type)
    {
        var header = ReadByte();
        type = (ThriftType)(header & 0x0f);
        if (type is ThriftType.Stop) return false;
        id = header >> 4 is var delta and > 0 ? id + delta : (short)ReadInteger();
        return true;
    }

    /// <summary>Reads the number of elements of a list, each of which takes at least one byte.</summary>
    public int ReadList(out ThriftType element)
    {
        var header = ReadByte();
        element = (ThriftType)(header & 0x0f);
        var count = header >> 4 is var few and < 15 ? (ulong)few : ReadVarint();
        if (count > (ulong)(_bytes.Length - Position)) throw new ThriftEndException();
        Weigh((long)count * (element is ThriftType.Struct or ThriftType.List or ThriftType.Set or ThriftType.Map ? 120 : element is ThriftType.Bytes ? 40 : 8));
        return (int)count;
    }

    /// <summary>Accounts for memory that will be allocated for what was read.</summary>
    public void Weigh(long memory)
    {
        _memory += memory;
        if (_memory > MostMemory)
            throw new InputException(
                "is a Parquet file with more columns and row groups than are supported: about 50,000 column chunks. Write it with larger row groups, "
                + "or as several files");
    }

    public long ReadInteger()
    {
        var zigzag = ReadVarint();
        return (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
    }

    /// <summary>Reads a 32-bit integer.</summary>
    public int ReadInt32() => ReadInteger() is >= int.MinValue and <= int.MaxValue and var number ? (int)number : throw Damaged();

    public byte ReadByte() => Take(1)[0];

    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadVarint();
        return length <= (ulong)(_bytes.Length - Position) ? Take((int)length) : throw new ThriftEndException();
    }

    /// <summary>Skips a value.</summary>
    public void Skip(ThriftType type, int depth = 0)
    {
        if (depth > MostNested) throw Damaged();
        switch (type)
        {
            case ThriftType.True or ThriftType.False:
                break;
            case ThriftType.Byte:
                ReadByte();
                break;
            case ThriftType.Int16 or ThriftType.Int32 or ThriftType.Int64:
                ReadVarint();
                break;
            case ThriftType.Double:
                Take(8);
                break;
            case ThriftType.Uuid:
                Take(16);
                break;
            case ThriftType.Bytes:
                ReadBytes();
                break;
            case ThriftType.List or ThriftType.Set:
                for (var left = ReadList(out var element); left > 0; left--) SkipElement(element, depth);
                break;
            case ThriftType.Map:
                SkipMap(depth);
                break;
            case ThriftType.Struct:
                for (var id = 0; TryReadField(ref id, out var field);) Skip(field, depth + 1);
                break;
            default:
                throw Damaged();
        }
    }

    /// <summary>The error for metadata that is invalid.</summary>
    public static InvalidDataException Damaged() => new("its metadata cannot be read");

    void SkipMap(int depth)
    {
        var count = ReadVarint();
        if (count == 0) return;
        var types = ReadByte();
        if (count > (ulong)(_bytes.Length - Position)) throw new ThriftEndException();
        Weigh((long)count * 120);
        for (; count > 0; count--)
        {
            SkipElement((ThriftType)(types >> 4), depth);
            SkipElement((ThriftType)(types & 0x0f), depth);
        }
    }

    /// <summary>Skips an element of a list or map, in which a boolean takes a byte.</summary>
    void SkipElement(ThriftType type, int depth)
    {
        if (type is ThriftType.True or ThriftType.False) ReadByte();
        else Skip(type, depth + 1);
    }

    ulong ReadVarint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = ReadByte();
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80) return value;
        }

        throw Damaged();
    }

    ReadOnlySpan<byte> Take(int length)
    {
        if (length > _bytes.Length - Position) throw new ThriftEndException();
        var taken = _bytes.Slice(Position, length);
        Position += length;
        return taken;
    }
}

enum ThriftType
{
    Stop,
    True,
    False,
    Byte,
    Int16,
    Int32,
    Int64,
    Double,
    Bytes,
    List,
    Set,
    Map,
    Struct,
    Uuid,
}

/// <summary>The input ends within a value.</summary>
sealed class ThriftEndException() : Exception("its metadata is truncated");
