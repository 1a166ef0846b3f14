using System.Buffers;
using System.Text.Json;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>
/// JSON objects one after the other, each over as many lines as it takes, as <c>jq .</c> writes them. Follows only strings and
/// brackets, so that an object that is no valid JSON is one bad record. One that is not closed ends where a line begins another
/// object in a place where none can stand.
/// </summary>
sealed class JsonSequenceReader : RecordReader
{
    static readonly SearchValues<byte> Marks = SearchValues.Create("\"[]{}"u8);

    // 0x1e begins each text in JSON text sequences (RFC 7464).
    static readonly SearchValues<byte> Spaces = SearchValues.Create(" \t\r\n\u001e"u8);

    readonly InputWindow _window;
    ReadPosition _position;
    long _line;

    // The value at hand.
    bool _begun;
    int _scanned;
    int _depth;
    ulong _objects; // a bit for each open bracket, the innermost last: is it an object's?
    bool _inString;
    long _valueOffset;
    long _valueLine;
    OversizedRecord? _oversized;
    UInt128? _fingerprint;
    UInt128 _previousFingerprint;

    /// <param name="window">Stands where reading begins.</param>
    /// <param name="line">The line ends before it.</param>
    public JsonSequenceReader(InputWindow window, long line)
    {
        (_window, _line) = (window, line);
        _position = new(window.Offset, line, OpenLine: false);
    }

    // What stands between two values belongs to the next.
    public override ReadPosition Position => _position;

    public override long RawPosition => _window.RawPosition;

    public override bool HasPartialRecord => _begun;

    public override UInt128 Fingerprint(ReadPosition position) =>
        position == _position ? _fingerprint ??= _window.Fingerprint(position.Offset) : _previousFingerprint;

    public override ValueTask<bool> FillAsync(CancellationToken cancellationToken) => _window.FillAsync(cancellationToken);

    /// <summary>Whether a text is such a sequence, by its beginning; null when that does not show yet.</summary>
    /// <remarks>Where the first object ends on the line that it begins on, each line is one record, unless lines end with CR alone.</remarks>
    /// <param name="text">The beginning.</param>
    /// <param name="isAll">Whether more of it is not to be had.</param>
    public static bool? Begins(ReadOnlySpan<byte> text, bool isAll = false)
    {
        text = text.TrimStart(" \t\r\n"u8);
        if (text is [0x1e, ..]) return text.IndexOfAnyExcept(Spaces) is var first && first >= 0 ? text[first] == '{' : isAll ? false : null;
        if (text is not [(byte)'{', ..]) return false;
        try
        {
            var reader = new Utf8JsonReader(text, isFinalBlock: false, default);
            reader.Read();
            if (!reader.TrySkip()) return isAll ? GoesOnWithName(text) : null;
            if (text[..(int)reader.BytesConsumed].Contains((byte)'\n')) return true;
            var rest = text[(int)reader.BytesConsumed..].TrimStart(" \t"u8);
            return rest is [] or [(byte)'\r'] && !isAll ? null : rest is [(byte)'\r', not (byte)'\n', ..];
        }
        catch (JsonException)
        {
            return GoesOnWithName(text);
        }
    }

    /// <summary>A first line that is cut short is followed by an object; that of an object over several lines, by a name.</summary>
    static bool GoesOnWithName(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'\n');
        return end > 0 && text[..end].TrimEnd(" \t\r"u8) is [.., (byte)'{' or (byte)'[' or (byte)','] && text[end..].TrimStart(" \t\r\n"u8) is [(byte)'"', ..];
    }

    public override bool TryRead(out Record record)
    {
        record = default;
        if (!_begun && !FindValue()) return false;
        if (ValueLength() is not { } length) return false;

        var bytes = _window.Unread[..length];
        if (length > InputWindow.LargestRecord) _oversized ??= new OversizedRecord();
        _line += bytes.Count((byte)'\n');
        _window.Advance(length);
        (_begun, _scanned, _depth, _objects, _inString) = (false, 0, 0, 0, false);
        _position = new(_window.Offset, _line, OpenLine: false);
        (_previousFingerprint, _fingerprint) = (_fingerprint!.Value, null);
        if (_oversized is { } oversized)
        {
            oversized.Append(bytes);
            _oversized = null;
            record = new Record { Kind = RecordKind.Oversized, Oversized = oversized.Complete(), Offset = _valueOffset, Line = _valueLine };
            return true;
        }

        record = new Record { Kind = RecordKind.Json, Bytes = bytes, Offset = _valueOffset, Line = _valueLine };
        return true;
    }

    public override void Dispose()
    {
        _oversized?.Dispose();
        _window.Dispose();
    }

    /// <summary>Uses up all before the next value; false when it is not there yet.</summary>
    bool FindValue()
    {
        Fingerprint(_position); // while the window still has what it needs
        var unread = _window.Unread;
        var space = unread.IndexOfAnyExcept(Spaces);
        var skipped = unread[..(space < 0 ? unread.Length : space)];
        _line += skipped.Count((byte)'\n');
        _window.Advance(skipped.Length);
        if (space < 0) return false;
        (_begun, _valueOffset, _valueLine) = (true, _window.Offset, _line + 1);
        return true;
    }

    /// <summary>The length of the value that the unread bytes begin with; null when its end is not there yet.</summary>
    int? ValueLength()
    {
        var unread = _window.Unread;
        if (_depth == 0 && _oversized is null && unread[0] is not ((byte)'{' or (byte)'[')) return LineLength(unread);
        while (_scanned < unread.Length)
        {
            if (_inString)
            {
                if (!PassString(unread)) break;
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
                case (byte)'{' when _depth > 0 && BeginsAnother(unread):
                    return unread[.._scanned].TrimEnd(" \t\r\n"u8).Length;
                case (byte)'{' or (byte)'[':
                    _depth++;
                    _objects = (_objects << 1) | (unread[_scanned] == '{' ? 1UL : 0);
                    break;
                default:
                    _objects >>= 1;
                    if (--_depth == 0) return ++_scanned;
                    break;
            }

            _scanned++;
        }

        if (unread.Length > InputWindow.LargestRecord) PassBy(unread);
        return null;
    }

    /// <summary>False when more is needed. A line end is none of a string: the quote before it was not meant.</summary>
    bool PassString(ReadOnlySpan<byte> unread)
    {
        var stop = unread[_scanned..].IndexOfAny("\"\\\r\n"u8);
        if (stop < 0)
        {
            _scanned = unread.Length;
            return false;
        }

        var isEscape = unread[_scanned + stop] == '\\';
        if (isEscape && _scanned + stop + 1 >= unread.Length)
        {
            _scanned += stop;
            return false; // what is escaped is not there yet
        }

        _scanned += stop + (isEscape ? 2 : 1);
        _inString = isEscape;
        return true;
    }

    /// <summary>What is no object or array ends with its line.</summary>
    int? LineLength(ReadOnlySpan<byte> unread)
    {
        var end = unread.IndexOfAny((byte)'\r', (byte)'\n');
        if (end >= 0 || _window.Ended) return unread[..(end < 0 ? unread.Length : end)].TrimEnd(" \t\r"u8).Length;
        _scanned = unread.Length;
        if (unread.Length > InputWindow.LargestRecord) throw new InputException($"is no sequence of JSON objects: what stands on line {_valueLine} is none");
        return null;
    }

    /// <summary>Whether a brace begins a line where no object can stand: then the value at hand was not closed.</summary>
    bool BeginsAnother(ReadOnlySpan<byte> unread)
    {
        var indent = unread[.._scanned].TrimEnd(" \t"u8);
        if (indent is not [.., (byte)'\r' or (byte)'\n']) return false;
        var before = indent.TrimEnd(" \t\r\n"u8);
        if (before.IsEmpty) return false; // it was passed by
        return before[^1] switch
        {
            (byte)':' or (byte)'[' => false,
            (byte)',' => (_objects & 1) == 1,
            _ => true,
        };
    }

    /// <summary>Lets go of the beginning of a value that is too large, so that memory stays bounded.</summary>
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
