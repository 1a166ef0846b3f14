using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Formats.Avro;

/// <summary>Writes values as JSON. They were already checked to be complete.</summary>
/// <param name="text">Writes numbers and times.</param>
sealed class AvroValues(ValueText text)
{
    /// <summary>Cancels writing a record that has very many values.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>Writes the next value; nothing when it is null.</summary>
    /// <param name="data">The values.</param>
    /// <param name="type">Its type.</param>
    /// <param name="kind">How it is written.</param>
    /// <param name="json">The JSON to write to.</param>
    /// <param name="column">The column's name, for messages.</param>
    /// <param name="record">The type of record whose properties are the members of the value; null when they are not.</param>
    /// <returns>Whether there was a value.</returns>
    public bool Write(ref AvroData data, AvroType type, FieldKind kind, JsonText json, string column, ImportType? record = null)
    {
        switch (type.Kind)
        {
            case AvroKind.Null: return false;
            case AvroKind.Union: return Write(ref data, type.Parts[data.ReadChoice(type.Parts.Count)], kind, json, column, record);
            case AvroKind.Record: WriteRecord(ref data, type, json, column, record); return true;
            case AvroKind.Array: WriteElements(ref data, type, json, column, "[]"u8); return true;
            case AvroKind.Map: WriteElements(ref data, type, json, column, "{}"u8); return true;
        }

        var start = json.Length;
        var isBare = kind is FieldKind.Text && !type.IsQuoted;
        if (isBare) json.AppendByte((byte)'"');
        var value = json.Length;
        WriteOne(ref data, type, kind, json, column);
        if (json.Length == value)
        {
            json.CutTo(start);
            return false;
        }

        if (isBare) json.AppendByte((byte)'"');
        return true;
    }

    /// <summary>Writes a text that holds JSON; nothing when it is null.</summary>
    /// <returns>Whether there was a value.</returns>
    public static bool WriteJson(ref AvroData data, AvroType type, JsonText json)
    {
        while (type.Kind is AvroKind.Union) type = type.Parts[data.ReadChoice(type.Parts.Count)];
        if (type.Kind is AvroKind.Null) return false;
        var start = json.Length;
        ValueText.WriteJson(json, data.ReadBytes(), FieldKind.Value);
        return json.Length > start;
    }

    void WriteRecord(ref AvroData data, AvroType type, JsonText json, string column, ImportType? record)
    {
        json.AppendByte((byte)'{');
        var separate = false;
        for (var at = 0; at < type.Parts.Count; at++)
        {
            var start = json.Length;
            if (separate) json.AppendByte((byte)',');
            json.Append(type.NamesAsJson[at].Span);
            if (Write(ref data, type.Parts[at], record is { } of ? ColumnMap.KindOf(type.Names[at], of) : FieldKind.Value, json, column)) separate = true;
            else json.CutTo(start);
        }

        json.AppendByte((byte)'}');
    }

    void WriteElements(ref AvroData data, AvroType type, JsonText json, string column, ReadOnlySpan<byte> brackets)
    {
        json.AppendByte(brackets[0]);
        var any = false;
        while (data.ReadCount() is var count and > 0)
        {
            for (; count > 0; count--)
            {
                Cancellation.ThrowIfCancellationRequested();
                if (any) json.AppendByte((byte)',');
                any = true;
                if (type.Kind is AvroKind.Map)
                {
                    WriteText(json, data.ReadBytes());
                    json.AppendByte((byte)':');
                }

                if (!Write(ref data, type.Parts[0], FieldKind.Value, json, column)) json.Append("null"u8);
                json.Spill();
            }
        }

        json.AppendByte(brackets[1]);
    }

    void WriteOne(ref AvroData data, AvroType type, FieldKind kind, JsonText json, string column)
    {
        switch (type.Kind, type.Meaning)
        {
            case (AvroKind.Boolean, _): json.Append(data.ReadBoolean() ? "true"u8 : "false"u8); break;
            case (AvroKind.Int, AvroMeaning.Date): text.WriteDate(json, data.ReadInt(), column, kind); break;
            case (AvroKind.Int or AvroKind.Long, AvroMeaning.Time): text.WriteTimeOfDay(json, data.ReadLong(), type.UnitsPerSecond, column); break;
            case (AvroKind.Long, AvroMeaning.Timestamp): text.WriteTimestamp(json, data.ReadLong(), type.UnitsPerSecond, column, kind); break;
            case (AvroKind.Int or AvroKind.Long, _): json.AppendFormatted(data.ReadLong()); break;
            case (AvroKind.Float, _): text.WriteFloat(json, data.ReadFloat(), column, kind); break;
            case (AvroKind.Double, _): text.WriteFloat(json, data.ReadDouble(), column, kind); break;
            case (AvroKind.Enum, _): json.AppendString(type.Symbols[data.ReadChoice(type.Symbols.Count)].Span); break;
            case (_, AvroMeaning.Decimal): text.WriteDecimal(json, Bytes(ref data, type), type.Scale, column, kind); break;
            case (_, AvroMeaning.Interval): ValueText.WriteInterval(json, Bytes(ref data, type)); break;
            case (_, AvroMeaning.Uuid):
                json.AppendByte((byte)'"');
                json.AppendFormatted(new Guid(Bytes(ref data, type), bigEndian: true), "D");
                json.AppendByte((byte)'"');
                break;
            default: WriteText(json, Bytes(ref data, type)); break;
        }
    }

    static ReadOnlySpan<byte> Bytes(ref AvroData data, AvroType type) => type.Kind is AvroKind.Fixed ? data.ReadBytes(type.Size) : data.ReadBytes();

    /// <summary>Writes a text. If it is too large for any record, only a piece is in memory at a time.</summary>
    static void WriteText(JsonText json, ReadOnlySpan<byte> value)
    {
        json.AppendByte((byte)'"');
        for (; value.Length > InputWindow.LargestRecord; value = value[InputWindow.LargestRecord..])
        {
            json.AppendText(value[..InputWindow.LargestRecord]);
            json.Spill();
        }

        json.AppendText(value);
        json.AppendByte((byte)'"');
    }
}
