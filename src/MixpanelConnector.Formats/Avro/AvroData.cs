using System.Buffers.Binary;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Avro;

/// <summary>Reads consecutive values according to their schema. Never reads past the end, whatever the bytes are.</summary>
/// <param name="bytes">The values.</param>
ref struct AvroData(ReadOnlySpan<byte> bytes)
{
    readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>How many more values may be zero bytes long: a few bytes, or a short schema, could announce any number of them.</summary>
    public int Free { get; set; }

    /// <summary>The position of the next value.</summary>
    public int At { get; set; }

    public readonly bool AtEnd => At == _bytes.Length;

    public bool ReadBoolean() => ReadBytes(1)[0] switch
    {
        0 => false,
        1 => true,
        _ => throw Damaged(),
    };

    public int ReadInt() => ReadLong() is var value and >= int.MinValue and <= int.MaxValue ? (int)value : throw Damaged();

    public long ReadLong()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (At == _bytes.Length) throw Damaged();
            var part = _bytes[At++];
            if (shift == 63 && part > 1) throw Damaged();
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80) return (long)(value >> 1) ^ -(long)(value & 1);
        }

        throw Damaged();
    }

    public float ReadFloat() => BinaryPrimitives.ReadSingleLittleEndian(ReadBytes(4));

    public double ReadDouble() => BinaryPrimitives.ReadDoubleLittleEndian(ReadBytes(8));

    /// <summary>Reads length-prefixed bytes.</summary>
    public ReadOnlySpan<byte> ReadBytes() => ReadBytes(ReadLong());

    public ReadOnlySpan<byte> ReadBytes(long count)
    {
        if (count < 0 || count > _bytes.Length - At) throw Damaged();
        var read = _bytes.Slice(At, (int)count);
        At += (int)count;
        return read;
    }

    /// <summary>Reads the index of a union branch or of an enumeration symbol.</summary>
    public int ReadChoice(int count) => ReadLong() is var choice && choice >= 0 && choice < count ? (int)choice : throw Damaged();

    /// <summary>Reads the number of elements in the next block of an array or a map; 0 at its end.</summary>
    public long ReadCount()
    {
        var count = ReadLong();
        if (count >= 0) return count;
        ReadLong(); // their size in bytes
        return count == long.MinValue ? throw Damaged() : -count;
    }

    /// <summary>Skips a value, checking that it is complete.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="depth">Its nesting depth.</param>
    public void Skip(AvroType type, int depth)
    {
        if (depth > AvroSchema.Deepest)
            throw new InputException(
                $"is an Avro file with a value that is nested more than {AvroSchema.Deepest} deep: Mixpanel does not accept such a record");
        switch (type.Kind)
        {
            case AvroKind.Null: break;
            case AvroKind.Boolean: ReadBoolean(); break;
            case AvroKind.Int: ReadInt(); break;
            case AvroKind.Long: ReadLong(); break;
            case AvroKind.Float: ReadBytes(4); break;
            case AvroKind.Double: ReadBytes(8); break;
            case AvroKind.Bytes or AvroKind.Text: ReadBytes(); break;
            case AvroKind.Fixed: ReadBytes(type.Size); break;
            case AvroKind.Enum: ReadChoice(type.Symbols.Count); break;
            case AvroKind.Union: Skip(type.Parts[ReadChoice(type.Parts.Count)], depth + 1); break;
            case AvroKind.Record:
                foreach (var part in type.Parts) SkipPart(part, depth + 1);
                break;
            default:
                while (ReadCount() is var count and > 0)
                {
                    for (; count > 0; count--)
                    {
                        if (type.Kind is AvroKind.Map) ReadBytes();
                        SkipPart(type.Parts[0], depth + 1);
                    }
                }

                break;
        }
    }

    /// <summary>Skips a field or an element.</summary>
    public void SkipPart(AvroType type, int depth)
    {
        var begin = At;
        Skip(type, depth);
        if (At == begin && --Free < 0) throw Damaged();
    }

    public static InputException Damaged(Exception? cause = null) => new("is an Avro file that is damaged, or does not match its schema", cause);
}
