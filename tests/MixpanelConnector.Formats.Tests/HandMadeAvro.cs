using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Writes Avro files byte by byte, including damaged ones.</summary>
sealed class HandMadeAvro(string schema, string? codec = null)
{
    static readonly byte[] Marker = [.. Enumerable.Range(1, 16).Select(number => (byte)number)];

    readonly List<byte> _file = [.. Head(schema, codec)];

    public byte[] Bytes => [.. _file];

    /// <summary>A block of values.</summary>
    /// <param name="count">The declared number of values.</param>
    /// <param name="values">The concatenated values.</param>
    /// <param name="size">The declared size in bytes; null for the actual one.</param>
    public HandMadeAvro Block(long count, byte[] values, long? size = null)
    {
        var packed = codec switch
        {
            "deflate" => Deflated(values),
            "snappy" => Snapped(values),
            "zstandard" => Zstd(values),
            _ => values,
        };
        _file.AddRange([.. Long(count), .. Long(size ?? packed.Length), .. packed, .. Marker]);
        return this;
    }

    public static byte[] Long(long value)
    {
        var bytes = new List<byte>();
        var rest = (ulong)((value << 1) ^ (value >> 63));
        for (; rest > 0x7f; rest >>= 7) bytes.Add((byte)(rest | 0x80));
        return [.. bytes, (byte)rest];
    }

    public static byte[] Text(string text) => Sized(Encoding.UTF8.GetBytes(text));

    public static byte[] Sized(byte[] bytes) => [.. Long(bytes.Length), .. bytes];

    public static byte[] Snapped(byte[] values)
    {
        var sum = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(sum, System.IO.Hashing.Crc32.HashToUInt32(values));
        return [.. Snappier.Snappy.CompressToArray(values), .. sum];
    }

    static byte[] Deflated(byte[] values)
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Fastest)) deflate.Write(values);
        return packed.ToArray();
    }

    static byte[] Zstd(byte[] values)
    {
        using var compressor = new ZstdSharp.Compressor(3);
        return compressor.Wrap(values).ToArray();
    }

    static byte[] Head(string schema, string? codec)
    {
        byte[] entries = codec is null
            ? [.. Long(1), .. Text("avro.schema"), .. Text(schema)]
            :
            [
                .. Long(-2),
                .. Long(1),
                .. Text("avro.codec"),
                .. Text(codec),
                .. Text("avro.schema"),
                .. Text(schema),
            ]; // as some write it: with a size, which nobody needs
        return [.. "Obj"u8, 1, .. entries, 0, .. Marker];
    }
}
