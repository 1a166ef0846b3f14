using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;

namespace MixpanelConnector;

/// <summary>Converts a configuration value, which can only be text or a section, to the JSON that was most likely meant.</summary>
static class ConfiguredValue
{
    /// <summary>
    /// Text that reads as a number becomes a number, <c>true</c> and <c>false</c> (case-insensitive) become booleans, and text in double quotes becomes a
    /// string. Sections become objects; those whose keys count from 0 become lists.
    /// </summary>
    public static JsonNode? Of(IConfigurationSection section)
    {
        var children = section.GetChildren().ToList();
        if (children.Count == 0) return section.Value is { } text ? Of(text) : null;
        if (children.Select(child => child.Key)
            .ToHashSet(StringComparer.Ordinal)
            .SetEquals(Enumerable.Range(0, children.Count).Select(index => index.ToString(CultureInfo.InvariantCulture))))
            return new JsonArray([.. children.OrderBy(child => int.Parse(child.Key, CultureInfo.InvariantCulture)).Select(Of)]);
        return new JsonObject(children.Select(child => KeyValuePair.Create(child.Key, Of(child))));
    }

    static JsonNode Of(string text)
    {
        if (bool.TryParse(text, out var flag)) return flag;
        if (text is not ([(>= '0' and <= '9') or '-', ..] or ['"', .., '"'])) return text;
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
            if (reader.Read() && reader.TokenType is JsonTokenType.Number or JsonTokenType.String && !reader.Read()) return JsonNode.Parse(text)!;
        }
        catch (JsonException)
        {
            // It is text that only starts like JSON.
        }

        return text;
    }
}
