using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>A JSON object in a request, with validation of its members.</summary>
sealed class JsonBody(JsonElement root, string path = "")
{
    const int LargestBody = 10 * 1024 * 1024;

    /// <summary>A response nests the sent value a few levels deeper, and JSON parsers commonly accept 64 levels.</summary>
    const int MostLevels = 56;

    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MostLevels };

    /// <summary>Reads the body of a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="optional">Whether an empty body counts as an object without members.</param>
    public static async Task<JsonBody> ReadAsync(HttpContext context, bool optional = false)
    {
        using var body = await RequestBody.ReadAsync(context.Request, LargestBody, gzipAllowed: false, context.RequestAborted).ConfigureAwait(false);
        var root = optional && body.Length == 0 ? JsonElement.Parse("{}") : ParseObject(body.Memory.Span);
        KnownMembers.Check(context, root);
        return new JsonBody(root);
    }

    /// <exception cref="RefusedException">The text is not a JSON object.</exception>
    public static JsonBody Parse(ReadOnlySpan<byte> utf8) => new(ParseObject(utf8));

    /// <exception cref="RefusedException">The text is not a JSON object.</exception>
    public static JsonElement ParseObject(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var json = JsonElement.Parse(utf8, Strict);
            if (json.ValueKind == JsonValueKind.Object && Rules.JsonText.AreAllValid(utf8)) return json;
        }
        catch (JsonException)
        {
            // Reported by the refusal below.
        }
        throw new RefusedException(400, $"request body must be a JSON object in UTF-8 that names each member once and has at most {MostLevels} levels");
    }

    public JsonElement.ObjectEnumerator Members => root.EnumerateObject();

    public IEnumerable<string> Names => root.EnumerateObject().Select(member => member.Name);

    /// <summary>Whether a member exists and is not null.</summary>
    public bool Has(string name) => root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    public string? Text(string name) => Value(name, JsonValueKind.String, "must be text")?.GetString();

    public string RequiredText(string name, int most = int.MaxValue)
    {
        var text = Text(name) ?? throw Invalid(name, "must not be missing");
        return text.Length >= 1 && LengthOf(text) <= most
            ? text
            : throw Invalid(name, most == int.MaxValue ? "must not be empty" : $"must have 1 to {most} characters");
    }

    /// <summary>The length in Unicode characters.</summary>
    public static int LengthOf(string text) => text.EnumerateRunes().Count();

    public int? Integer(string name) => !Has(name) ? null : IntegerOf(root.GetProperty(name), name);

    public long? Long(string name) =>
        Value(name, JsonValueKind.Number, "must be an integer") is not { } element ? null
        : element.TryGetInt64(out var value) ? value
        : throw Invalid(name, "must be an integer");

    public IReadOnlyList<int> Integers(string name) => [.. Elements(name).Select(element => IntegerOf(element, name))];

    public double? Number(string name) => Value(name, JsonValueKind.Number, "must be a number")?.GetDouble();

    public bool? Boolean(string name)
    {
        if (!Has(name)) return null;
        var value = root.GetProperty(name);
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Invalid(name, "must be true or false");
    }

    public IReadOnlyList<string> Texts(string name) =>
        [
            .. Elements(name)
                .Select(element => element.ValueKind == JsonValueKind.String ? element.GetString()! : throw Invalid(name, "must be a list of texts")),
        ];

    public IReadOnlyList<JsonBody> Objects(string name) =>
    [
        .. Elements(name).Select((element, index) =>
            element.ValueKind == JsonValueKind.Object ? new JsonBody(element, $"{Path(name)}[{index}].") : throw Invalid(name, "must be a list of objects")),
    ];

    public JsonBody? Object(string name) =>
        Value(name, JsonValueKind.Object, "must be an object") is { } element ? new JsonBody(element, Path(name) + ".") : null;

    /// <summary>Requires a list, with items of any type.</summary>
    public void CheckList(string name) => Value(name, JsonValueKind.Array, "must be a list");

    /// <summary>Rejects null for a member that may be absent but not null.</summary>
    public void RefuseNull(string name)
    {
        if (root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Null) throw Invalid(name, "must not be null");
    }

    public JsonNode? Node(string name) => root.TryGetProperty(name, out var value) ? JsonNode.Parse(value.GetRawText()) : null;

    public JsonObject ToObject() => JsonNode.Parse(root.GetRawText())!.AsObject();

    public T Choice<T>(string name, T otherwise)
        where T : struct, Enum
    {
        if (Text(name) is not { } text) return otherwise;
        foreach (var value in Enum.GetValues<T>())
        {
            if (value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) return value;
        }
        throw Invalid(name, $"must be {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}");
    }

    public string OneOf(string name, string otherwise, params ReadOnlySpan<string> among)
    {
        var text = Text(name) ?? otherwise;
        return among.Contains(text) ? text : throw Invalid(name, $"must be {string.Join(", ", among.ToArray())}");
    }

    /// <summary>Rejects all other members.</summary>
    public void AllowOnly(params ReadOnlySpan<string> names)
    {
        foreach (var name in Names)
        {
            if (!names.Contains(name)) throw Invalid(name, "is not known");
        }
    }

    public RefusedException Invalid(string name, string rule) => new(400, $"{Path(name)}: {rule}");

    string Path(string name) => path + name;

    JsonElement? Value(string name, JsonValueKind kind, string rule)
    {
        if (!Has(name)) return null;
        var value = root.GetProperty(name);
        return value.ValueKind == kind ? value : throw Invalid(name, rule);
    }

    JsonElement.ArrayEnumerator Elements(string name) =>
        Value(name, JsonValueKind.Array, "must be a list") is { } list ? list.EnumerateArray() : throw Invalid(name, "must be a list");

    int IntegerOf(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var value) ? value : throw Invalid(name, "must be an integer");
}
