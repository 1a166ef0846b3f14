using System.Globalization;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>
/// One record a row. Rows end with LF or CR LF outside quotes; the last may lack its end when it has all its cells. The offset is
/// that of the row's first byte, the line the one that it begins on. A row that gives no record is kept with its own bytes.
/// </summary>
sealed class DelimitedReader(InputWindow window, RowSplitter splitter, ColumnMap columns, int cells, long line, bool openLine) : RecordReader
{
    static readonly Rejection Malformed = new("invalid_csv", null, "a quoted cell goes on after its closing quote");

    readonly RecordBuilder _builder = new(columns);
    long _line = line;
    bool _openLine = openLine;
    ReadPosition _position = new(window.Offset, line, openLine);

    // The row at hand, when it is too large.
    OversizedRecord? _oversized;
    UInt128 _fingerprintBefore;
    long _offsetBefore = -1;

    // The row that is being written.
    ReadOnlyMemory<byte> _row;
    byte[] _rowBuffer = [];

    public override ReadPosition Position => _position;

    public override long RawPosition => window.RawPosition;

    public override bool HasPartialRecord => _oversized is not null || (!_openLine && !IsBlank(window.Unread));

    public override UInt128 Fingerprint(ReadPosition position) =>
        position.Offset == _offsetBefore ? _fingerprintBefore : window.Fingerprint(position.Offset);

    public override ValueTask<bool> FillAsync(CancellationToken cancellationToken) => window.FillAsync(cancellationToken);

    public override bool TryRead(out Record record)
    {
        record = default;
        if (_openLine && !CloseLine()) return false;

        var length = splitter.LengthOfRow(window.Unread, window.Ended);
        if (length >= 0)
        {
            record = Give(window.Unread[..length], ended: true);
            return true;
        }

        if (window.Unread.Length > InputWindow.LargestRecord) PassBy();
        if (!window.Ended || splitter.InQuotes || (_oversized is null && !IsWhole(window.Unread))) return false;
        record = Give(window.Unread, ended: false);
        return true;
    }

    public override void Dispose()
    {
        _oversized?.Dispose();
        window.Dispose();
    }

    Record Give(ReadOnlySpan<byte> text, bool ended)
    {
        var (offset, number) = (_position.Offset, _position.Line + 1);
        _line += text.Count((byte)'\n') + (ended ? 1 : 0);
        _openLine = !ended;
        window.Advance(text.Length + (ended ? 1 : 0));
        splitter.Reset();
        _position = new(window.Offset, _line, _openLine);

        var row = text.EndsWith("\r"u8) ? text[..^1] : text;
        if (row.Length > InputWindow.LargestRecord) _oversized ??= new OversizedRecord();
        if (_oversized is { } oversized)
        {
            oversized.Append(row);
            _oversized = null;
            return new Record { Kind = RecordKind.Oversized, Oversized = oversized.Complete(), Offset = offset, Line = number };
        }

        if (IsBlank(row)) return new Record { Kind = RecordKind.Blank, Offset = offset, Line = number };
        splitter.Split(row);
        if (splitter.Malformed) return new Record { Bytes = row, Offset = offset, Line = number, Rejection = Malformed };
        if (splitter.Count != cells) return new Record { Bytes = row, Offset = offset, Line = number, Rejection = Ragged(splitter.Count) };

        if (_rowBuffer.Length < row.Length) _rowBuffer = new byte[Math.Max(row.Length, 4096)];
        row.CopyTo(_rowBuffer);
        _row = _rowBuffer.AsMemory(0, row.Length);
        return _builder.Build(WriteCell, offset, number) with { Row = _row.Span };
    }

    void WriteCell(JsonText json, in ColumnField field) => Cell.Write(json, splitter.Cell(_row.Span, field.Column), field.Kind);

    Rejection Ragged(int found) => new("ragged_row", null, string.Create(CultureInfo.InvariantCulture, $"the row has {found} cells, the header {cells}"));

    /// <summary>Lets go of the beginning of a row that is too large, so that memory stays bounded.</summary>
    void PassBy()
    {
        if (_oversized is null)
        {
            _oversized = new OversizedRecord();
            (_fingerprintBefore, _offsetBefore) = (window.Fingerprint(window.Offset), window.Offset);
        }

        var part = window.Unread[..splitter.Scanned];
        if (part.EndsWith("\r"u8)) part = part[..^1]; // it may belong to the line end
        _oversized.Append(part);
        _line += part.Count((byte)'\n');
        window.Advance(part.Length);
        splitter.Forget(part.Length);
    }

    /// <summary>An earlier run took the last row without its end: what follows now may only be that end.</summary>
    bool CloseLine()
    {
        var unread = window.Unread;
        var end = unread.IndexOf((byte)'\n');
        if (!IsBlank(end < 0 ? unread : unread[..end])) throw InputException.Changed("has changed: its last row, which was already imported, is longer now");
        if (end < 0) return false;
        window.Advance(end + 1);
        _line++;
        _openLine = false;
        _position = new(window.Offset, _line, OpenLine: false);
        return true;
    }

    /// <summary>Whether a last row without its end is all there: it has its cells, or it is blank.</summary>
    bool IsWhole(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return false;
        if (IsBlank(text)) return true;
        splitter.Split(text);
        return splitter.Count >= cells;
    }

    static bool IsBlank(ReadOnlySpan<byte> row) => row.IndexOfAnyExcept((byte)' ', (byte)'\r') < 0;
}
