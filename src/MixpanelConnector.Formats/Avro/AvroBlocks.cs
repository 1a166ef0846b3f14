using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using MixpanelConnector.Formats.Zstd;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Avro;

/// <summary>
/// An Avro file: its schema, and blocks of values, each compressed separately and followed by the file's 16-byte sync marker.
/// One block is in memory at a time, and only as much of it as was read.
/// </summary>
sealed class AvroBlocks : IDisposable
{
    /// <summary>The maximum size of a block, compressed and decompressed.</summary>
    const int LargestBlock = 32 << 20, LargestDecompressed = 64 << 20;

    /// <summary>The maximum size of the file header, which mainly consists of the schema.</summary>
    const int LargestHead = 4 << 20;

    const int MarkerLength = 16, FirstRoom = 64 << 10;

    static readonly byte[] Magic = [(byte)'O', (byte)'b', (byte)'j', 1];

    readonly InputWindow _window;
    readonly DecompressionLimit? _limit;
    readonly byte[] _marker = new byte[MarkerLength];
    byte[] _packed = [];
    byte[] _data = [];
    int _length;
    string _codec = "null";
    long _given;

    AvroBlocks(InputWindow window, DecompressionLimit? limit) => (_window, _limit) = (window, limit);

    public AvroType Schema { get; private set; } = null!;

    /// <summary>The values of the block.</summary>
    public ReadOnlySpan<byte> Data => _codec == "null" ? _packed.AsSpan(0, _length) : _data.AsSpan(0, _length);

    public long RawPosition => _window.RawPosition;

    /// <summary>The hash of everything up to the end of the last block.</summary>
    public Hash128 Fingerprint => _window.Fingerprint(_window.Offset);

    public static bool Begins(ReadOnlySpan<byte> head) => head.StartsWith(Magic);

    /// <summary>Reads the file header.</summary>
    /// <param name="window">The file, at its beginning. Owned once this returns.</param>
    /// <param name="limit">The limit of all blocks together, decompressed; null for none.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="InputException">It is not an Avro file, or not a supported one.</exception>
    public static async ValueTask<AvroBlocks> OpenAsync(InputWindow window, DecompressionLimit? limit, CancellationToken cancellationToken)
    {
        var blocks = new AvroBlocks(window, limit);
        while (window.Unread.Length < Magic.Length)
            if (!await window.FillAsync(cancellationToken).ConfigureAwait(false)) break;
        if (!Begins(window.Unread)) throw new InputException("is not an Avro file");
        window.Advance(Magic.Length);
        byte[]? schema = null;
        var left = LargestHead;
        while (await blocks.LongAsync(cancellationToken).ConfigureAwait(false) is var count and not 0)
        {
            if (count == long.MinValue) throw AvroData.Damaged();
            if (count < 0) await blocks.LongAsync(cancellationToken).ConfigureAwait(false); // their size in bytes
            for (count = Math.Abs(count); count > 0; count--)
            {
                var name = Encoding.UTF8.GetString(await blocks.BytesAsync(left, cancellationToken).ConfigureAwait(false));
                var value = await blocks.BytesAsync(left, cancellationToken).ConfigureAwait(false);
                left -= value.Length + name.Length + 1;
                if (left < 0) throw TooMuch();
                if (name == "avro.schema") schema = value;
                else if (name == "avro.codec") blocks._codec = Encoding.UTF8.GetString(value);
            }
        }

        await blocks.ExactlyAsync(MarkerLength, cancellationToken).ConfigureAwait(false);
        blocks._packed.AsSpan(0, MarkerLength).CopyTo(blocks._marker);
        if (blocks._codec is not ("null" or "deflate" or "snappy" or "zstandard"))
            throw new InputException($"is an Avro file with an unsupported compression{(blocks._codec is "bzip2" or "xz" ? $" ({blocks._codec})" : "")}: "
                + $"write it with snappy, deflate or zstandard");
        blocks.Schema = AvroSchema.Read(schema ?? throw AvroData.Damaged());
        return blocks;
    }

    /// <summary>Reads the next block.</summary>
    /// <param name="passes">Whether to skip a block, given its number of values.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>The number of its values; null at the end of the file.</returns>
    /// <exception cref="InputException">The file is damaged or truncated, or the block is too large.</exception>
    public async ValueTask<long?> NextAsync(Func<long, bool> passes, CancellationToken cancellationToken)
    {
        if (_window.Unread.IsEmpty && !await _window.FillAsync(cancellationToken).ConfigureAwait(false)) return null;
        var count = await LongAsync(cancellationToken).ConfigureAwait(false);
        var size = await LongAsync(cancellationToken).ConfigureAwait(false);
        if (count < 0 || size < 0) throw AvroData.Damaged();
        if (size > LargestBlock) throw TooLarge();
        await ExactlyAsync((int)size, cancellationToken).ConfigureAwait(false);
        var isPassed = passes(count);
        var packed = (int)size;
        if (!await EndsAsync(cancellationToken).ConfigureAwait(false)) throw AvroData.Damaged();
        _length = 0;
        if (!isPassed) await DecompressAsync(packed, cancellationToken).ConfigureAwait(false);
        if (!isPassed && count > _length) throw AvroData.Damaged(); // there could be any number of zero-byte values
        return count;
    }

    public void Dispose() => _window.Dispose();

    async ValueTask DecompressAsync(int packed, CancellationToken cancellationToken)
    {
        _length = _codec switch
        {
            "null" => packed,
            "deflate" => Inflated(packed),
            "zstandard" => await ExpandedAsync(packed, cancellationToken).ConfigureAwait(false),
            _ => Snapped(packed),
        };
        _given += _length;
        _limit?.Reached(_given);
    }

    int Inflated(int packed)
    {
        using var from = new MemoryStream(_packed, 0, packed);
        using var deflate = new DeflateStream(from, CompressionMode.Decompress);
        try
        {
            var length = 0;
            while (deflate.Read(Reserve(length)) is var read and > 0) length += read;
            return Taken(length);
        }
        catch (InvalidDataException e)
        {
            throw AvroData.Damaged(e);
        }
    }

    async ValueTask<int> ExpandedAsync(int packed, CancellationToken cancellationToken)
    {
        using var from = new MemoryStream(_packed, 0, packed);
        using var source = new ZstdByteSource(new StreamByteSource(from));
        for (var length = 0; ;)
        {
            var room = Reserve(length).Length; // it may be in a different array than before
            int read;
            try
            {
                read = await source.ReadAsync(_data.AsMemory(length, room), cancellationToken).ConfigureAwait(false);
            }
            catch (InputException e)
            {
                throw AvroData.Damaged(e);
            }

            if (read == 0) return Taken(length);
            length += read;
        }
    }

    /// <summary>Returns space for more decompressed data.</summary>
    Span<byte> Reserve(int length)
    {
        if (Taken(length) == _data.Length) Reserve(ref _data, Math.Max(length + 1, FirstRoom), LargestDecompressed + 1);
        return _data.AsSpan(length);
    }

    static int Taken(int length) => length > LargestDecompressed ? throw TooLarge() : length;

    int Snapped(int packed)
    {
        const int SumLength = 4;
        if (packed < SumLength) throw AvroData.Damaged();
        var block = _packed.AsSpan(0, packed - SumLength);
        if (Snappy.LengthOf(block) is not var (length, begin)) throw AvroData.Damaged();
        if (length > LargestDecompressed) throw TooLarge();

        // The compression ratio is at most 64 bytes for three, so that a few bytes cannot allocate much memory.
        if (length > 32L * block.Length) throw AvroData.Damaged();
        Reserve(ref _data, (int)length, LargestDecompressed);
        var target = _data.AsSpan(0, (int)length);
        if (!Snappy.TryDecompress(block[begin..], target)
            || Crc32.HashToUInt32(target) != BinaryPrimitives.ReadUInt32BigEndian(_packed.AsSpan(packed - SumLength)))
            throw AvroData.Damaged();
        return (int)length;
    }

    /// <summary>Whether the sync marker follows.</summary>
    async ValueTask<bool> EndsAsync(CancellationToken cancellationToken)
    {
        while (_window.Unread.Length < MarkerLength)
            if (!await _window.FillAsync(cancellationToken).ConfigureAwait(false)) throw Cut();
        var isMarker = _window.Unread.StartsWith(_marker);
        _window.Advance(MarkerLength);
        return isMarker;
    }

    async ValueTask<long> LongAsync(CancellationToken cancellationToken)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_window.Unread.IsEmpty && !await _window.FillAsync(cancellationToken).ConfigureAwait(false)) throw Cut();
            var part = _window.Unread[0];
            _window.Advance(1);
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80) return (long)(value >> 1) ^ -(long)(value & 1);
        }

        throw AvroData.Damaged();
    }

    /// <summary>Reads length-prefixed bytes in the header.</summary>
    async ValueTask<byte[]> BytesAsync(int most, CancellationToken cancellationToken)
    {
        var count = await LongAsync(cancellationToken).ConfigureAwait(false);
        if (count < 0) throw AvroData.Damaged();
        if (count > most) throw TooMuch();
        await ExactlyAsync((int)count, cancellationToken).ConfigureAwait(false);
        return _packed[..(int)count];
    }

    /// <summary>Reads a number of bytes, allocating only as they arrive, regardless of the announced length.</summary>
    async ValueTask ExactlyAsync(int count, CancellationToken cancellationToken)
    {
        for (var taken = 0; taken < count;)
        {
            if (_window.Unread.IsEmpty && !await _window.FillAsync(cancellationToken).ConfigureAwait(false)) throw Cut();
            var part = Math.Min(count - taken, _window.Unread.Length);
            if (_packed.Length < taken + part) Reserve(ref _packed, taken + part, count);
            _window.Unread[..part].CopyTo(_packed.AsSpan(taken));
            _window.Advance(part);
            taken += part;
        }
    }

    static void Reserve(ref byte[] buffer, int length, int most)
    {
        if (buffer.Length < length) Array.Resize(ref buffer, (int)Math.Max(length, Math.Min(2L * buffer.Length, most)));
    }

    static InputException Cut() => new("is an Avro file that is truncated");

    static InputException TooMuch() => new($"is an Avro file with a header of more than {LargestHead >> 20} MB");

    static InputException TooLarge() =>
        new($"is an Avro file with a block of more than {LargestBlock >> 20} MB, or {LargestDecompressed >> 20} MB when it is decompressed. "
            + $"Write it with smaller blocks, as Avro's writers do with a smaller sync interval");
}
