using System.Buffers;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Map;

namespace MixpanelConnector.Migration;

/// <summary>
/// Converts an exported profile of a user or group to the update that sets its properties, except those that Mixpanel sets itself. Values keep their bytes.
/// </summary>
/// <param name="ofGroups">Whether they are group profiles.</param>
sealed class ProfileMapper(bool ofGroups) : LineMapper(NoProfile)
{
    static readonly Rejection NoProfile = new("invalid_json", null, "the line is not a profile: a JSON object with $distinct_id and $properties");

    protected override MapOutput Make(ReadOnlySpan<byte> line, long number)
    {
        var id = default(Range?);
        var isText = false;
        var properties = default(Range?);
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) throw new JsonException();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var (isId, isProperties) = (reader.ValueTextEquals("$distinct_id"u8), reader.ValueTextEquals("$properties"u8));
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if (isId) isText = reader.TokenType is JsonTokenType.String;
            if ((isId && !isText && reader.TokenType is not JsonTokenType.Number) || (isProperties && reader.TokenType is not JsonTokenType.StartObject))
                throw new JsonException();
            reader.Skip();
            if (isId) id = start..(int)reader.BytesConsumed;
            else if (isProperties) properties = start..(int)reader.BytesConsumed;
        }

        while (reader.Read()) { } // trailing content throws
        if (id is null || properties is null) throw new JsonException();
        Out.Write(ofGroups ? "{\"$group_id\":"u8 : "{\"$distinct_id\":"u8);
        if (!isText) Out.Write("\""u8); // in Mixpanel's specification ids may be numbers; its service returns strings
        Out.Write(line[id.Value]);
        if (!isText) Out.Write("\""u8);
        Out.Write(ofGroups ? ",\"$set\":{"u8 : ",\"$ignore_time\":true,\"$set\":{"u8);
        WriteProperties(line[properties.Value]);
        Out.Write("}}"u8);
        return default;
    }

    void WriteProperties(ReadOnlySpan<byte> properties)
    {
        var reader = new Utf8JsonReader(properties);
        reader.Read();
        var isFirst = true;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var start = (int)reader.TokenStartIndex;
            var isOwn = reader.ValueTextEquals("$mp_first_event_time"u8) || reader.ValueTextEquals("$geo_source"u8);
            reader.Read();
            reader.Skip();
            if (isOwn) continue;
            Part(ref isFirst);
            Out.Write(properties[start..(int)reader.BytesConsumed]);
        }
    }
}

/// <summary>Prepares profiles with a <see cref="ProfileMapper"/>.</summary>
sealed class ProfilePreparation(bool ofGroups) : RecordPreparation($"migrated {(ofGroups ? "groups" : "profiles")}")
{
    public override IRecordMapper NewMapper() => new ProfileMapper(ofGroups);
}
