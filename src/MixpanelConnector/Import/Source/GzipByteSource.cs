using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace MixpanelConnector.Import.Source;

/// <summary>
/// Decompresses gzip and checks what <see cref="GZipStream"/> does not: that every member is complete (CRC-32 and length) and
/// that the input ends where a member ends. Zero bytes after the last member are padding; anything else is an error.
/// A member's bytes are returned before its checksum is read: holding them back would take as much space as the member, which may be a whole file.
/// </summary>
sealed class GzipByteSource(ByteSource compressed) : ByteSource
{
    const int TrailerLength = 8;

    /// <summary>Zeros after a member.</summary>
    enum Padding
    {
        None,
        BeforeMore,
        ToTheEnd,
    }

    readonly DeflateFeed _feed = new(compressed);
    readonly Crc32 _crc = new();
    readonly byte[] _small = new byte[TrailerLength];
    DeflateStream? _member;
    uint _length;
    bool _ended;

    public override long RawPosition => _feed.Consumed;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        while (!_ended)
        {
            if (_member is null && !await BeginMemberAsync(cancellationToken).ConfigureAwait(false)) break;
            int read;
            try
            {
                read = await _member!.ReadAsync(target, cancellationToken).ConfigureAwait(false);
            }
            catch (InvalidDataException e)
            {
                throw Corrupt("the compressed data is damaged", e);
            }

            if (read > 0)
            {
                _crc.Append(target.Span[..read]);
                _length += (uint)read;
                return read;
            }

            await EndMemberAsync(cancellationToken).ConfigureAwait(false);
        }

        _ended = true;
        return 0;
    }

    public override void Dispose()
    {
        _member?.Dispose();
        _feed.Dispose();
        compressed.Dispose();
    }

    async ValueTask<bool> BeginMemberAsync(CancellationToken cancellationToken)
    {
        switch (await _feed.PassPaddingAsync(cancellationToken).ConfigureAwait(false))
        {
            case Padding.ToTheEnd: return false;
            case Padding.BeforeMore: throw Corrupt("something that is not gzip follows the compressed data");
        }

        var magic = await TakeAsync(2, cancellationToken).ConfigureAwait(false);
        if (magic is not [0x1f, 0x8b]) throw Corrupt("something that is not gzip follows the compressed data");
        var head = await TakeAsync(8, cancellationToken).ConfigureAwait(false);
        var (method, flags) = (head[0], head[1]);
        if (method != 8 || (flags & 0xe0) != 0) throw Corrupt("the gzip header is of an unknown kind");
        if ((flags & 4) != 0)
        {
            var extra = BinaryPrimitives.ReadUInt16LittleEndian(await TakeAsync(2, cancellationToken).ConfigureAwait(false));
            for (var i = 0; i < extra; i++) await TakeAsync(1, cancellationToken).ConfigureAwait(false);
        }

        for (var texts = ((flags & 8) != 0 ? 1 : 0) + ((flags & 16) != 0 ? 1 : 0); texts > 0; texts--) // name, comment
            while ((await TakeAsync(1, cancellationToken).ConfigureAwait(false))[0] != 0) { }
        if ((flags & 2) != 0) await TakeAsync(2, cancellationToken).ConfigureAwait(false); // the checksum of the header

        _crc.Reset();
        _length = 0;
        _member = new DeflateStream(_feed, CompressionMode.Decompress, leaveOpen: true);
        return true;
    }

    async ValueTask EndMemberAsync(CancellationToken cancellationToken)
    {
        await _member!.DisposeAsync().ConfigureAwait(false);
        _member = null;
        if (_feed.StoppedInsideChunk) throw Corrupt("the file is truncated, or something that is not gzip follows the compressed data");
        var trailer = await TakeAsync(TrailerLength, cancellationToken).ConfigureAwait(false);
        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer) != _crc.GetCurrentHashAsUInt32()
            || BinaryPrimitives.ReadUInt32LittleEndian(trailer.AsSpan(4)) != _length)
            throw Corrupt("the checksum does not match");
    }

    async ValueTask<byte[]> TakeAsync(int count, CancellationToken cancellationToken)
    {
        if (!await _feed.TakeAsync(_small.AsMemory(0, count), cancellationToken).ConfigureAwait(false)) throw Corrupt("the file is truncated");
        return _small[..count];
    }

    InputException Corrupt(string what, Exception? cause = null) => new($"gzip: {what}, at compressed byte {_feed.Consumed}", cause);

    /// <summary>
    /// Feeds compressed bytes to a <see cref="DeflateStream"/> in such a way that the position where its data ends is known. The stream reads
    /// more only when it has consumed everything so far, and stops reading once its data has ended, but it does not report how much
    /// of the last chunk it consumed. So the byte before each position where a member could properly end is fed alone: a member that
    /// ends properly ends on such a byte. Such positions are 8 bytes (the trailer) before the end of the input, before padding, and
    /// before what looks like the header of another member.
    /// </summary>
    sealed class DeflateFeed(ByteSource source) : Stream
    {
        const int LookAhead = TrailerLength + 4;

        readonly byte[] _buffer = new byte[64 << 10];
        int _start;
        int _end;
        long _consumed;
        int _lastChunk;
        bool _sourceEnded;

        public long Consumed => _consumed;

        /// <summary>Whether the last chunk was longer than one byte, so that its end may not be where the data ended.</summary>
        public bool StoppedInsideChunk => _lastChunk > 1;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await EnsureAsync(LookAhead + 1, cancellationToken).ConfigureAwait(false);
            var chunk = ChunkLength(_buffer.AsSpan(_start, _end - _start), buffer.Length);
            _buffer.AsSpan(_start, chunk).CopyTo(buffer.Span);
            _start += chunk;
            _consumed += chunk;
            _lastChunk = chunk;
            return chunk;
        }

        public async ValueTask<bool> TakeAsync(Memory<byte> target, CancellationToken cancellationToken)
        {
            await EnsureAsync(target.Length, cancellationToken).ConfigureAwait(false);
            var count = Math.Min(target.Length, _end - _start);
            _buffer.AsSpan(_start, count).CopyTo(target.Span);
            _start += count;
            _consumed += count;
            return count == target.Length;
        }

        /// <summary>Skips the zeros that follow. An entirely empty input is not padding.</summary>
        public async ValueTask<Padding> PassPaddingAsync(CancellationToken cancellationToken)
        {
            await EnsureAsync(1, cancellationToken).ConfigureAwait(false);
            if (_consumed == 0) return Padding.None;
            var before = _consumed;
            while (_end > _start)
            {
                var zeros = _buffer.AsSpan(_start, _end - _start).IndexOfAnyExcept((byte)0);
                if (zeros == 0) return _consumed == before ? Padding.None : Padding.BeforeMore;
                var count = zeros < 0 ? _end - _start : zeros;
                _start += count;
                _consumed += count;
                await EnsureAsync(1, cancellationToken).ConfigureAwait(false);
            }

            return Padding.ToTheEnd;
        }

        /// <summary>The length up to, but excluding, the byte before the next position where a member could end; or that of this single byte.</summary>
        int ChunkLength(ReadOnlySpan<byte> ready, int most)
        {
            if (ready.IsEmpty) return 0;
            var known = _sourceEnded ? ready.Length : ready.Length - LookAhead; // what follows beyond this is not known yet
            var limit = Math.Min(most, known);
            var end = NextPossibleEnd(ready, limit);
            return end > 1 ? end - 1 : 1;
        }

        /// <summary>The smallest number of bytes, from 1 up to the limit, after which the data could end; the limit plus 1 when there is none.</summary>
        int NextPossibleEnd(ReadOnlySpan<byte> ready, int limit)
        {
            var endOfInput = _sourceEnded ? Math.Max(1, ready.Length - TrailerLength) : int.MaxValue;
            for (var end = 1; end <= limit && end < endOfInput; end++)
            {
                var next = ready[(end + TrailerLength)..].IndexOfAny((byte)0x1f, (byte)0);
                if (next < 0) break;
                end += next;
                if (end <= limit && MayBegin(ready[(end + TrailerLength)..])) return Math.Min(end, endOfInput);
            }

            return Math.Min(endOfInput, limit + 1);
        }

        static bool MayBegin(ReadOnlySpan<byte> rest) =>
            rest is [0x1f, 0x8b, 8, ..] || rest[..Math.Min(rest.Length, 4)].IndexOfAnyExcept((byte)0) < 0;

        async ValueTask EnsureAsync(int count, CancellationToken cancellationToken)
        {
            while (_end - _start < count && !_sourceEnded)
            {
                if (_start > 0)
                {
                    _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                    _end -= _start;
                    _start = 0;
                }

                var read = await source.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
                _sourceEnded = read == 0;
                _end += read;
            }
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => _consumed; set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
