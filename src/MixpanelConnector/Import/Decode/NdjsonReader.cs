using System.Text.Json;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Decode;

/// <summary>Reads one record per line, ended by LF or CR LF. The last line may lack its line end if its JSON is complete.</summary>
sealed class NdjsonReader : RecordReader
{
    readonly InputWindow _window;
    readonly int _largestRecord;
    long _line;
    bool _openLine;
    int _scanned;
    OversizedRecord? _oversized;
    JsonNesting _nesting;
    long _oversizedOffset = -1;
    Hash128 _fingerprintBefore;
    bool _heldReturn;

    /// <param name="window">Positioned where reading begins.</param>
    /// <param name="line">The number of lines before it.</param>
    /// <param name="openLine">Whether the line begins with a record that was already read, without a line end.</param>
    /// <param name="largestRecord">The length above which a line is not kept in memory.</param>
    public NdjsonReader(InputWindow window, long line, bool openLine, int largestRecord = InputWindow.LargestRecord)
    {
        (_window, _line, _openLine, _largestRecord) = (window, line, openLine, largestRecord);
    }

    public override ReadPosition Position => new(_oversized is null ? _window.Offset : _oversizedOffset, _line, _openLine);

    public override long RawPosition => _window.RawPosition;

    public override bool HasPartialRecord => _oversized is not null || (!_openLine && !IsBlank(_window.Unread));

    public override Hash128 Fingerprint(ReadPosition position) =>
        position.Offset == _oversizedOffset ? _fingerprintBefore : _window.Fingerprint(position.Offset);

    public override ValueTask<bool> FillAsync(CancellationToken cancellationToken) => _window.FillAsync(cancellationToken);

    public override bool TryRead(out Record record)
    {
        if (_openLine && !CloseLine())
        {
            record = default;
            return false;
        }

        var unread = _window.Unread;
        var length = unread[_scanned..].IndexOf((byte)'\n');
        if (length >= 0) return Give(unread[..(_scanned + length)], ended: true, out record);

        _scanned = unread.Length;
        if (unread.Length > _largestRecord) PassBy(unread);
        if (_window.Ended && (_oversized is null ? !unread.IsEmpty && IsWhole(unread) : _nesting.IsWhole(_window.Unread)))
            return Give(_window.Unread, ended: false, out record);
        record = default;
        return false;
    }

    public override void Dispose()
    {
        _oversized?.Dispose();
        _window.Dispose();
    }

    bool Give(ReadOnlySpan<byte> line, bool ended, out Record record)
    {
        var number = ++_line;
        if (!ended)
        {
            _openLine = true;
            _line--; // the line counts once its end has arrived
        }

        var offset = _window.Offset;
        _window.Advance(line.Length + (ended ? 1 : 0));
        _scanned = 0;
        if (_oversized is { } oversized)
        {
            AppendOversized(line);
            (_oversized, _heldReturn) = (null, false);
            record = new Record { Kind = RecordKind.Oversized, Oversized = oversized.Complete(), Offset = _oversizedOffset, Line = number };
            return true;
        }

        var leading = line.IndexOfAnyExcept((byte)' ', (byte)'\t', (byte)'\r');
        if (leading < 0)
        {
            record = new Record { Kind = RecordKind.Blank, Offset = offset, Line = number };
            return true;
        }

        var last = line.LastIndexOfAnyExcept((byte)' ', (byte)'\t', (byte)'\r');
        line = line[leading..(last + 1)];
        if (line.Length > _largestRecord)
        {
            oversized = new OversizedRecord();
            oversized.Append(line);
            record = new Record { Kind = RecordKind.Oversized, Oversized = oversized.Complete(), Offset = offset + leading, Line = number };
            return true;
        }

        record = new Record { Kind = RecordKind.Json, Bytes = line, Offset = offset + leading, Line = number };
        return true;
    }

    /// <summary>Releases the beginning of a line that is too long, so that memory stays bounded.</summary>
    void PassBy(ReadOnlySpan<byte> unread)
    {
        if (_oversized is null)
        {
            _oversized = new OversizedRecord();
            _nesting = default;
            (_fingerprintBefore, _oversizedOffset) = (_window.Fingerprint(_window.Offset), _window.Offset);
        }

        AppendOversized(unread);
        _nesting.Pass(unread);
        _window.Advance(unread.Length);
        _scanned = 0;
    }

    /// <summary>Appends to an oversized line. A CR is held back until the next byte shows whether it belongs to the line end.</summary>
    void AppendOversized(ReadOnlySpan<byte> part)
    {
        if (part.IsEmpty) return;
        if (_heldReturn) _oversized!.Append("\r"u8);
        _heldReturn = part[^1] == '\r';
        _oversized!.Append(_heldReturn ? part[..^1] : part);
    }

    /// <summary>Consumes the line end of a last line that an earlier run read without it; nothing else may follow.</summary>
    bool CloseLine()
    {
        var unread = _window.Unread;
        var end = unread.IndexOf((byte)'\n');
        if (!IsBlank(end < 0 ? unread : unread[..end])) throw InputException.Changed("has changed: its last line, which was already imported, is longer now");
        if (end < 0) return false;
        _window.Advance(end + 1);
        _line++;
        _openLine = false;
        return true;
    }

    static bool IsBlank(ReadOnlySpan<byte> text) => text.IndexOfAnyExcept((byte)' ', (byte)'\t', (byte)'\r') < 0;

    /// <summary>Whether a last line without a line end is complete: its JSON is, or it is blank.</summary>
    static bool IsWhole(ReadOnlySpan<byte> line)
    {
        if (IsBlank(line)) return true;
        try
        {
            var reader = new Utf8JsonReader(line);
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
