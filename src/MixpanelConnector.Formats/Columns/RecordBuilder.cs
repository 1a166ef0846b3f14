using System.Text.Unicode;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Formats.Columns;

/// <summary>Appends the value of a field to the text; nothing when it is absent.</summary>
delegate void FieldWriter(JsonText json, in ColumnField field);

/// <summary>Builds records from rows. A record is valid until the next is built.</summary>
sealed class RecordBuilder(ColumnMap columns, ImportRequest request)
{
    readonly JsonText _json = new(request.InWords);
    readonly ColumnValue _value = new(request);

    readonly HashSet<string> _dropped = new(request.Drop, StringComparer.Ordinal);
    readonly List<Misfit> _misfits = [];
    Rejection? _fault; // of the record being built
    ImportColumnType? _inferred; // the type of the column that the value being written does not have
    (string Column, Temporal Temporal)? _outOfRange;
    Rejection? _noNumber;

    /// <summary>Marks the value being written as one that does not have the type of its column's first values.</summary>
    /// <param name="inferred">That type.</param>
    public void IsNotOf(ImportColumnType inferred) => _inferred = inferred;

    /// <summary>Marks the value being written as a date or a time that is out of range, or contains one.</summary>
    /// <param name="column">The column's name, for messages.</param>
    /// <param name="temporal">What the column stores.</param>
    public void IsOutOfRange(string column, Temporal temporal) => _outOfRange ??= (column, temporal);

    /// <summary>Marks the value being written as a number that has no JSON form.</summary>
    /// <param name="rejection">Why.</param>
    /// <param name="kind">How it is written: as text, it is corrected as text, too.</param>
    public void IsNoNumber(Rejection rejection, FieldKind kind)
    {
        _noNumber = rejection;
        if (kind is not FieldKind.Text) _inferred = ImportColumnType.Number;
    }

    public Record Build(FieldWriter write, long offset, long line)
    {
        _json.Clear();
        _fault = null;
        _misfits.Clear();
        _json.AppendByte((byte)'{');
        if (TryWriteRoot(write)) _json.AppendByte((byte)',');
        if (!columns.AreMapped) _json.Append(columns.Type is ImportType.Profiles or ImportType.Groups ? "\"$properties\":{"u8 : "\"properties\":{"u8);
        var separate = false;
        for (var i = 0; i < columns.Properties.Count; i++)
        {
            var start = _json.Length;
            if (separate) _json.AppendByte((byte)',');
            if (TryWrite(columns.Properties[i], write)) separate = true;
            else _json.CutTo(start);
        }

        _json.Append(columns.AreMapped ? "}"u8 : "}}"u8);
        if (_json.Length <= InputWindow.LargestRecord)
            return new Record
            {
                Kind = RecordKind.Json,
                IsBuilt = true,
                Bytes = _json.Written,
                Offset = offset,
                Line = line,
                Rejection = _fault,
                Misfits = _misfits.Count == 0 ? default : Misfit.ToJson(_misfits),
            };
        return new Record { Kind = RecordKind.Oversized, IsBuilt = true, Oversized = _json.TakeOversized(), Offset = offset, Line = line };
    }

    bool TryWriteRoot(FieldWriter write)
    {
        if (columns.Root is { } root && TryWrite(in root, write)) return true;
        if (columns.EventName.IsEmpty) return false;
        _json.Append("\"event\":"u8);
        _json.Append(columns.EventName.Span);
        return true;
    }

    bool TryWrite(in ColumnField field, FieldWriter write)
    {
        var start = _json.Length;
        _json.Append(field.Name.Span);
        var named = _json.Length;
        (_inferred, _outOfRange, _noNumber) = (null, null, null);
        write(_json, in field);
        if (_dropped.Contains(field.Field) && !field.HoldsProperties && field.Index != columns.Root?.Index)
            return _json.Length > named || Undo(start); // whatever it is
        var fault = _noNumber is not null ? _noNumber
            : _outOfRange is var (column, temporal) ? ColumnValue.OutOfRange(column, temporal)
            : _inferred is { } inferred ? ColumnValue.Misfit(columns.Names[field.Column], inferred, told: false)
            : null;
        if (field.Type is { } type && _json.IsWhole && _json.Length > named && !_json.Written[named..].SequenceEqual("null"u8))
            Convert(in field, type, named, ref fault);
        if (fault is null && field.HoldsProperties && _json.IsWhole && _json.Written[named..] is [(byte)'{', .. var members, (byte)'}'])
        {
            // The text moves left, over the name and the brace.
            var inner = members.Trim(" \t\r\n"u8);
            _json.CutTo(start);
            _json.Append(inner);
            return !inner.IsEmpty;
        }

        if (field is { HoldsProperties: true, Type: null or ImportColumnType.Json } && _json.Length > named)
        {
            if (_json.IsWhole && (_json.Written[named..].SequenceEqual("null"u8) || _json.Written[named..].SequenceEqual("\"\""u8))) _json.CutTo(named);
            else if (!_json.IsWhole || Utf8.IsValid(_json.Written[named..])) fault ??= ColumnValue.NoProperties(columns.Names[field.Column]);
        }

        if (fault is not null) Refuse(in field, fault);

        return _json.Length > named || Undo(start);
    }

    /// <summary>Removes a name without a value.</summary>
    /// <returns>False: there is none.</returns>
    bool Undo(int start)
    {
        _json.CutTo(start);
        return false;
    }

    void Refuse(in ColumnField field, Rejection fault)
    {
        _fault ??= fault;
        if (_noNumber is not null && field.Type is null && _inferred is null) return; // nothing is known of a corrected one
        _misfits.Add(new Misfit(field.Field, _outOfRange?.Column ?? columns.Names[field.Column])
        {
            Type = field.Type ?? _inferred,
            IsInferred = field.Type is null && _inferred is not null,
            Temporal = _outOfRange?.Temporal,
            HoldsProperties = field is { HoldsProperties: true, Type: null or ImportColumnType.Json },
        });
    }

    void Convert(in ColumnField field, ImportColumnType type, int named, ref Rejection? fault)
    {
        if (_value.TryConvert(_json.Written[named..], type, field.Kind is FieldKind.Time, out var value))
        {
            _json.CutTo(named);
            _json.Append(value);
        }
        else
        {
            fault ??= ColumnValue.Misfit(columns.Names[field.Column], type, told: true);
        }
    }
}
