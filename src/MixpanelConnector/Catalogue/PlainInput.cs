using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector;

/// <summary>
/// Normalizes an input to the form that the types of actions read. JSON allows several forms for the same input: an optional field may
/// be null, an integer can be written with a fraction of zero or an exponent, and a field with a default may be missing.
/// </summary>
static class PlainInput
{
    /// <param name="input">An input that matches its schema.</param>
    /// <param name="schema">The schema of its action.</param>
    public static JsonElement Of(JsonElement input, JsonObject schema)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonDefaults.WriterOptions)) Write(writer, input, schema);
        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    static void Write(Utf8JsonWriter writer, JsonElement value, JsonNode? schema)
    {
        var rules = schema as JsonObject;
        if (rules?["anyOf"] is JsonArray choices) rules = SchemaValidation.Fitting(value, choices) as JsonObject;
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when rules is not null && rules["properties"] is JsonObject properties:
                WriteObject(writer, value, properties, rules["required"] as JsonArray ?? []);
                break;
            case JsonValueKind.Array when rules is not null && rules["items"] is JsonObject items:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray()) Write(writer, item, items);
                writer.WriteEndArray();
                break;
            case JsonValueKind.Number when rules is not null && (string?)rules["type"] == "integer" && WholeNumber.TryRead(value, out var number):
                writer.WriteNumberValue(number);
                break;
            default:
                value.WriteTo(writer); // data: unchanged
                break;
        }
    }

    static void WriteObject(Utf8JsonWriter writer, JsonElement value, JsonObject properties, JsonArray required)
    {
        var given = new HashSet<string>(StringComparer.Ordinal);
        writer.WriteStartObject();
        foreach (var member in value.EnumerateObject())
        {
            var rule = properties[member.Name];
            if (rule is not null && member.Value.ValueKind is JsonValueKind.Null && SchemaValidation.MayBeLeftOut(member.Name, rule, required)) continue;
            given.Add(member.Name);
            writer.WritePropertyName(member.Name);
            Write(writer, member.Value, rule);
        }

        foreach (var (name, rule) in properties)
        {
            if (rule?["default"] is { } filled && !given.Contains(name))
            {
                writer.WritePropertyName(name);
                filled.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }
}
