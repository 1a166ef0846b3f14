using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Inspect;

/// <summary>
/// A stream that can be read again from its beginning, because what it gave is kept in a temporary file. Each opening begins
/// anew, and goes on with what the stream gives. One opening at a time.
/// </summary>
/// <param name="stream">The stream, as an input.</param>
/// <param name="most">So many bytes are kept at most; who reads on after them cannot begin anew.</param>
sealed class RepeatableInput(InputFile stream, long most) : IDisposable
{
    ByteSource? _live;
    FileStream? _kept;
    bool _keeps = true;
    bool _ended;

    /// <summary>Whether all that the stream gave is there.</summary>
    public bool CanRepeat => _keeps;

    /// <summary>The input, to be opened as often as is needed.</summary>
    public InputFile Input => stream with { Opened = Open };

    /// <summary>Keeps nothing any more: the opening at hand is the last.</summary>
    public void Release()
    {
        _keeps = false;
        _kept?.Dispose();
        _kept = null;
    }

    /// <summary>The stream gives no more than it gave so far.</summary>
    public void End() => _ended = true;

    public void Dispose()
    {
        Release();
        _live?.Dispose();
    }

    Opening Open() => new(this);

    /// <summary>What the stream gives next, which is kept.</summary>
    async ValueTask<int> ReadLiveAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (_ended) return 0;
        _live ??= stream.Open();
        var read = await _live.ReadAsync(target, cancellationToken).ConfigureAwait(false);
        if (!_keeps) return read;
        try
        {
            _kept ??= TemporaryFile.Create();
            if (_kept.Length + read > most) Release();
            else _kept.Write(target.Span[..read]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Release();
        }

        return read;
    }

    sealed class Opening(RepeatableInput input) : ByteSource
    {
        long _position;

        public override long RawPosition => _position;

        public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
        {
            int read;
            if (input._kept is { } kept && _position < kept.Length)
            {
                kept.Position = _position;
                read = kept.Read(target.Span);
                kept.Position = kept.Length;
            }
            else
            {
                read = await input.ReadLiveAsync(target, cancellationToken).ConfigureAwait(false);
            }

            _position += read;
            return read;
        }

        public override void Dispose() { } // the stream stays open for the next opening
    }
}
