using System.Buffers;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>The elements of one JSON array, pretty-printed or not. Follows only strings and brackets, so that an element that is no valid JSON is one bad record.</summary>
sealed class JsonArrayReader : RecordReader
{
    enum Expecting
    {
        Opening,
        FirstElementOrEnd,
        CommaOrEnd,
        Element,
        Nothing,
    }

    static readonly SearchValues<byte> Marks = SearchValues.Create("\"[]{},"u8);

    readonly InputWindow _window;
    Expecting _expecting;
    ReadPosition _position;
    long _line;

    // The element at hand.
    int _scanned;
    int _depth;
    bool _inString;
    long _elementOffset;
    long _elementLine;
    OversizedRecord? _oversized;
    UInt128? _fingerprint;
    UInt128 _previousFingerprint;

    /// <param name="window">Stands where reading begins.</param>
    /// <param name="line">The lines before it.</param>
    /// <param name="begun">Whether that is after an element, and not before the array.</param>
    public JsonArrayReader(InputWindow window, long line, bool begun)
    {
        _window = window;
        _line = line;
        _position = new(window.Offset, line, OpenLine: false);
        _expecting = begun ? Expecting.CommaOrEnd : Expecting.Opening;
    }

    // What stands between two elements belongs to the next: an array may grow by rewriting its closing bracket.
    public override ReadPosition Position => _position;

    public override long RawPosition => _window.RawPosition;

    public override bool HasPartialRecord => _scanned > 0 || _oversized is not null;

    public override UInt128 Fingerprint(ReadPosition position) =>
        position == _position ? _fingerprint ??= _window.Fingerprint(position.Offset) : _previousFingerprint;

    public override async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (await _window.FillAsync(cancellationToken).ConfigureAwait(false)) return true;
        if (_expecting is not Expecting.Nothing) throw new InputException("is cut short: the JSON array is not closed");
        return false;
    }

    public override bool TryRead(out Record record)
    {
        record = default;
        if (!HasPartialRecord && !FindElement()) return false;
        if (ElementLength() is not { } length) return false;

        var bytes = _window.Unread[..length];
        if (length > InputWindow.LargestRecord) _oversized ??= new OversizedRecord();
        _line += bytes.Count((byte)'\n');
        _window.Advance(length);
        (_scanned, _depth, _inString, _expecting) = (0, 0, false, Expecting.CommaOrEnd);
        _position = new(_window.Offset, _line, OpenLine: false);
        _previousFingerprint = _fingerprint!.Value; // taken before what stood between the elements was passed
        _fingerprint = null;
        if (_oversized is { } oversized)
        {
            oversized.Append(bytes);
            _oversized = null;
            record = new Record { Kind = RecordKind.Oversized, Oversized = oversized.Complete(), Offset = _elementOffset, Line = _elementLine };
            return true;
        }

        record = new Record { Kind = RecordKind.Json, Bytes = bytes, Offset = _elementOffset, Line = _elementLine };
        return true;
    }

    public override void Dispose()
    {
        _oversized?.Dispose();
        _window.Dispose();
    }

    /// <summary>Uses up all before the next element; false when it is not there yet.</summary>
    bool FindElement()
    {
        while (true)
        {
            var unread = _window.Unread;
            var space = unread.IndexOfAnyExcept(" \t\r\n"u8);
            var skipped = unread[..(space < 0 ? unread.Length : space)];
            if (!skipped.IsEmpty) Pass(skipped);
            if (space < 0) return false;

            var next = _window.Unread[0];
            switch (_expecting, next)
            {
                case (Expecting.Opening, (byte)'['):
                    _expecting = Expecting.FirstElementOrEnd;
                    break;
                case (Expecting.FirstElementOrEnd or Expecting.CommaOrEnd, (byte)']'):
                    _expecting = Expecting.Nothing;
                    break;
                case (Expecting.CommaOrEnd, (byte)','):
                    _expecting = Expecting.Element;
                    break;
                case (Expecting.FirstElementOrEnd or Expecting.Element, not ((byte)',' or (byte)']' or (byte)'}' or (byte)':')):
                    (_elementOffset, _elementLine) = (_window.Offset, _line + 1);
                    return true;
                default:
                    throw new InputException($"is no valid JSON array: an unexpected character on line {_line + 1}, at byte {_window.Offset}");
            }

            Pass(_window.Unread[..1]);
        }
    }

    void Pass(ReadOnlySpan<byte> used)
    {
        if (_position.Offset == _window.Offset) Fingerprint(_position); // while the window still has what it needs
        _line += used.Count((byte)'\n');
        _window.Advance(used.Length);
    }

    /// <summary>The length of the element that the unread bytes begin with; null when its end is not there yet.</summary>
    int? ElementLength()
    {
        var unread = _window.Unread;
        while (_scanned < unread.Length)
        {
            if (_inString)
            {
                var stop = unread[_scanned..].IndexOfAny((byte)'"', (byte)'\\');
                if (stop < 0)
                {
                    _scanned = unread.Length;
                    break;
                }

                var escape = unread[_scanned + stop] == '\\';
                if (escape && _scanned + stop + 1 >= unread.Length)
                {
                    _scanned += stop;
                    break; // what is escaped is not there yet
                }

                _scanned += stop + (escape ? 2 : 1);
                _inString = escape;
                if (!escape && _depth == 0) return _scanned;
                continue;
            }

            var mark = unread[_scanned..].IndexOfAny(Marks);
            if (mark < 0)
            {
                _scanned = unread.Length;
                break;
            }

            _scanned += mark;
            switch (unread[_scanned])
            {
                case (byte)'"':
                    _inString = true;
                    break;
                case (byte)'[' or (byte)'{':
                    _depth++;
                    break;
                case (byte)',' when _depth == 0:
                case (byte)']' or (byte)'}' when _depth == 0:
                    return unread[.._scanned].TrimEnd(" \t\r\n"u8).Length; // a number, true, false or null ends before
                case (byte)']' or (byte)'}' when --_depth == 0:
                    return ++_scanned;
            }

            _scanned++;
        }

        if (unread.Length > InputWindow.LargestRecord) PassBy(unread);
        return null;
    }

    /// <summary>Lets go of the beginning of an element that is too large, so that memory stays bounded.</summary>
    void PassBy(ReadOnlySpan<byte> unread)
    {
        _oversized ??= new OversizedRecord();
        var part = unread[.._scanned];
        _oversized.Append(part);
        _line += part.Count((byte)'\n');
        _window.Advance(part.Length);
        _scanned = 0;
    }
}
