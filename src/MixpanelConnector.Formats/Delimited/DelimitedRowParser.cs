using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>Parses the rows in dead letters, most of which are from the same file.</summary>
sealed class DelimitedRowParser(ImportRequest request) : RowParser
{
    static readonly Rejection SeveralRows = new("invalid_csv", null, "this is more than one row: there is a line end outside of quotes");
    static readonly Rejection Unclosed = new("invalid_csv", null, "a quoted cell has no closing quote");

    byte[] _layout = [];
    RowSplitter? _splitter;
    RowRecords? _rows;

    public override Record Parse(ReadOnlySpan<byte> row, ReadOnlySpan<byte> layout, long offset, long line)
    {
        if (_rows is null || !layout.SequenceEqual(_layout)) Begin(layout);
        _splitter!.Reset();
        var length = _splitter.LengthOfRow(row, ended: true);
        return length >= 0 ? _rows!.Refused(row, SeveralRows, offset, line)
            : _splitter.IsOpen ? _rows!.Refused(row, Unclosed, offset, line)
            : _rows!.Read(row, offset, line);
    }

    void Begin(ReadOnlySpan<byte> json)
    {
        var layout = RowLayout.Parse(json);
        if (layout.Columns.Count == 0) throw new FormatException("The layout of a row has no columns.");
        try
        {
            var columns = new ColumnMap(layout.Columns, request, mayLackNames: true);
            var types = new InferredTypes(columns, request.DecimalSeparator);
            if (layout.Types is { } known) types.TryTake(known);
            (_layout, _splitter, _rows) =
                (json.ToArray(), new RowSplitter(layout.Dialect), new RowRecords(layout.Dialect, columns, types, request, layout.NullValues));
        }
        catch (InputException e)
        {
            throw new FormatException(e.Message, e);
        }
    }
}
