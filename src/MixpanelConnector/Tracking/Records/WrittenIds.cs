using System.Text.Json;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector.Tracking.Records;

/// <summary>Reads the ids in a written event.</summary>
static class WrittenIds
{
    /// <summary>Returns the user of the event, as far as its own properties specify one.</summary>
    public static MixpanelUser UserOf(ReadOnlySpan<byte> written, MixpanelUser given)
    {
        var (distinctId, userId, deviceId) = (given.DistinctId, given.UserId, given.DeviceId);
        var json = BeginningOf(written);
        while (Next(ref json))
        {
            if (Is(ref json, "distinct_id"u8)) distinctId = Text(ref json);
            else if (Is(ref json, "$user_id"u8)) userId = Text(ref json);
            else if (Is(ref json, "$device_id"u8)) deviceId = Text(ref json);
            else json.Skip();
        }

        return MixpanelUser.Of(distinctId, userId, deviceId);
    }

    /// <summary>Returns the ids that an event merges.</summary>
    public static List<string> Joined(ReadOnlySpan<byte> written)
    {
        List<string> ids = [];
        var json = BeginningOf(written);
        while (Next(ref json))
        {
            if (Is(ref json, "$identified_id"u8) || Is(ref json, "$anon_id"u8) || Is(ref json, "alias"u8))
            {
                ids.Add(Text(ref json));
            }
            else if (Is(ref json, "$distinct_ids"u8) && json.TokenType is JsonTokenType.StartArray)
            {
                while (json.Read() && json.TokenType is not JsonTokenType.EndArray) ids.Add(Text(ref json));
            }
            else
            {
                json.Skip();
            }
        }

        return ids;
    }

    public static string InsertId(ReadOnlySpan<byte> written) => One(written, "$insert_id"u8);

    public static string DistinctId(ReadOnlySpan<byte> written) => One(written, "distinct_id"u8);

    static string One(ReadOnlySpan<byte> written, ReadOnlySpan<byte> name)
    {
        var json = BeginningOf(written);
        while (Next(ref json))
        {
            if (Is(ref json, name)) return Text(ref json);
            json.Skip();
        }

        return "";
    }

    /// <summary>Returns a reader before the first property.</summary>
    static Utf8JsonReader BeginningOf(ReadOnlySpan<byte> written)
    {
        var json = new Utf8JsonReader(written, new JsonReaderOptions { MaxDepth = TrackedValue.DeepestWritten });
        while (json.Read() && !(json.CurrentDepth == 1 && json.TokenType is JsonTokenType.StartObject)) { }
        return json;
    }

    /// <summary>Advances to the next name.</summary>
    static bool Next(ref Utf8JsonReader json) => json.Read() && json.TokenType is JsonTokenType.PropertyName;

    /// <summary>Whether the name is this one; if so, advances to its value.</summary>
    static bool Is(ref Utf8JsonReader json, ReadOnlySpan<byte> name) =>
        json.TokenType is JsonTokenType.PropertyName && json.ValueTextEquals(name) && json.Read();

    static string Text(ref Utf8JsonReader json)
    {
        if (json.TokenType is JsonTokenType.String) return json.GetString()!;
        using var value = JsonDocument.ParseValue(ref json);
        return value.RootElement.GetRawText();
    }
}
