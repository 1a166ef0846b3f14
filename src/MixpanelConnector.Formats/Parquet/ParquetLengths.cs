using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>
/// Inspects a page of texts whose lengths are stored separately with delta encoding. A few bytes can announce two billion
/// lengths, and the decoding package allocates memory for all of them: https://github.com/apache/parquet-format/blob/master/Encodings.md.
/// </summary>
static class ParquetLengths
{
    /// <summary>The size limit of such a page, which is decompressed twice; writers create pages of a few megabytes.</summary>
    const int MostUnpacked = 64 << 20;

    /// <summary>Whether the page has no more lengths than values.</summary>
    /// <param name="page">The page, compressed except for <paramref name="plain"/> bytes at its beginning.</param>
    /// <param name="plain">The size of its levels in bytes, if they precede the compressed part.</param>
    /// <param name="codec">How it is compressed.</param>
    /// <param name="unpacked">Its decompressed size in bytes.</param>
    /// <param name="levels">The number of level types in the compressed part, each prefixed with its length.</param>
    /// <param name="values">The maximum number of values in it.</param>
    /// <param name="lists">The number of consecutive lists of lengths.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static bool Fit(ReadOnlySpan<byte> page, int plain, int codec, int unpacked, int levels, int values, int lists)
    {
        if (unpacked > MostUnpacked || plain > unpacked || plain > page.Length)
            throw new InvalidDataException("a page of texts with separate lengths is too large");
        var rented = ArrayPool<byte>.Shared.Rent(unpacked - plain);
        try
        {
            var length = Unpack(page[plain..], codec, rented.AsSpan(0, unpacked - plain));
            var content = rented.AsSpan(0, length);
            for (; levels > 0; levels--) content = content[(4 + checked((int)BinaryPrimitives.ReadUInt32LittleEndian(content)))..];
            if (content.IsEmpty) return true; // only nulls
            var reader = new PackedReader(content);
            for (; lists > 0; lists--)
                if (!reader.TryPass(values, isLast: lists == 1)) return false;
            return true;
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("a page ends before its contents", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    static int Unpack(ReadOnlySpan<byte> packed, int codec, Span<byte> target)
    {
        switch (codec)
        {
            case 0:
                packed.CopyTo(target);
                return packed.Length;
            case 1:
                return Snappy(packed, target);
            case 2:
                return Read(packed, target, stream => new GZipStream(stream, CompressionMode.Decompress));
            case 4:
                return Read(packed, target, stream => new BrotliStream(stream, CompressionMode.Decompress));
            case 6:
                return Read(packed, target, stream => new ZstdSharp.DecompressionStream(stream));
            case 5 when packed.Length > 8 && BinaryPrimitives.ReadUInt32BigEndian(packed[4..]) <= packed.Length - 8:
                return Hadoop(packed, target);
            case 5 or 7:
                return Lz4(packed, target);
            default:
                throw new InvalidDataException("a page has an unknown compression");
        }
    }

    static int Read(ReadOnlySpan<byte> packed, Span<byte> target, Func<Stream, Stream> open)
    {
        using var stream = open(new MemoryStream(packed.ToArray()));
        return stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
    }

    static int Hadoop(ReadOnlySpan<byte> packed, Span<byte> target)
    {
        var written = 0;
        while (packed.Length >= 8)
        {
            var length = checked((int)BinaryPrimitives.ReadUInt32BigEndian(packed[4..]));
            written += Lz4(packed.Slice(8, length), target[written..]);
            packed = packed[(8 + length)..];
        }

        return written;
    }

    /// <summary>https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md</summary>
    static int Lz4(ReadOnlySpan<byte> packed, Span<byte> target)
    {
        var (at, written) = (0, 0);
        while (at < packed.Length)
        {
            var token = packed[at++];
            var literals = Lz4Length(packed, ref at, token >> 4);
            packed.Slice(at, literals).CopyTo(target[written..]);
            (at, written) = (at + literals, written + literals);
            if (at == packed.Length) break;
            var distance = BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]);
            at += 2;
            written = Repeat(target, written, distance, Lz4Length(packed, ref at, token & 0x0f) + 4);
        }

        return written;
    }

    static int Lz4Length(ReadOnlySpan<byte> packed, ref int at, int length)
    {
        if (length < 15) return length;
        byte more;
        do
        {
            more = packed[at++];
            length = checked(length + more);
        }
        while (more == 255);
        return length;
    }

    /// <summary>https://github.com/google/snappy/blob/main/format_description.txt</summary>
    static int Snappy(ReadOnlySpan<byte> packed, Span<byte> target)
    {
        var (at, written) = (0, 0);
        while (at < packed.Length && packed[at++] >= 0x80) { } // the length, which the page header contains too
        while (at < packed.Length)
        {
            var tag = packed[at++];
            switch (tag & 3)
            {
                case 0:
                    var literals = tag >> 2;
                    if (literals >= 60)
                    {
                        var bytes = literals - 59;
                        literals = 0;
                        for (var i = 0; i < bytes; i++) literals |= packed[at++] << (8 * i);
                    }

                    packed.Slice(at, checked(literals + 1)).CopyTo(target[written..]);
                    (at, written) = (at + literals + 1, written + literals + 1);
                    break;
                case 1:
                    written = Repeat(target, written, ((tag >> 5) << 8) | packed[at++], ((tag >> 2) & 7) + 4);
                    break;
                case 2:
                    written = Repeat(target, written, BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]), (tag >> 2) + 1);
                    at += 2;
                    break;
                default:
                    written = Repeat(target, written, BinaryPrimitives.ReadInt32LittleEndian(packed[at..]), (tag >> 2) + 1);
                    at += 4;
                    break;
            }
        }

        return written;
    }

    static int Repeat(Span<byte> target, int written, int distance, int length)
    {
        if (distance <= 0 || distance > written) throw new InvalidDataException("a page cannot be decompressed");
        for (var end = checked(written + length); written < end; written++) target[written] = target[written - distance];
        return written;
    }

    /// <summary>Reads delta-encoded numbers.</summary>
    ref struct PackedReader(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> _bytes = bytes;

        /// <summary>Skips a list of numbers; false when it has more than allowed.</summary>
        public bool TryPass(int most, bool isLast)
        {
            var (block, parts, count) = (Varint(), Varint(), Varint());
            if (count > (ulong)most) return false;
            if (isLast) return true;
            Varint();
            if (block is 0 or > int.MaxValue || parts is 0 || parts > block || block % parts != 0)
                throw new InvalidDataException("a page has numbers in invalid blocks");
            var perPart = block / parts;
            for (var left = (long)count - 1; left > 0;)
            {
                Varint();
                var widths = _bytes[..(int)parts];
                _bytes = _bytes[(int)parts..];
                foreach (var width in widths)
                {
                    if (left <= 0) break;
                    _bytes = _bytes[checked((int)(width * perPart / 8))..];
                    left -= (long)perPart;
                }
            }

            return true;
        }

        ulong Varint()
        {
            var value = 0UL;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var part = _bytes[0];
                _bytes = _bytes[1..];
                value |= (ulong)(part & 0x7f) << shift;
                if (part < 0x80) break;
            }

            return value;
        }
    }
}
