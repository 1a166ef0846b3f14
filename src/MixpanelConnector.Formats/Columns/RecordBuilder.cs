using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Formats.Columns;

/// <summary>Writes the value of a field at the end of the text, and nothing when it is absent.</summary>
delegate void FieldWriter(JsonText json, in ColumnField field);

/// <summary>Builds records from rows. What was built is valid until the next is.</summary>
sealed class RecordBuilder(ColumnMap columns)
{
    readonly JsonText _json = new();

    /// <summary>Why the record that is being built cannot be imported: to be set by whoever writes a value that is none.</summary>
    public Rejection? Fault { get; set; }

    public Record Build(FieldWriter write, long offset, long line)
    {
        _json.Clear();
        Fault = null;
        _json.AppendByte((byte)'{');
        if (columns.Root is { } root && TryWrite(in root, write)) _json.AppendByte((byte)',');
        _json.Append(columns.Type is ImportType.Profiles or ImportType.Groups ? "\"$properties\":{"u8 : "\"properties\":{"u8);
        var separate = false;
        for (var i = 0; i < columns.Properties.Count; i++)
        {
            var start = _json.Length;
            if (separate) _json.AppendByte((byte)',');
            if (TryWrite(columns.Properties[i], write)) separate = true;
            else _json.CutTo(start);
        }

        _json.Append("}}"u8);
        if (_json.Length <= InputWindow.LargestRecord) return new Record { Kind = RecordKind.Json, Bytes = _json.Written, Offset = offset, Line = line, Rejection = Fault };
        return new Record { Kind = RecordKind.Oversized, Oversized = _json.TakeOversized(), Offset = offset, Line = line };
    }

    bool TryWrite(in ColumnField field, FieldWriter write)
    {
        var start = _json.Length;
        _json.Append(field.Name.Span);
        var named = _json.Length;
        write(_json, in field);
        if (field.HoldsProperties && _json.IsWhole && _json.Written[named..] is [(byte)'{', .. var members, (byte)'}'])
        {
            // The text moves to the left, over the name and the brace.
            var inner = members.Trim(" \t\r\n"u8);
            _json.CutTo(start);
            _json.Append(inner);
            return !inner.IsEmpty;
        }

        if (_json.Length > named) return true;
        _json.CutTo(start);
        return false;
    }
}
