using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>
/// Reads one record per row. Rows end outside quotes, according to the dialect; the last may lack its line end if it has all its cells. The offset
/// is that of the row's first byte, the line the one on which it begins. A row that yields no record is kept byte for byte.
/// No record is returned until the column types were inferred from the first rows, of at most 1 MiB.
/// </summary>
sealed class DelimitedReader : RecordReader
{
    readonly InputWindow _window;
    readonly Dialect _dialect;
    readonly RowSplitter _splitter;
    readonly ColumnMap _columns;
    readonly InferredTypes _types;
    readonly RowRecords _rows;
    long _line;
    bool _openLine;
    ReadPosition _position;

    // The current row, when it is too large.
    OversizedRecord? _oversized;
    Hash128 _fingerprintBefore;
    long _offsetBefore = -1;

    // The first rows, while types are inferred from them; how much was inspected; and the damage that ended this.
    RowSplitter? _first;
    int _looked;
    int _rowsLooked;
    InputException? _damage;

    /// <param name="window">Positioned after the header, or after what an earlier run has read.</param>
    /// <param name="dialect">How rows and cells are delimited.</param>
    /// <param name="columns">How cells become fields.</param>
    /// <param name="types">Infers the types of columns from the first rows.</param>
    /// <param name="known">Whether the types are already known.</param>
    /// <param name="request">The options of the import.</param>
    /// <param name="line">The number of lines before.</param>
    /// <param name="openLine">Whether the line begins with a row that was already read, without a line end.</param>
    public DelimitedReader(InputWindow window, Dialect dialect, ColumnMap columns, InferredTypes types, bool known, ImportRequest request, long line,
        bool openLine = false)
    {
        (_window, _dialect, _columns, _types, _line, _openLine) = (window, dialect, columns, types, line, openLine);
        (_splitter, _rows) = (new RowSplitter(dialect), new RowRecords(dialect, columns, types, request));
        _position = new(window.Offset, line, openLine);
        _first = known ? null : new RowSplitter(dialect);
        if (!known) Look();
    }

    public override ReadPosition Position => _position;

    public override string? ColumnTypes => HoldsBack ? null : _types.Written;

    public override IReadOnlyList<string> Columns => _columns.Names;

    public override string Delimiter => Dialect.NameOf(_dialect.Delimiter);

    public override bool HoldsBack => _first is not null;

    public override long RawPosition => _window.RawPosition;

    public override string? PartialReason => _splitter.IsOpen ? "a quoted cell or an escape in it does not end" : null;

    public override bool HasPartialRecord => _oversized is not null || (!_openLine && !IsBlank(_window.Unread));

    public override Hash128 Fingerprint(ReadPosition position) =>
        position.Offset == _offsetBefore ? _fingerprintBefore : _window.Fingerprint(position.Offset);

    public override async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_damage is not null) throw _damage;
        try
        {
            return await _window.FillAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (InputException e) when (HoldsBack)
        {
            // Process what came before.
            (_first, _damage) = (null, e);
            return true;
        }
    }

    public override async ValueTask<bool> FillWithinAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        if (_rowsLooked > 0 && !_window.Ended && !await _window.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false))
        {
            _first = null;
            return true;
        }

        return await FillAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Inspects the first rows available, and stops when there are enough: always at the same row, however the input arrives.</summary>
    public void Look()
    {
        while (_first is { } first)
        {
            var text = _window.Unread[_looked..];
            var length = first.LengthOfRow(text, _window.Ended);
            var isLarge = _looked + (length < 0 ? text.Length : length) > InputWindow.LargestRecord;
            if (length < 0 && !_window.Ended && !isLarge) return;
            if (!isLarge && (length >= 0 || !first.IsOpen)) Look(first, length < 0 ? text : text[..length]);
            if (length < 0 || isLarge || _rowsLooked >= InferredTypes.FirstRows) _first = null;
            _looked += length + first.EndLength;
            first.Reset();
        }
    }

    public override bool TryRead(out Record record)
    {
        record = default;
        if (_first is not null) Look();
        if (_first is not null) return false;
        if (_openLine && !CloseLine()) return false;

        var length = _splitter.LengthOfRow(_window.Unread, _window.Ended);
        if (length >= 0)
        {
            record = Give(_window.Unread[..length], _splitter.EndLength);
            return true;
        }

        if (_window.Unread.Length > InputWindow.LargestRecord) PassBy();
        if (!_window.Ended || _splitter.IsOpen || (_oversized is null && !IsWhole(_window.Unread))) return false;
        record = Give(_window.Unread, end: 0);
        return true;
    }

    public override void Dispose()
    {
        _oversized?.Dispose();
        _window.Dispose();
    }

    void Look(RowSplitter first, ReadOnlySpan<byte> row)
    {
        if (IsBlank(row)) return;
        if (row.EndsWith("\r"u8)) row = row[..^1];
        first.Split(row);
        if (first.Malformed || first.Count != _columns.Names.Count) return;
        _rowsLooked++;
        for (var i = 0; i < first.Count; i++)
            if (first.Cell(row, i) is { IsEmpty: false } cell && !_rows.IsNull(first, row, i)) _types.Look(i, cell);
    }

    Record Give(ReadOnlySpan<byte> text, int end)
    {
        var (offset, number) = (_position.Offset, _position.Line + 1);
        _line += _splitter.CountLines(text) + (end > 0 ? 1 : 0);
        _openLine = end == 0;
        _window.Advance(text.Length + end);
        _splitter.Reset();
        _position = new(_window.Offset, _line, _openLine);

        var row = text.EndsWith("\r"u8) ? text[..^1] : text;
        if (row.Length > InputWindow.LargestRecord) _oversized ??= new OversizedRecord();
        if (_oversized is { } oversized)
        {
            oversized.Append(row);
            _oversized = null;
            return new Record { Kind = RecordKind.Oversized, Oversized = oversized.Complete(), Offset = offset, Line = number };
        }

        return IsBlank(row) ? new Record { Kind = RecordKind.Blank, Offset = offset, Line = number } : _rows.Read(row, offset, number);
    }

    /// <summary>Releases the beginning of a row that is too large, so that memory stays bounded.</summary>
    void PassBy()
    {
        if (_oversized is null)
        {
            _oversized = new OversizedRecord();
            (_fingerprintBefore, _offsetBefore) = (_window.Fingerprint(_window.Offset), _window.Offset);
        }

        var part = _window.Unread[.._splitter.Scanned];
        if (part.EndsWith("\r"u8)) part = part[..^1]; // it may belong to the line end
        _oversized.Append(part);
        _line += _splitter.CountLines(part);
        _window.Advance(part.Length);
        _splitter.Forget(part.Length);
    }

    /// <summary>Consumes the line end of a last row that an earlier run read without it; nothing else may follow.</summary>
    bool CloseLine()
    {
        var unread = _window.Unread;
        var end = _dialect.EndsWithReturn ? unread.IndexOfAny((byte)'\r', (byte)'\n') : unread.IndexOf((byte)'\n');
        if (!IsBlank(end < 0 ? unread : unread[..end])) throw InputException.Changed("has changed: its last row, which was already imported, is longer now");
        if (end < 0) return false;
        _window.Advance(end + (unread[end..].StartsWith("\r\n"u8) ? 2 : 1));
        _line++;
        _openLine = false;
        _position = new(_window.Offset, _line, OpenLine: false);
        return true;
    }

    /// <summary>Whether a last row without a line end is complete: it has all its cells, or is blank.</summary>
    bool IsWhole(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return false;
        if (IsBlank(text)) return true;
        _splitter.Split(text);
        return _splitter.Count >= _columns.Names.Count;
    }

    static bool IsBlank(ReadOnlySpan<byte> row) => row.IndexOfAnyExcept((byte)' ', (byte)'\r') < 0;
}
