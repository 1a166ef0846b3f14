using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Avro;

/// <summary>Reads one record for each of the file's. Offsets count them from 0, lines from 1. One block of them is in memory at a time.</summary>
sealed class AvroRecordReader : RecordReader
{
    /// <summary>The number of records after which reading can be stopped.</summary>
    const int RecordsPerFill = 1024;

    /// <summary>The limit for zero-byte values in a block, plus a number per byte.</summary>
    const int FreeParts = 64 << 10, FreePartsOfByte = 4;

    readonly AvroBlocks _blocks;
    readonly ColumnMap _columns;
    readonly RecordBuilder _builder;
    readonly AvroValues _values;
    readonly JsonText _properties;
    readonly OwnColumns _own;
    readonly bool[] _isDropped;
    readonly int[] _starts;
    readonly FieldWriter _write;
    Hash128 _before;
    Hash128 _after;
    long _beginOfBlock;
    long _endOfBlock;
    long _endOfFill;
    long _record;
    int _at;
    int _free;

    /// <exception cref="InputException">The records cannot be converted to events or profiles.</exception>
    public AvroRecordReader(AvroBlocks blocks, ImportRequest request)
    {
        var schema = blocks.Schema;
        _blocks = blocks;
        _properties = new JsonText(request.InWords, spills: false);
        _columns = new ColumnMap(schema.Names, request);
        _builder = new RecordBuilder(_columns, request);
        _values = new AvroValues(new ValueText(_builder));
        _own = OwnColumns.Of(_columns, request);
        _starts = new int[schema.Parts.Count];
        _write = WriteField;
        _before = _after = blocks.Fingerprint;
        var dropped = request.Drop.Select(name => Convert.ToHexString(ColumnMap.NameOf(name).Span)).ToHashSet(StringComparer.Ordinal);
        _isDropped = [.. _columns.Fields.Select(field => field.Index != _columns.Root?.Index && dropped.Contains(Convert.ToHexString(field.Name.Span)))];
        if (Array.TrueForAll(_isDropped, isDropped => isDropped)) throw new InputException("has no columns left: all are dropped");
        var seen = new HashSet<AvroType>();
        foreach (var field in _columns.Fields.Where(field => !_isDropped[field.Index]))
            if (HoldsUnknown(schema.Parts[field.Column], seen))
                throw new InputException(
                    $"has the column {_columns.Names[field.Column]} of a type that is not supported. Leave it out with {request.InWords[Setting.Drop]}, or write it as text");
    }

    public override bool OffsetsAreBytes => false;

    public override IReadOnlyList<string> Columns => _columns.Names;

    public override ReadPosition Position => new(_record, _record, OpenLine: false);

    public override long RawPosition => _blocks.RawPosition;

    public override bool HasPartialRecord => false;

    /// <remarks>A position belongs to the block of the record before it.</remarks>
    public override Hash128 Fingerprint(ReadPosition position) => position.Offset > _beginOfBlock ? _after : _before;

    /// <summary>Resumes where an earlier run stopped.</summary>
    /// <exception cref="InputException">What that run read has changed.</exception>
    public async ValueTask ResumeAsync(long offset, Hash128 fingerprint, CancellationToken cancellationToken)
    {
        while (_endOfBlock < offset)
            if (!await NextBlockAsync(count => _endOfBlock + count <= offset, cancellationToken).ConfigureAwait(false))
                throw InputException.Changed("has fewer records than when it was imported");
        if (_after != fingerprint) throw InputException.Changed("has changed since a part of it was imported");
        while (_record < offset)
        {
            if (_endOfBlock == offset) _record = offset;
            else Locate();
        }

        _endOfFill = _record;
    }

    public override async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _values.Cancellation = cancellationToken;
        if (_record == _endOfBlock && !await NextBlockAsync(static _ => false, cancellationToken).ConfigureAwait(false)) return false;
        _endOfFill = Math.Min(_record + RecordsPerFill, _endOfBlock);
        return true;
    }

    public override bool TryRead(out Record record)
    {
        record = default;
        if (_record == _endOfFill) return false;
        var line = _record + 1;
        Locate();
        record = _builder.Build(_write, line - 1, line) with { LacksDropped = _isDropped.AsSpan().Contains(true) };
        return true;
    }

    public override void Dispose() => _blocks.Dispose();

    /// <summary>Reads the next block that has records; false at the end.</summary>
    async ValueTask<bool> NextBlockAsync(Func<long, bool> passes, CancellationToken cancellationToken)
    {
        var before = _after;
        for (var begin = _endOfBlock; await _blocks.NextAsync(passes, cancellationToken).ConfigureAwait(false) is { } count;)
        {
            if (count == 0) continue;
            if (count > long.MaxValue - begin) throw AvroData.Damaged();
            (_before, _after) = (before, _blocks.Fingerprint);
            (_beginOfBlock, _record, _endOfBlock) = (begin, begin, begin + count);
            (_at, _free) = (0, FreeParts + (FreePartsOfByte * _blocks.Data.Length));
            return true;
        }

        return false;
    }

    /// <summary>Locates the fields of the next record, checking that they are complete.</summary>
    void Locate()
    {
        var data = new AvroData(_blocks.Data) { At = _at, Free = _free };
        for (var field = 0; field < _starts.Length; field++)
        {
            _starts[field] = data.At;
            data.SkipPart(_blocks.Schema.Parts[field], depth: 1);
        }

        (_at, _free) = (data.At, data.Free);
        _record++;
        if (_record == _endOfBlock && !data.AtEnd) throw AvroData.Damaged();
    }

    void WriteField(JsonText json, in ColumnField field)
    {
        if (_isDropped[field.Index]) return;
        var data = new AvroData(_blocks.Data) { At = _starts[field.Column] };
        var type = _blocks.Schema.Parts[field.Column];
        var column = _columns.Names[field.Column];
        if (!field.HoldsProperties)
        {
            _values.Write(ref data, type, field.Kind, json, column);
            return;
        }

        _properties.Clear();
        var isJson = type.IsText && field.Type is null or ImportColumnType.Json;
        if (isJson ? AvroValues.WriteJson(ref data, type, _properties) : _values.Write(ref data, type, field.Kind, _properties, column, _columns.Type))
            _own.AppendOthers(json, _properties.Written);
    }

    /// <summary>Whether a column contains a type that JSON cannot represent.</summary>
    /// <param name="column">Its type.</param>
    /// <param name="seen">The types already checked: many columns may share them.</param>
    static bool HoldsUnknown(AvroType column, HashSet<AvroType> seen)
    {
        if (!seen.Add(column)) return false;
        var open = new Stack<AvroType>([column]);
        while (open.TryPop(out var type))
        {
            if (type.Meaning is AvroMeaning.Unknown) return true;
            foreach (var part in type.Parts.Where(seen.Add)) open.Push(part);
        }

        return false;
    }
}
