using System.Text;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>Converts rows to records. A row that yields none is kept byte for byte, together with what is needed to parse it once it was corrected.</summary>
/// <param name="dialect">How cells are delimited.</param>
/// <param name="columns">How cells become fields.</param>
/// <param name="types">The types of the columns.</param>
/// <param name="request">The options of the import.</param>
/// <param name="nullValues">The cells that count as empty; null for those in the request.</param>
sealed class RowRecords(Dialect dialect, ColumnMap columns, InferredTypes types, ImportRequest request, IReadOnlyList<string>? nullValues = null)
{
    static readonly Rejection Marked = new("invalid_csv", null, "a byte order mark precedes the row, as in concatenated files");
    static readonly Rejection Malformed = new("invalid_csv", null, "a quoted cell continues after its closing quote");

    readonly RowSplitter _splitter = new(dialect);
    readonly RecordBuilder _builder = new(columns, request);
    readonly IReadOnlyList<string> _nullValues = nullValues ?? request.NullValues;
    readonly byte[][] _nulls = [.. (nullValues ?? request.NullValues).Concat(dialect.Nulls).Where(text => text.Length > 0).Select(Encoding.UTF8.GetBytes)];
    readonly bool _writesNulls = request.Fix.HasFlag(ImportFixes.Nulls);
    readonly bool _timesFollowAFormat = request.TimeFormat is not null;
    readonly string _namedBy = request.ColumnsFrom is { } from ? $"{from} names"
        : request.NoHeader ? $"{request.InWords[Setting.ColumnNames]} names"
        : request.Replay is null ? "the header"
        : "the header of its file";
    readonly int[] _nameless =
    [
        .. Enumerable.Range(1, columns.Names.Count - 1).Where(i => string.IsNullOrWhiteSpace(columns.Names[i])),
    ]; // but for the first column, which numbers the rows then
    FieldWriter? _writeCell;
    byte[]? _layout;
    string? _typesOfLayout;
    ReadOnlyMemory<byte> _row;
    byte[] _rowBuffer = [];

    /// <summary>Parses a row to a record, valid until the next call.</summary>
    public Record Read(ReadOnlySpan<byte> row, long offset, long number)
    {
        _splitter.Split(row);
        if (_splitter.Malformed) return Refused(row, Malformed, offset, number);
        if (_splitter.Count != columns.Names.Count) return Refused(row, Ragged(_splitter.Count), offset, number);

        if (row.StartsWith(InputText.ByteOrderMark)) return Refused(row, Marked, offset, number);
        foreach (var column in _nameless)
            if (!_splitter.Cell(row, column).IsEmpty && !IsNull(_splitter, row, column)) return Refused(row, Nameless(column), offset, number);

        if (_rowBuffer.Length < row.Length) _rowBuffer = new byte[Math.Max(row.Length, 4096)];
        row.CopyTo(_rowBuffer);
        _row = _rowBuffer.AsMemory(0, row.Length);
        var record = _builder.Build(_writeCell ??= WriteCell, offset, number) with { Row = _row.Span };
        if (dialect.Delimiter != ',') _splitter.Part(_rowBuffer.AsSpan(0, row.Length), (byte)',');
        return record;
    }

    /// <summary>Whether a cell is written like one that counts as empty: the same text in quotes or with an escape is text.</summary>
    public bool IsNull(RowSplitter splitter, ReadOnlySpan<byte> row, int column)
    {
        if (_nulls.Length == 0) return false;
        var spelling = splitter.Spelling(row, column);
        foreach (var text in _nulls)
            if (spelling.SequenceEqual(text)) return true;
        return false;
    }

    /// <summary>Rejects a row.</summary>
    public Record Refused(ReadOnlySpan<byte> row, Rejection rejection, long offset, long number) =>
        new() { Bytes = row, Offset = offset, Line = number, Rejection = rejection, Layout = Layout() };

    byte[] Layout()
    {
        if (_layout is null || _typesOfLayout != types.Written)
            (_layout, _typesOfLayout) = (new RowLayout(columns.Names, dialect, _nullValues, types.Written).ToJson(), types.Written);
        return _layout;
    }

    void WriteCell(JsonText json, in ColumnField field)
    {
        var cell = _splitter.Cell(_row.Span, field.Column);
        if (cell.IsEmpty)
        {
            if (request.Exported is not null && _splitter.IsQuoted(field.Column)) json.AppendString(cell); // exports distinguish empty from missing
            return;
        }

        if (IsNull(_splitter, _row.Span, field.Column))
        {
            if (_writesNulls && field.Kind is FieldKind.Value) json.Append("null"u8); // removed and counted later
        }
        else if (field.HoldsProperties && field.Type is null && ColumnValue.TryProperties(cell, out var properties))
        {
            json.Append(properties);
        }
        else if (field.Type is not null || field.Kind is FieldKind.Text || field.HoldsProperties)
        {
            json.AppendString(cell);
        }
        else if (field.Kind is FieldKind.Time)
        {
            if (!_timesFollowAFormat && NumberText.IsLiteral(cell, exponents: false)) json.Append(cell);
            else json.AppendString(cell);
        }
        else if (types.Write(json, field.Column, cell) is { } type)
        {
            _builder.IsNotOf(type);
        }
    }

    Rejection Ragged(int found) =>
        new("ragged_row", null,
            $"the row has {Counted.Of(found, "cell")}, {_namedBy} {columns.Names.Count}{(columns.Names.Count == 1 && found > 1 && request.SkipLines == 0 ? $". If lines precede the header, {request.InWords[Setting.SkipLines]} skips them" : "")}");

    static Rejection Nameless(int column) =>
        new("nameless_column", null, $"there is a value in column {column + 1}, which has no name. Use {Setting.ColumnNames} to name it");
}
