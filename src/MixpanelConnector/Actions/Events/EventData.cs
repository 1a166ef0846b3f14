using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>An event to import: its name and its properties. In JSON an object with both, or only the name.</summary>
[JsonConverter(typeof(Converter))]
public sealed record EventData
{
    /// <summary>The name of the event.</summary>
    public required string Event { get; init; }

    /// <summary>The properties of the event. Missing ones are taken from the shared properties. Default: none.</summary>
    public JsonObject? Properties
    {
        get => field ?? (Json is { } json ? field = JsonObject.Create(json) : null);
        init;
    }

    /// <summary>The properties as read from JSON, which are converted to a tree only on demand; null when they were set otherwise.</summary>
    internal JsonElement? Json { get; init; }

    internal sealed class Converter : JsonConverter<EventData>, IDescribesSchema
    {
        public JsonObject Schema() => new()
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["type"] = "string" },
                new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject
                    {
                        ["event"] = new JsonObject { ["description"] = "The name of the event.", ["type"] = "string" },
                        ["properties"] = new JsonObject
                        {
                            ["description"] = "The event's own properties, which override the shared ones.",
                            ["type"] = "object",
                        },
                    },
                    ["required"] = new JsonArray("event"),
                    ["additionalProperties"] = false,
                }),
        };

        public override EventData Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType is JsonTokenType.String) return new EventData { Event = reader.GetString()! };
            var data = new EventData { Event = "" };
            while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
            {
                var isName = reader.ValueTextEquals("event"u8);
                reader.Read();
                data = isName
                    ? data with { Event = reader.GetString()! }
                    : data with { Json = reader.TokenType is JsonTokenType.Null ? null : JsonElement.ParseValue(ref reader) };
            }

            return data;
        }

        public override void Write(Utf8JsonWriter writer, EventData value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WriteString("event", value.Event);
            writer.WritePropertyName("properties");
            (value.Properties ?? []).WriteTo(writer, options);
            writer.WriteEndObject();
        }
    }
}
