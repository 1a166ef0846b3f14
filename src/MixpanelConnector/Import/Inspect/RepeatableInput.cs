using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Inspect;

/// <summary>
/// A stream that can be read again from its beginning, because what it gave is kept in a temporary file. Each opening begins
/// anew, and goes on with what the stream gives. One opening at a time. Where something that it gave is not kept, it is not opened
/// again: nobody reads on from its middle.
/// </summary>
/// <param name="stream">The stream, as an input.</param>
/// <param name="most">So many bytes are kept at most; who reads on after them cannot begin anew.</param>
sealed class RepeatableInput(InputFile stream, long most) : IDisposable
{
    readonly Lock _lock = new(); // a read may be under way when nothing more is to be kept
    ByteSource? _live;
    FileStream? _kept;
    bool _keeps = true;
    bool _isLost;
    bool _ended;

    /// <summary>Whether all that the stream gave is there.</summary>
    public bool CanRepeat
    {
        get
        {
            lock (_lock) return !_isLost;
        }
    }

    /// <summary>The input, to be opened as often as is needed.</summary>
    public InputFile Input => stream with { Opened = Open };

    /// <summary>Keeps nothing any more: the opening at hand is the last, and has read all that was kept.</summary>
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

    /// <summary>Keeps nothing more: the next opening is the last.</summary>
    public void KeepNoMore()
    {
        lock (_lock) _keeps = false;
    }

    /// <summary>The stream gives no more than it gave so far.</summary>
    public void End() => _ended = true;

    public void Dispose()
    {
        Release();
        _live?.Dispose();
    }

    /// <exception cref="InputException">Its beginning is not there any more.</exception>
    Opening Open() => CanRepeat ? new(this) : throw new InputException($"is a stream that has to be read twice, and what it gave could not be kept. Make room in {TemporaryFile.Folder}, name another folder by TMPDIR, or put the stream into a file") { Outcome = RunOutcome.DiskFailed };

    /// <summary>What the stream gives next, which is kept.</summary>
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
