using System.Globalization;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;
using ParquetSharp;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>Reads one record per row. Offsets count rows from 0, lines from 1. One page of each column is in memory at a time.</summary>
sealed class ParquetRecordReader : RecordReader
{
    /// <summary>The number of rows after which reading can be stopped.</summary>
    const int RowsPerFill = 1024;

    /// <summary>The memory limit for pages: together with the rest of an import, it stays below 256 MB.</summary>
    const long MostPageMemory = 128 << 20;

    /// <summary>The memory limit for values stored as differences, once expanded.</summary>
    const long MostExpanded = 8 << 20;

    readonly ParquetFile _file;
    readonly ParquetFooter _footer;
    readonly ParquetFileReader _parquet;
    readonly Hash128 _fingerprint;
    readonly ColumnMap _columns;
    readonly RecordBuilder _builder;
    readonly ParquetValues _values;
    readonly ParquetNode?[] _nodes;
    readonly List<ParquetLeaf> _leaves = [];
    readonly List<ParquetLeaf> _repeated = [];
    readonly long _begin;
    readonly long _rawLength;
    readonly bool _dropsColumns;
    readonly OwnColumns _own;
    readonly MessageWords _words;
    RowGroupReader? _reader;
    long _row;
    long _endOfGroup;
    long _endOfFill;
    int _group;

    /// <exception cref="InputException">The rows cannot be converted to records, or the file has changed.</exception>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public ParquetRecordReader(ParquetFile file, ParquetFooter footer, ImportRequest request, Hash128 fingerprint, long begin, long rawLength)
    {
        (_file, _footer, _fingerprint, _begin, _rawLength) = (file, footer, fingerprint, begin, rawLength);
        if (begin > footer.Rows) throw InputException.Changed("has fewer rows than when it was imported");

        _words = request.InWords;
        var columns = _columns = new ColumnMap([.. footer.Columns.Select(column => column.Name)], request);
        _own = OwnColumns.Of(columns, request);
        _builder = new RecordBuilder(columns, request);
        _values = new ParquetValues(Math.Clamp((1 << 17) / footer.Leaves.Count, 16, 1024), _builder, _words);
        var dropped = request.Drop.Select(name => Convert.ToHexString(ColumnMap.NameOf(name).Span)).ToHashSet(StringComparer.Ordinal);
        _nodes = new ParquetNode?[columns.Fields.Count];
        foreach (var field in columns.Fields)
        {
            // A dropped column is not read, so that it need not be readable.
            if (field.Index != columns.Root?.Index && dropped.Contains(Convert.ToHexString(field.Name.Span)))
            {
                _dropsColumns = true;
                continue;
            }

            _nodes[field.Index] = field.HoldsProperties ? PropertiesOf(in field) : ParquetNode.Of(footer.Columns[field.Column], field.Kind, _values);
            _nodes[field.Index]!.AddLeaves(_leaves);
        }

        if (_leaves.Count == 0) throw new InputException("has no columns left: all are dropped");
        _repeated.AddRange(_leaves.Where(leaf => leaf.Field.Repetition > 0));
        foreach (var group in footer.Groups)
            foreach (var leaf in _leaves) ParquetPages.Check(footer, group, leaf.Field, _words);

        // Skip whole row groups without reading them.
        while (_group < footer.Groups.Count && _row < begin && _row + footer.Groups[_group].Rows <= begin) _row += footer.Groups[_group++].Rows;
        _endOfGroup = _endOfFill = _row;
        _parquet = Open(_leaves.Count);
    }

    public override bool OffsetsAreBytes => false;

    public override IReadOnlyList<string> Columns => _columns.Names;

    public override ReadPosition Position => new(Math.Max(_row, _begin), Math.Max(_row, _begin), OpenLine: false);

    public override long RawPosition => _footer.Rows == 0 ? _rawLength : (long)(_rawLength * ((double)_row / _footer.Rows));

    public override bool HasPartialRecord => false;

    public override Hash128 Fingerprint(ReadPosition position) => _fingerprint;

    public override ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _values.Cancellation = cancellationToken;
        return new(Guarded(() =>
        {
            while (_row == _endOfGroup)
            {
                if (_group > 0) EndGroup();
                if (_group == _footer.Groups.Count) return false;
                BeginGroup(cancellationToken);
            }

            while (_row < _begin)
            {
                if (_row % RowsPerFill == 0) cancellationToken.ThrowIfCancellationRequested();
                Build();
            }

            _endOfFill = Math.Min(_row + RowsPerFill, _endOfGroup);
            return true;
        }));
    }

    public override bool TryRead(out Record record)
    {
        record = default;
        if (_row == _endOfFill) return false;
        try
        {
            record = Build();
            return true;
        }
        catch (Exception e) when (e is not (InputException or OperationCanceledException))
        {
            throw ParquetFormat.Damaged(_file, e);
        }
    }

    public override void Dispose()
    {
        CloseGroup();
        _parquet.Dispose();
        _file.Dispose();
    }

    T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is not (InputException or OperationCanceledException))
        {
            throw ParquetFormat.Damaged(_file, e);
        }
    }

    ParquetFileReader Open(int leaves)
    {
        using var properties = ReaderProperties.GetDefaultReaderProperties();
        properties.EnablePageChecksumVerification();
        properties.EnableBufferedStream();
        properties.BufferSize = Math.Clamp((4 << 20) / leaves, 1 << 10, 64 << 10);
        return new ParquetFileReader(_file, properties, leaveOpen: true);
    }

    /// <summary>Creates the node for a column of properties; a text column holds JSON.</summary>
    ParquetProperties PropertiesOf(in ColumnField field)
    {
        var column = _footer.Columns[field.Column];
        var isJson = column.IsText && field.Type is null or ImportColumnType.Json;
        return new(isJson ? _values.LeafOf(column, FieldKind.Value, ParquetMeaning.Json) : ParquetNode.Of(column, field.Kind, _values, _columns.Type), _own,
            _words);
    }

    void BeginGroup(CancellationToken cancellationToken)
    {
        _endOfGroup = _row + _footer.Groups[_group].Rows;
        _reader = OpenGroup(_parquet, _group, _leaves, _row + 1, cancellationToken);
        _group++;
    }

    /// <summary>Opens a row group, unless its pages are too large; null when it has no rows.</summary>
    RowGroupReader? OpenGroup(ParquetFileReader parquet, int number, List<ParquetLeaf> leaves, long line, CancellationToken cancellationToken)
    {
        var group = _footer.Groups[number];
        var needs = leaves.ConvertAll(leaf => ParquetPages.Follow(_file, _footer, group, leaf.Field, cancellationToken));
        var memory = needs.Sum(leaf => leaf.Memory) + needs.Max(leaf => leaf.Packed);
        if (memory > MostPageMemory)
            throw PagesTooLarge(memory, leaves[needs.IndexOf(needs.MaxBy(leaf => leaf.Memory + leaf.Packed))].Field, group, line, _words);
        if (group.Rows == 0) return null;
        var reader = parquet.RowGroup(number);
        try
        {
            for (var i = 0; i < leaves.Count; i++)
                leaves[i].Open(reader, group.Chunks[leaves[i].Field.Leaf].Values,
                    needs[i].Expands ? (int)Math.Clamp(MostExpanded / Math.Max(1, needs[i].LargestPage), 1, int.MaxValue) : null);
        }
        catch
        {
            Close(reader, leaves);
            throw;
        }

        return reader;
    }

    static InputException PagesTooLarge(long memory, ParquetField largest, ParquetGroup group, long line, MessageWords words)
    {
        const int Vector = 2048; // DuckDB's row groups are multiples of it
        var rows = (long)(group.Rows * 0.8 * MostPageMemory / memory) / Vector * Vector;
        var way = rows > 0
            ? string.Create(CultureInfo.InvariantCulture,
                $"DuckDB makes them with COPY … (FORMAT parquet, ROW_GROUP_SIZE {rows}), Arrow with data_page_size, Spark with parquet.page.size")
            : "Arrow makes them with data_page_size, Spark with parquet.page.size";
        return new InputException(string.Create(CultureInfo.InvariantCulture,
            $"has pages that take {memory >> 20} MB in the row group of line {line}, one of each column with the memory to decompress "
            + $"it; at most {MostPageMemory >> 20} MB are supported. The largest are those of the column {largest.Path}: leave it out with {words[Setting.Drop]}, or write the file with smaller pages. {way}"));
    }

    void EndGroup()
    {
        if (_leaves.Find(leaf => !leaf.AtEnd) is { } longer) throw ParquetPages.Damaged(longer.Field, "has more values than its row group has rows");
        CloseGroup();
    }

    void CloseGroup()
    {
        Close(_reader, _leaves);
        _reader = null;
    }

    /// <summary>Disposes readers before what they read from: the package terminates the process when that is left to finalizers.</summary>
    static void Close(RowGroupReader? group, List<ParquetLeaf> leaves)
    {
        foreach (var leaf in leaves) leaf.Close();
        group?.Dispose();
    }

    Record Build()
    {
        if (_repeated.Find(leaf => leaf.Repetition != 0) is { } other) throw ParquetPages.Damaged(other.Field, "continues a list in a new row");
        var record = _builder.Build(WriteField, _row, _row + 1);
        _row++;
        return record with { LacksDropped = _dropsColumns };
    }

    void WriteField(JsonText json, in ColumnField field) => _nodes[field.Index]?.Write(json);
}
