using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>
/// Reads an event in one pass: finds the fields with specific rules and checks the limits of all others, allocating only the few strings that are stored in
/// columns.
/// </summary>
readonly ref struct EventScanner(bool bodyIsUtf8)
{
    readonly bool _bodyIsUtf8 = bodyIsUtf8;

    /// <param name="reader">Positioned on the first token of the event; afterwards on its last.</param>
    public EventFields Scan(ref Utf8JsonReader reader)
    {
        var fields = new EventFields { Start = (int)reader.TokenStartIndex };
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            fields.ShapeFault = new Fault("", "event is invalid: must be an object");
        }
        else
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                ScanMember(ref reader, ref fields);
        }
        fields.End = (int)reader.BytesConsumed;
        return fields;
    }

    void ScanMember(ref Utf8JsonReader reader, ref EventFields fields)
    {
        if (!JsonText.IsValid(ref reader, _bodyIsUtf8))
        {
            fields.ShapeFault ??= new Fault("", "event is invalid: string should be valid utf8");
            reader.Skip();
        }
        else if (reader.ValueTextEquals("event"u8))
        {
            reader.Read();
            var longName = false; // truncated when it is stored
            fields.Name = ReadField(ref reader, ref longName);
        }
        else if (reader.ValueTextEquals("properties"u8))
        {
            reader.Read();
            ScanProperties(ref reader, ref fields);
        }
        else
        {
            fields.ExtraMember ??= new Fault(reader.GetString()!, $"'{reader.GetString()}' is invalid: only 'event' and 'properties' are allowed");
            reader.Skip();
        }
    }

    void ScanProperties(ref Utf8JsonReader reader, ref EventFields fields)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            fields.ShapeFault ??= new Fault("properties", "'properties' is invalid: must be an object");
            reader.Skip();
            return;
        }
        fields.PropertiesStart = (int)reader.TokenStartIndex;
        fields.PropertyCount = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            fields.PropertyCount++;
            ScanProperty(ref reader, ref fields);
        }
        fields.PropertiesEnd = (int)reader.BytesConsumed;
    }

    void ScanProperty(ref Utf8JsonReader reader, ref EventFields fields)
    {
        if (!JsonText.IsValid(ref reader, _bodyIsUtf8))
        {
            fields.PropertyFault ??= new Fault("properties", "property name is invalid: string should be valid utf8");
            reader.Skip();
            return;
        }
        fields.NeedsRewriting |= JsonText.IsTooLong(ref reader);
        var name = JsonText.Of(ref reader); // copying the reader would cost more than all other work
        reader.Read();
        if (name.SequenceEqual("time"u8)) fields.Time = ReadField(ref reader, ref fields.NeedsRewriting);
        else if (name.SequenceEqual("distinct_id"u8)) fields.DistinctId = ReadField(ref reader, ref fields.NeedsRewriting);
        else if (name.SequenceEqual("$insert_id"u8)) fields.InsertId = ReadField(ref reader, ref fields.NeedsRewriting);
        else if (name.SequenceEqual("$user_id"u8)) fields.UserId = ReadField(ref reader, ref fields.NeedsRewriting);
        else if (name.SequenceEqual("$device_id"u8)) fields.DeviceId = ReadField(ref reader, ref fields.NeedsRewriting);
        else if (name.SequenceEqual("token"u8)) fields.Token = ReadField(ref reader, ref fields.NeedsRewriting);
        else ScanOther(name, ref reader, ref fields);
    }

    void ScanOther(scoped ReadOnlySpan<byte> name, ref Utf8JsonReader reader, ref EventFields fields)
    {
        fields.Ignored |= name.SequenceEqual("$ignore"u8);
        fields.NeedsRewriting |= IsAddedOnReceipt(name);
        var start = reader.TokenStartIndex;
        var fault = CheckValue(ref reader, depth: 0, ref fields.NeedsRewriting);
        if (fault is null && reader.TokenType is (JsonTokenType.EndArray or JsonTokenType.EndObject)
            && reader.BytesConsumed - start > EventLimits.ContainerBytes)
            fault = $"must be at most {EventLimits.ContainerBytes} bytes";
        if (fault is null || fields.PropertyFault is not null) return;
        var property = "properties." + Encoding.UTF8.GetString(name);
        fields.PropertyFault = new Fault(property, fault == NotUtf8 ? $"{property} {fault}" : $"'{property}' is invalid: {fault}");
    }

    /// <summary>Properties that Mixpanel sets itself, so that exported events can be imported again.</summary>
    public static bool IsAddedOnReceipt(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("$import"u8) || name.SequenceEqual("mp_processing_time_ms"u8);

    const string NotUtf8 = "is invalid: string should be valid utf8";

    string? CheckValue(ref Utf8JsonReader reader, int depth, ref bool needsRewriting)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                if (!JsonText.IsValid(ref reader, _bodyIsUtf8)) return NotUtf8;
                needsRewriting |= JsonText.IsTooLong(ref reader);
                return null;
            case JsonTokenType.StartArray:
                return CheckArray(ref reader, depth, ref needsRewriting);
            case JsonTokenType.StartObject:
                return CheckObject(ref reader, depth + 1, ref needsRewriting);
            default:
                return null;
        }
    }

    // Depth is limited by the reader's own MaxDepth.
    string? CheckArray(ref Utf8JsonReader reader, int depth, ref bool needsRewriting)
    {
        string? fault = null;
        var elements = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            elements++;
            fault = CheckValue(ref reader, depth, ref needsRewriting) is { } inner ? fault ?? inner : fault;
        }
        return fault ?? (elements < EventLimits.NestedItems ? null : $"array must have fewer than {EventLimits.NestedItems} elements");
    }

    string? CheckObject(ref Utf8JsonReader reader, int depth, ref bool needsRewriting)
    {
        var fault = depth > EventLimits.ObjectDepth ? $"must not be nested deeper than {EventLimits.ObjectDepth} levels" : null;
        var keys = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            keys++;
            if (JsonText.IsValid(ref reader, _bodyIsUtf8)) needsRewriting |= JsonText.IsTooLong(ref reader);
            else fault ??= NotUtf8;
            reader.Read();
            fault = CheckValue(ref reader, depth, ref needsRewriting) is { } inner ? fault ?? inner : fault;
        }
        return fault ?? (keys < EventLimits.NestedItems ? null : $"object must have fewer than {EventLimits.NestedItems} keys");
    }

    Field ReadField(ref Utf8JsonReader reader, ref bool needsRewriting)
    {
        var start = (int)reader.TokenStartIndex;
        var kind = FieldKind.Other;
        string? text = null;
        long integer = 0;
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                kind = FieldKind.Missing;
                needsRewriting = true;
                break;
            case JsonTokenType.Number when reader.TryGetInt64(out integer):
                kind = FieldKind.Integer;
                break;
            case JsonTokenType.Number:
                (kind, text) = (FieldKind.Fraction, Encoding.UTF8.GetString(reader.ValueSpan));
                break;
            case JsonTokenType.String when JsonText.IsValid(ref reader, _bodyIsUtf8):
                (kind, text) = (FieldKind.Text, reader.GetString());
                needsRewriting |= JsonText.IsTooLong(ref reader);
                break;
            case JsonTokenType.String:
                kind = FieldKind.TextNotUtf8;
                break;
            default:
                reader.Skip();
                break;
        }
        return new Field(kind, text, integer, start, (int)reader.BytesConsumed);
    }
}
