using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;
using Parquet;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>One record a row. The offset counts rows from 0, the line from 1. One row group at a time is in memory.</summary>
sealed class ParquetRecordReader : RecordReader
{
    readonly FileStream _file;
    readonly ParquetReader _parquet;
    readonly UInt128 _fingerprint;
    readonly RecordBuilder _builder;
    readonly ParquetNode[] _nodes;
    readonly List<ParquetLeaf> _leaves = [];
    readonly List<ParquetColumn> _data = [];
    readonly long _rows;
    readonly long _begin;
    readonly long _rawLength;
    long _row;
    long _endOfGroup;
    int _group;

    public ParquetRecordReader(FileStream file, ParquetReader parquet, ColumnMap columns, UInt128 fingerprint, long begin, long rawLength)
    {
        (_file, _parquet, _fingerprint, _begin, _rawLength) = (file, parquet, fingerprint, begin, rawLength);
        _builder = new RecordBuilder(columns);
        _nodes = [.. columns.Fields.Select(field => ParquetNode.Of(parquet.Schema.Fields[field.Column], field.Kind))];
        foreach (var node in _nodes) node.AddLeaves(_leaves);
        for (var i = 0; i < parquet.RowGroupCount; i++) _rows += parquet.RowGroups[i].RowCount;

        // Whole row groups are passed by unread.
        while (_group < parquet.RowGroupCount && _row + parquet.RowGroups[_group].RowCount <= begin) _row += parquet.RowGroups[_group++].RowCount;
        _endOfGroup = _row;
        if (begin > _rows) throw new InputException("has fewer rows than when it was imported. Restore it, or begin again with --restart");
    }

    public override bool OffsetsAreBytes => false;

    public override ReadPosition Position => new(Math.Max(_row, _begin), Math.Max(_row, _begin), OpenLine: false);

    public override long RawPosition => _rows == 0 ? _rawLength : (long)(_rawLength * ((double)_row / _rows));

    public override bool HasPartialRecord => false;

    public override UInt128 Fingerprint(ReadPosition position) => _fingerprint;

    public override async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_group == _parquet.RowGroupCount) return false;
        ReleaseGroup();
        try
        {
            using var group = _parquet.OpenRowGroupReader(_group);
            foreach (var column in _leaves.GroupBy(leaf => leaf.Field.Path))
            {
                var data = await column.First().ReadAsync(group, cancellationToken).ConfigureAwait(false);
                _data.Add(data);
                foreach (var leaf in column) leaf.Load(data);
            }

            _endOfGroup = _row + group.RowCount;
            _group++;
            while (_row < _begin) Build();
            return true;
        }
        catch (Exception e) when (e is not (OperationCanceledException or InputException))
        {
            throw ParquetFormat.Damaged(e);
        }
    }

    public override bool TryRead(out Record record)
    {
        record = default;
        if (_row == _endOfGroup) return false;
        try
        {
            record = Build();
            return true;
        }
        catch (Exception e) when (e is not InputException)
        {
            throw ParquetFormat.Damaged(e);
        }
    }

    public override void Dispose()
    {
        ReleaseGroup();
        _parquet.DisposeAsync().AsTask().GetAwaiter().GetResult(); // has nothing to wait for: the file is ours
        _file.Dispose();
    }

    Record Build()
    {
        var record = _builder.Build(WriteField, _row, _row + 1);
        if (++_row == _endOfGroup && _leaves.Exists(leaf => !leaf.AtEnd)) throw new InvalidDataException("a column has more values than its row group has rows");
        return record;
    }

    void WriteField(JsonText json, in ColumnField field) => _nodes[field.Index].Write(json);

    void ReleaseGroup()
    {
        foreach (var data in _data) data.Dispose();
        _data.Clear();
    }
}
