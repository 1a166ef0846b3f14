using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector;

/// <summary>Holds an input against the schema of its action, so that what is documented is what is enforced.</summary>
/// <remarks>It knows the part of JSON Schema that <see cref="ActionSchema"/> writes: type, enum, format date, properties, required, default, additionalProperties, items, anyOf.</remarks>
static class SchemaValidation
{
    const int MostFaults = 10;

    /// <exception cref="MixpanelException">The input does not fit; each fault is named with its path.</exception>
    public static void Check(JsonElement input, JsonObject schema)
    {
        var faults = new List<(string Path, string Reason)>();
        Check(input, schema, "", faults);
        if (faults.Count == 0) return;
        var shown = faults.Take(MostFaults).Select(fault => fault.Path.Length == 0 ? fault.Reason : $"{fault.Path}: {fault.Reason}");
        var more = faults.Count > MostFaults ? $" (and {faults.Count - MostFaults} more)" : "";
        throw MixpanelException.Invalid(faults[0].Path.Length == 0 ? null : faults[0].Path, string.Join("; ", shown) + more + ".");
    }

    static void Check(JsonElement value, JsonNode schema, string path, List<(string Path, string Reason)> faults)
    {
        if (schema is not JsonObject rules)
        {
            CheckText(value, path, faults);
            return;
        }

        if (rules["anyOf"] is JsonArray choices)
        {
            var fitting = choices.FirstOrDefault(choice => HasType(value, (string)choice!["type"]!));
            if (fitting is null) faults.Add((path, $"must be {string.Join(" or ", choices.Select(choice => Article((string)choice!["type"]!)))}, not {Kind(value)}"));
            else Check(value, fitting, path, faults);
            return;
        }

        if ((string?)rules["type"] is { } type && !HasType(value, type))
        {
            faults.Add((path, path.Length == 0 ? $"The input must be a JSON object, not {Kind(value)}" : $"must be {Article(type)}, not {Kind(value)}"));
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                CheckObject(value, rules, path, faults);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray()) Check(item, rules["items"] ?? true, $"{path}[{index++}]", faults);
                break;
            case JsonValueKind.String when TextOf(value) is { } text:
                if (rules["enum"] is JsonArray names && !names.Any(name => (string?)name == text)) faults.Add((path, $"must be one of {string.Join(", ", names.Select(name => (string?)name))}"));
                if ((string?)rules["format"] == "date" && !DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)) faults.Add((path, "must be a date such as 2026-01-31"));
                break;
            default:
                CheckText(value, path, faults);
                break;
        }
    }

    static void CheckObject(JsonElement value, JsonObject rules, string path, List<(string Path, string Reason)> faults)
    {
        var properties = rules["properties"] as JsonObject ?? [];
        var closed = rules["additionalProperties"] is JsonValue additional && !additional.GetValue<bool>();
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, memberPath, member) in Members(value, path, faults))
        {
            given.Add(name);
            if (properties[name] is { } rule) Check(member, rule, memberPath, faults);
            else if (closed) faults.Add((memberPath, $"is unknown here; known are {string.Join(", ", properties.Select(p => p.Key))}"));
            else CheckText(member, memberPath, faults);
        }

        foreach (var required in rules["required"] as JsonArray ?? [])
        {
            var name = (string)required!;
            if (!given.Contains(name) && properties[name]?["default"] is null) faults.Add((Join(path, name), "is missing"));
        }
    }

    /// <summary>What a schema cannot say: JSON can spell half a character (a lone surrogate), which would be replaced in silence when sent, and one name twice, of which one value would be lost.</summary>
    static void CheckText(JsonElement value, string path, List<(string Path, string Reason)> faults)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                if (TextOf(value) is null) faults.Add((path, "is not valid Unicode"));
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray()) CheckText(item, $"{path}[{index++}]", faults);
                break;
            case JsonValueKind.Object:
                foreach (var (_, memberPath, member) in Members(value, path, faults)) CheckText(member, memberPath, faults);
                break;
        }
    }

    static IEnumerable<(string Name, string Path, JsonElement Value)> Members(JsonElement value, string path, List<(string Path, string Reason)> faults)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            if (!TryGetName(member, out var name)) faults.Add((path, path.Length == 0 ? "The input has a name that is not valid Unicode" : "has a name that is not valid Unicode"));
            else if (!seen.Add(name)) faults.Add((Join(path, name), "is given twice"));
            else yield return (name, Join(path, name), member.Value);
        }
    }

    /// <summary>Null when it is not valid Unicode.</summary>
    static string? TextOf(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    static bool TryGetName(JsonProperty member, out string name)
    {
        try
        {
            name = member.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            name = "";
            return false;
        }
    }

    static bool HasType(JsonElement value, string type) => type switch
    {
        "string" => value.ValueKind is JsonValueKind.String,
        "integer" => value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind is JsonValueKind.Number,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "array" => value.ValueKind is JsonValueKind.Array,
        "object" => value.ValueKind is JsonValueKind.Object,
        _ => throw new InvalidOperationException($"The schema type {type} is not known here."),
    };

    static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when !value.TryGetInt64(out _) => "a number with a fraction or out of range",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Null => "null",
        JsonValueKind.String => "a string",
        JsonValueKind.Array => "an array",
        _ => "an object",
    };

    static string Article(string type) => type is "integer" or "array" or "object" ? $"an {type}" : $"a {type}";

    static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
