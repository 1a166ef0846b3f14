using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Inspect;

/// <summary>
/// A stream that can be read repeatedly from its beginning, because what was read is kept in a temporary file. Each opening starts
/// over, and then continues with the stream. Only one can be open at a time. Once data was read that could not be kept, the stream cannot be opened
/// again, so that nobody reads from its middle.
/// </summary>
/// <param name="stream">The stream, as an input.</param>
/// <param name="most">The maximum number of bytes to keep; the stream cannot be read again once more were read.</param>
sealed class RepeatableInput(InputFile stream, long most) : IDisposable
{
    readonly Lock _lock = new(); // a read may be in flight when keeping ends
    ByteSource? _live;
    FileStream? _kept;
    bool _keeps = true;
    bool _isLost;
    bool _ended;

    /// <summary>Whether everything that was read from the stream is kept.</summary>
    public bool CanRepeat
    {
        get
        {
            lock (_lock) return !_isLost;
        }
    }

    /// <summary>The input, which can be opened repeatedly.</summary>
    public InputFile Input => stream with { Opened = Open };

    /// <summary>Releases everything kept: the current opening is the last, and has read all of it.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _isLost |= _live is not null;
            _keeps = false;
            _kept?.Dispose();
            _kept = null;
        }
    }

    /// <summary>Stops keeping data: the next opening is the last.</summary>
    public void KeepNoMore()
    {
        lock (_lock) _keeps = false;
    }

    /// <summary>Ends the stream at what was read so far.</summary>
    public void End() => _ended = true;

    public void Dispose()
    {
        Release();
        _live?.Dispose();
    }

    /// <exception cref="InputException">Its beginning was not kept.</exception>
    Opening Open() =>
        CanRepeat
            ? new(this)
            : throw new InputException(
                $"is a stream that must be read twice, and could not be buffered. Free space in {TemporaryFile.Folder}, name another folder in TMPDIR, "
                + $"or save the stream to a file")
            {
                Outcome = RunOutcome.DiskFailed,
            };

    /// <summary>Reads from the stream, keeping what was read.</summary>
    async ValueTask<int> ReadLiveAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (_ended) return 0;
        _live ??= stream.Open();
        var read = await _live.ReadAsync(target, cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            var isKept = _keeps && TryKeep(target.Span[..read]);
            if (_keeps && !isKept) Release();
            _isLost |= !isKept && read > 0;
        }

        return read;
    }

    bool TryKeep(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _kept ??= TemporaryFile.Create();
            if (_kept.Length + bytes.Length > most) return false;
            _kept.Write(bytes);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    sealed class Opening(RepeatableInput input) : ByteSource
    {
        long _position;

        public override long RawPosition => _position;

        public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
        {
            var read = ReadKept(target.Span);
            if (read == 0) read = await input.ReadLiveAsync(target, cancellationToken).ConfigureAwait(false);
            _position += read;
            return read;
        }

        int ReadKept(Span<byte> target)
        {
            lock (input._lock)
            {
                if (input._kept is not { } kept || _position >= kept.Length) return 0;
                kept.Position = _position;
                var read = kept.Read(target);
                kept.Position = kept.Length;
                return read;
            }
        }

        public override void Dispose() { } // the stream stays open for the next opening
    }
}
