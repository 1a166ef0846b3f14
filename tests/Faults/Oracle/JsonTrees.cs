using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>Compares an event in the input with the event as it arrived.</summary>
static class JsonTrees
{
    /// <summary>The first difference other than an added <c>$insert_id</c>; null if there is none. Numbers are compared as text.</summary>
    public static string? Difference(JsonElement source, JsonElement delivered, string path = "")
    {
        if (source.ValueKind != delivered.ValueKind) return $"{path} is {delivered.ValueKind}, not {source.ValueKind}";
        switch (source.ValueKind)
        {
            case JsonValueKind.Object:
                var added = delivered.EnumerateObject()
                    .Select(property => property.Name)
                    .Except(source.EnumerateObject().Select(property => property.Name), StringComparer.Ordinal).ToList();
                if (added.Count > 0 && !(path == "/properties" && added is ["$insert_id"])) return $"{path} has {string.Join(", ", added)} too";
                if (delivered.GetPropertyCount() != source.GetPropertyCount() + added.Count)
                    return $"{path} has {delivered.GetPropertyCount()} properties of {source.GetPropertyCount()}";
                foreach (var property in source.EnumerateObject())
                {
                    if (!delivered.TryGetProperty(property.Name, out var value)) return $"{path}/{property.Name} is missing";
                    if (Difference(property.Value, value, $"{path}/{property.Name}") is { } difference) return difference;
                }

                return null;

            case JsonValueKind.Array:
                if (source.GetArrayLength() != delivered.GetArrayLength())
                    return $"{path} has {delivered.GetArrayLength()} elements of {source.GetArrayLength()}";
                for (var i = 0; i < source.GetArrayLength(); i++)
                    if (Difference(source[i], delivered[i], $"{path}/{i}") is { } difference) return difference;
                return null;

            case JsonValueKind.String:
                return source.GetString() == delivered.GetString() ? null : $"the text at {path}";

            default:
                return source.GetRawText() == delivered.GetRawText() ? null : $"{path} is {delivered.GetRawText()}, not {source.GetRawText()}";
        }
    }
}
