using System.Buffers.Binary;

namespace MixpanelConnector.Formats.Avro;

/// <summary>Decompresses a Snappy block: https://github.com/google/snappy/blob/main/format_description.txt.</summary>
static class Snappy
{
    /// <summary>The decompressed length of a block, and where its data begins; null when the length is invalid.</summary>
    public static (uint Length, int Begin)? LengthOf(ReadOnlySpan<byte> block)
    {
        uint length = 0;
        for (var at = 0; at < 5 && at < block.Length; at++)
        {
            if (at == 4 && block[at] > 0x0f) return null;
            length |= (uint)(block[at] & 0x7f) << (7 * at);
            if (block[at] < 0x80) return (length, at + 1);
        }

        return null;
    }

    /// <summary>Decompresses a block. False when the data is damaged, or does not exactly fill the target.</summary>
    public static bool TryDecompress(ReadOnlySpan<byte> data, Span<byte> target)
    {
        var written = 0;
        while (!data.IsEmpty)
        {
            var tag = data[0];
            if ((tag & 3) == 0)
            {
                var length = tag >> 2;
                var wide = length - 59;
                if (wide > 0)
                {
                    if (data.Length <= wide) return false;
                    length = 0;
                    for (var at = wide; at > 0; at--) length = (length << 8) | data[at];
                }

                var begin = 1 + Math.Max(0, wide);
                if (length < 0 || length >= data.Length - begin || length >= target.Length - written) return false;
                data.Slice(begin, length + 1).CopyTo(target[written..]);
                written += length + 1;
                data = data[(begin + length + 1)..];
                continue;
            }

            var (size, count) = (tag & 3) switch { 1 => (2, 4 + ((tag >> 2) & 7)), 2 => (3, 1 + (tag >> 2)), _ => (5, 1 + (tag >> 2)) };
            if (data.Length < size) return false;
            long back = (tag & 3) switch
            {
                1 => ((tag >> 5) << 8) | data[1],
                2 => BinaryPrimitives.ReadUInt16LittleEndian(data[1..]),
                _ => BinaryPrimitives.ReadUInt32LittleEndian(data[1..]),
            };
            if (back == 0 || back > written || count > target.Length - written) return false;
            for (var end = written + count; written < end; written++) target[written] = target[written - (int)back]; // source and target may overlap
            data = data[size..];
        }

        return written == target.Length;
    }
}
