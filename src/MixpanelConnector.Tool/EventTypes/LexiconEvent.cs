using System.Text.Json;

namespace MixpanelConnector.Tool.EventTypes;

/// <summary>An event as a Lexicon describes it.</summary>
sealed record LexiconEvent(string Name, string? Description, bool IsDropped, IReadOnlyList<LexiconProperty> Properties)
{
    /// <summary>
    /// Reads the events of a Lexicon: the output of <c>list-schemas</c>, the input of <c>upload-schemas</c>, or only the list of entries. Profiles are skipped.
    /// </summary>
    /// <exception cref="FormatException">The JSON is not a Lexicon.</exception>
    public static IReadOnlyList<LexiconEvent> Read(JsonElement lexicon)
    {
        var entries =
            lexicon.ValueKind is JsonValueKind.Object && (lexicon.TryGetProperty("results", out var list) || lexicon.TryGetProperty("entries", out list))
            ? list
            : lexicon;
        if (entries.ValueKind is not JsonValueKind.Array) throw new FormatException("there is no list of schemas: use the output of list-schemas");
        var events = new Dictionary<string, LexiconEvent>(StringComparer.Ordinal);
        foreach (var (number, entry) in entries.EnumerateArray().Index())
        {
            var type = Text(entry, "entityType") ?? throw Fault(number, "has no entityType");
            if (type != "event") continue;
            var name = Text(entry, "name") ?? throw Fault(number, "has no name");
            if (!entry.TryGetProperty("schemaJson", out var schema) || schema.ValueKind is not JsonValueKind.Object) throw Fault(number, "has no schemaJson");
            if (!events.TryAdd(name, Of(name, schema, number))) throw Fault(number, "repeats the event of an earlier one");
        }

        return [.. events.Values.OrderBy(one => one.Name, StringComparer.Ordinal)];
    }

    static LexiconEvent Of(string name, JsonElement schema, int number)
    {
        var required = schema.TryGetProperty("required", out var names) && names.ValueKind is JsonValueKind.Array
            ? names.EnumerateArray().Where(one => one.ValueKind is JsonValueKind.String).Select(one => one.GetString()!).ToHashSet(StringComparer.Ordinal)
            : [];
        var properties = new OrderedDictionary<string, LexiconProperty>(StringComparer.Ordinal);
        if (schema.TryGetProperty("properties", out var all) && all.ValueKind is not JsonValueKind.Null)
        {
            if (all.ValueKind is not JsonValueKind.Object) throw Fault(number, "has properties that are not an object");
            foreach (var property in all.EnumerateObject())
            {
                if (property.Value.ValueKind is not JsonValueKind.Object) throw Fault(number, "has a property whose definition is not an object");
                properties[property.Name] = LexiconProperty.Of(property.Name, property.Value, required.Contains(property.Name));
            }
        }

        return new(name, Text(schema, "description"), IsDroppedBy(schema), [.. properties.Values]);
    }

    /// <summary>Whether Mixpanel drops the data that a schema describes.</summary>
    public static bool IsDroppedBy(JsonElement schema) =>
        schema.TryGetProperty("metadata", out var metadata) && metadata.ValueKind is JsonValueKind.Object
            && metadata.TryGetProperty("com.mixpanel", out var own) && own.ValueKind is JsonValueKind.Object && own.TryGetProperty("dropped", out var dropped)
            && dropped.ValueKind is JsonValueKind.True;

    public static string? Text(JsonElement holder, string name) =>
        holder.ValueKind is JsonValueKind.Object && holder.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    static FormatException Fault(int number, string what) =>
        new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"schema {number + 1} {what}"));
}

/// <summary>A property of an event, with the C# type that corresponds to its schema.</summary>
/// <param name="Name">Its name in Mixpanel.</param>
/// <param name="Description">Its description.</param>
/// <param name="Type">The C# type of its values; null for an enumeration.</param>
/// <param name="Values">Its allowed values, if they can be members of an enumeration.</param>
/// <param name="IsRequired">Whether every event has it.</param>
/// <param name="IsDropped">Whether Mixpanel drops it.</param>
sealed record LexiconProperty(string Name, string? Description, string? Type, IReadOnlyList<string> Values, bool IsRequired, bool IsDropped)
{
    const string Nodes = "global::System.Text.Json.Nodes.";

    public static LexiconProperty Of(string name, JsonElement definition, bool isRequired)
    {
        var types = TypesOf(definition).ToHashSet(StringComparer.Ordinal);
        var mayBeNull = types.Remove("null");
        var values = types.IsSubsetOf(["string"]) ? ValuesOf(definition) : [];
        return new(name, LexiconEvent.Text(definition, "description"), values.Count > 0 ? null : TypeOf(types, definition), values, isRequired && !mayBeNull,
            LexiconEvent.IsDroppedBy(definition));
    }

    static IEnumerable<string> TypesOf(JsonElement definition) => !definition.TryGetProperty("type", out var type) ? []
        : type.ValueKind is JsonValueKind.Array ? type.EnumerateArray().Where(one => one.ValueKind is JsonValueKind.String).Select(one => one.GetString()!)
        : type.ValueKind is JsonValueKind.String ? [type.GetString()!] : [];

    static string TypeOf(HashSet<string> types, JsonElement definition) => types switch
    {
        { Count: 1 } when types.Contains("string") => LexiconEvent.Text(definition, "format") is "date-time" ? "global::System.DateTimeOffset" : "string",
        { Count: 1 } when types.Contains("boolean") => "bool",
        { Count: 1 } when types.Contains("integer") => "long",
        _ when types.Contains("number") && types.IsSubsetOf(["integer", "number"]) => "double",
        { Count: 1 } when types.Contains("object") => Nodes + "JsonObject",
        { Count: 1 } when types.Contains("array") => definition.TryGetProperty("items", out var items) && items.ValueKind is JsonValueKind.Object
            && TypesOf(items).ToHashSet(StringComparer.Ordinal) is { Count: 1 } one && TypeOf(one, items) is var item
            && !item.StartsWith(Nodes, StringComparison.Ordinal)
            ? $"global::System.Collections.Generic.IReadOnlyList<{item}>" : Nodes + "JsonArray",
        _ => Nodes + "JsonNode",
    };

    /// <summary>The values of an enumeration; empty if one of them cannot be the name of a member.</summary>
    static List<string> ValuesOf(JsonElement definition)
    {
        if (!definition.TryGetProperty("enum", out var list) || list.ValueKind is not JsonValueKind.Array) return [];
        var values = list.EnumerateArray()
            .Where(value => value.ValueKind is not JsonValueKind.Null)
            .Select(value => value.ValueKind is JsonValueKind.String ? value.GetString()! : "")
            .Distinct(StringComparer.Ordinal).ToList();
        return values.TrueForAll(CSharpNames.IsIdentifier) ? values : [];
    }
}
