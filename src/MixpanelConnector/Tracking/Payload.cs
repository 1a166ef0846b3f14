using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace MixpanelConnector.Tracking;

/// <summary>Properties as the caller gave them: a value with its type's JSON contract, JSON, names with values, or nothing.</summary>
readonly struct Payload(object? value, JsonTypeInfo? type)
{
    public static Payload Of(JsonNode? json) => new(json, null);

    public static Payload Of(IEnumerable<KeyValuePair<string, object?>> properties) => new(properties, null);

    /// <exception cref="ArgumentException">A value has no form in JSON.</exception>
    public void WriteTo(Utf8JsonWriter json)
    {
        if (type is not null) JsonSerializer.Serialize(json, value, type);
        else Write(json, value, "the properties");
    }

    static void Write(Utf8JsonWriter json, object? value, string name)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case double number:
                json.WriteNumberValue(number);
                break;
            case float number:
                json.WriteNumberValue(number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case ulong number:
                json.WriteNumberValue(number);
                break;
            case uint or short or ushort or byte or sbyte:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case DateTime time:
                json.WriteStringValue(MixpanelTime.Of(time));
                break;
            case DateTimeOffset time:
                json.WriteStringValue(MixpanelTime.Of(time.UtcDateTime));
                break;
            case Guid id:
                json.WriteStringValue(id);
                break;
            case DateOnly day:
                json.WriteStringValue(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                break;
            case Uri or Enum or char or TimeSpan:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
            case JsonNode node:
                node.WriteTo(json);
                break;
            case JsonElement element:
                element.WriteTo(json);
                break;
            case IEnumerable<KeyValuePair<string, object?>> members:
                json.WriteStartObject();
                foreach (var (key, member) in members)
                {
                    json.WritePropertyName(key);
                    Write(json, member, key);
                }

                json.WriteEndObject();
                break;
            case System.Collections.IEnumerable items:
                json.WriteStartArray();
                foreach (var item in items) Write(json, item, name);
                json.WriteEndArray();
                break;
            default:
                throw new ArgumentException($"{name}: a value of type {value.GetType().Name} has no form in JSON without its type's contract. Give text, a number, a boolean, a time, a list, or JSON.", nameof(value));
        }
    }
}
