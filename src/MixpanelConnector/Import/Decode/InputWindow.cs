using System.Buffers;
using System.IO.Hashing;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>
/// The part of a source that is in memory: bytes are added at its end and consumed at its beginning. It grows to fit the current
/// record; readers give up on a record over <see cref="LargestRecord"/>, which bounds its size. It hashes everything consumed.
/// Its buffer is reused by the window of the next source, since there may be many sources.
/// </summary>
sealed class InputWindow(ByteSource source) : IDisposable
{
    /// <summary>The largest record that is sent: Mixpanel accepts less than 1 MB.</summary>
    public const int LargestRecord = 1 << 20;

    const int Block = 256 << 10;

    /// <summary>Enough for a short file, of which there may be many.</summary>
    const int FirstBlock = 16 << 10;

    readonly XxHash128 _hash = new();
    byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBlock);
    int _start;
    int _end;
    int _hashed;
    long _offsetOfBuffer;
    bool _filling;
    (long Offset, Hash128 Fingerprint)? _expected;

    // A read that may outlast the wait for it. It has its own buffer, so nothing else changes while it is pending.
    Task<int>? _ahead;
    byte[]? _aheadBuffer;

    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    /// <summary>The position of the first unread byte in the source.</summary>
    public long Offset => _offsetOfBuffer + _start;

    /// <summary>Whether the source has no more bytes than <see cref="Unread"/>.</summary>
    public bool Ended { get; private set; }

    public long RawPosition => source.RawPosition;

    /// <summary>Consumes bytes. Their span stays valid until the next fill.</summary>
    public void Advance(int count) => _start += count;

    /// <summary>The hash of all bytes before an offset, which must not precede the last fill or the last fingerprint.</summary>
    public Hash128 Fingerprint(long offset)
    {
        HashTo((int)(offset - _offsetOfBuffer));
        return Hash128.Of(_hash);
    }

    /// <summary>Reads more; false at the end.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (Ended) return false;
        HashTo(_start);
        var wasFilled = _end == _buffer.Length;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _offsetOfBuffer += _start;
        _end -= _start;
        _start = _hashed = 0;
        if (_buffer.Length < Block ? wasFilled : _buffer.Length - _end < Block / 2) Grow(Math.Max(Block, _buffer.Length * 2));
        else if (_ahead is not null && _buffer.Length - _end < FirstBlock) Grow(_end + FirstBlock);
        _filling = true;
        var read = _ahead is null
            ? await source.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false)
            : await TakeAheadAsync().ConfigureAwait(false);
        _filling = false;
        _end += read;
        Ended = read == 0;
        return !Ended;
    }

    /// <summary>Waits, up to a timeout, for the data of the next fill; true when it has arrived or the source has ended.</summary>
    public async ValueTask<bool> WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        _aheadBuffer ??= new byte[FirstBlock];
        _ahead ??= source.ReadAsync(_aheadBuffer, cancellationToken).AsTask();
        return _ahead.IsCompleted || await Waits.EndsWithinAsync(_ahead, patience, time).ConfigureAwait(false);
    }

    /// <summary>Skips everything before an offset that an earlier run has reached, verifying that it is unchanged.</summary>
    /// <exception cref="InputException">The source is shorter than it was, or has changed.</exception>
    public async ValueTask SkipAsync(long offset, Hash128 fingerprint, CancellationToken cancellationToken)
    {
        Expect(offset, fingerprint);
        while (Offset < offset)
        {
            Advance((int)Math.Min(offset - Offset, Unread.Length));
            if (Offset < offset && !await FillAsync(cancellationToken).ConfigureAwait(false)) throw Shorter(offset);
        }

        EnsureExpected();
    }

    /// <summary>Requests verification, once an offset is reached, that everything before it is what an earlier run read.</summary>
    public void Expect(long offset, Hash128 fingerprint) => _expected = (offset, fingerprint);

    /// <summary>Verifies what was consumed so far.</summary>
    /// <exception cref="InputException">It is shorter than what an earlier run read, or has changed.</exception>
    public void EnsureExpected()
    {
        HashTo(_start);
        if (_expected is { } expected) throw Shorter(expected.Offset);
    }

    public void Dispose()
    {
        source.Dispose();
        if (!_filling) ArrayPool<byte>.Shared.Return(_buffer); // an abandoned read may still write to it
        _buffer = [];
        _start = _end = _hashed = 0;
    }

    InputException Shorter(long offset) =>
        InputException.Changed($"is shorter than when it was imported: it had {Counted.Of(offset, "byte")}, and has {Offset}");

    void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        _buffer.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    /// <summary>Takes the result of a read that was started earlier.</summary>
    async ValueTask<int> TakeAheadAsync()
    {
        var read = await _ahead!.ConfigureAwait(false);
        _ahead = null;
        _aheadBuffer.AsSpan(0, read).CopyTo(_buffer.AsSpan(_end));
        return read;
    }

    void HashTo(int end)
    {
        if (_expected is { } expected && expected.Offset - _offsetOfBuffer <= end)
        {
            var known = (int)(expected.Offset - _offsetOfBuffer);
            _hash.Append(_buffer.AsSpan(_hashed..known));
            (_hashed, _expected) = (known, null);
            if (Hash128.Of(_hash) != expected.Fingerprint)
                throw InputException.Changed($"has changed within what was already imported, its first {Counted.Of(expected.Offset, "byte")}");
        }

        _hash.Append(_buffer.AsSpan(_hashed..end));
        _hashed = end;
    }
}
