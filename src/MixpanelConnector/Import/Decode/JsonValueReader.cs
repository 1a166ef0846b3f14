using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Decode;

/// <summary>
/// Reads JSON values from a text. Tracks only strings and brackets, so that an invalid JSON value is one bad record. Anything
/// between two values belongs to the next.
/// </summary>
/// <param name="window">Positioned where reading begins.</param>
/// <param name="line">The number of line ends before it.</param>
abstract class JsonValueReader(InputWindow window, long line) : RecordReader
{
    ReadPosition _position = new(window.Offset, line, OpenLine: false);
    bool _begun;
    bool _wasRead = window.Offset > 0;
    bool _inString;
    long _offset;
    long _valueLine;
    OversizedRecord? _oversized;
    Hash128? _fingerprint;
    Hash128 _previousFingerprint;

    public override ReadPosition Position => _position;

    public override long RawPosition => window.RawPosition;

    public override bool HasPartialRecord => _begun;

    public override long LastLine => _wasRead ? _position.Line + 1 : 0;

    public override long PartialLine => _valueLine;

    protected InputWindow Window => window;

    /// <summary>The number of line ends passed.</summary>
    protected long Line { get; private set; } = line;

    /// <summary>The line on which the current value begins.</summary>
    protected long ValueLine => _valueLine;

    /// <summary>How many of the unread bytes were scanned.</summary>
    protected int Scanned { get; set; }

    /// <summary>Whether the beginning of the current value was released because the value is too large.</summary>
    protected bool IsOversized => _oversized is not null;

    /// <summary>Whether the scanned part ends within a string.</summary>
    protected bool InString
    {
        get => _inString;
        set => _inString = value;
    }

    public override Hash128 Fingerprint(ReadPosition position) =>
        position == _position ? _fingerprint ??= window.Fingerprint(position.Offset) : _previousFingerprint;

    public override bool TryRead(out Record record)
    {
        record = default;
        if (!_begun)
        {
            if (!FindValue()) return false;
            (_begun, _offset, _valueLine) = (true, window.Offset, Line + 1);
        }

        if (ValueLength() is not { } length) return false;
        var bytes = window.Unread[..length];
        if (length > InputWindow.LargestRecord) _oversized ??= new OversizedRecord();
        Advance(bytes);
        (_begun, Scanned, _inString) = (false, 0, false);
        EndValue();
        _wasRead = true;
        _position = new(window.Offset, Line, OpenLine: false);
        (_previousFingerprint, _fingerprint) = (_fingerprint!.Value, null); // computed before the text between the values was skipped
        if (_oversized is { } oversized)
        {
            oversized.Append(bytes);
            _oversized = null;
            record = new Record { Kind = RecordKind.Oversized, Oversized = oversized.Complete(), Offset = _offset, Line = _valueLine };
            return true;
        }

        record = new Record { Kind = RecordKind.Json, Bytes = bytes, Offset = _offset, Line = _valueLine };
        return true;
    }

    public override void Dispose()
    {
        _oversized?.Dispose();
        window.Dispose();
    }

    /// <summary>Skips to the next value; false when it is not available yet.</summary>
    protected abstract bool FindValue();

    /// <summary>The length of the value at the beginning of the unread bytes; null when it is incomplete.</summary>
    protected abstract int? ValueLength();

    /// <summary>Called after a value was read.</summary>
    protected abstract void EndValue();

    /// <summary>Skips text between two values.</summary>
    protected void Pass(ReadOnlySpan<byte> used)
    {
        if (_position.Offset == window.Offset) Fingerprint(_position); // while the window still has the bytes for it
        Advance(used);
    }

    /// <summary>Scans a string as far as available; false when more is needed.</summary>
    /// <param name="unread">The unread bytes.</param>
    /// <param name="stops">The bytes to stop at: the quote, the backslash, and anything else that ends a string.</param>
    protected bool PassString(ReadOnlySpan<byte> unread, ReadOnlySpan<byte> stops)
    {
        var stop = unread[Scanned..].IndexOfAny(stops);
        if (stop < 0)
        {
            Scanned = unread.Length;
            return false;
        }

        var isEscape = unread[Scanned + stop] == '\\';
        if (isEscape && Scanned + stop + 1 >= unread.Length)
        {
            Scanned += stop;
            return false; // the escaped character is not available yet
        }

        Scanned += stop + (isEscape ? 2 : 1);
        _inString = isEscape;
        return true;
    }

    /// <summary>Releases the beginning of a value that is too large, so that memory stays bounded.</summary>
    protected void PassBy(ReadOnlySpan<byte> unread)
    {
        if (unread.Length <= InputWindow.LargestRecord) return;
        _oversized ??= new OversizedRecord();
        var part = unread[..Scanned];
        _oversized.Append(part);
        Advance(part);
        Scanned = 0;
    }

    void Advance(ReadOnlySpan<byte> used)
    {
        Line += used.Count((byte)'\n');
        window.Advance(used.Length);
    }
}
