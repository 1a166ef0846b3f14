using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>A user profile, as a query returns it. See https://developer.mixpanel.com/reference/engage-query.</summary>
public sealed record UserProfile
{
    /// <summary>The id of the user.</summary>
    [JsonPropertyName("$distinct_id")]
    [JsonConverter(typeof(TextOrNumber))]
    public required string DistinctId { get; init; }

    /// <summary>The properties of the profile, all or the requested ones, as Mixpanel returns them.</summary>
    [JsonPropertyName("$properties")]
    public required JsonObject Properties { get; init; }

    /// <summary>All other members that Mixpanel returned, unchanged.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement> Other { get; set; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
}

/// <summary>Reads a text that Mixpanel's documentation sometimes shows as a number.</summary>
sealed class TextOrNumber : JsonConverter<string>, IDescribesSchema
{
    public JsonObject Schema() => new() { ["type"] = "string" };

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType is not JsonTokenType.Number) return reader.GetString();
        using var number = JsonDocument.ParseValue(ref reader);
        return number.RootElement.GetRawText();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
