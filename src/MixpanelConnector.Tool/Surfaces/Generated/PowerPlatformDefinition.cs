using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Surfaces.Generated;

/// <summary>
/// The server's OpenAPI document for Power Platform: OpenAPI 2.0 with its extensions. Version 2.0 has no alternatives (anyOf), so the richest one is described.
/// Keys are a header; parameters and bodies are written the way 2.0 does.
/// </summary>
static class PowerPlatformDefinition
{
    const string Json = "application/json";

    const string Schemas = "#/components/schemas/";

    const string Important = "important";

    const string Advanced = "advanced";

    /// <summary>The operation that tests a new connection.</summary>
    const string Server = "get_server";

    public static JsonObject Of(JsonObject document)
    {
        var schemas = document["components"]!["schemas"]!.AsObject();
        var paths = new JsonObject();
        var used = new SortedSet<string>(StringComparer.Ordinal) { "Problem" };
        foreach (var (path, methods) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in methods!.AsObject())
            {
                if (!path.StartsWith($"{ActionRoutes.Path}/", StringComparison.Ordinal) && (string?)operation!["operationId"] != Server) continue;
                paths[path] = new JsonObject { [method] = Operation(operation!.AsObject(), used) };
            }
        }

        var definitions = new JsonObject();
        foreach (var name in used)
            definitions[name] = Titled(Schema(schemas[name]!.AsObject()),
                DisplayNames.Title(string.Concat(name.Select(letter =>
                    char.IsAsciiLetterUpper(letter) ? $" {char.ToLowerInvariant(letter)}" : $"{letter}")).Trim()));
        var info = document["info"]!.AsObject();
        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject
            {
                ["title"] = (string?)info["title"],
                ["description"] = "Mixpanel's operations through your own server, mixpanel serve: events, profiles, reports, "
                    + "service accounts and the rest of its public API.",
                ["version"] = (string?)info["version"],
                ["contact"] = info["contact"]!.DeepClone(),
                ["license"] = new JsonObject { ["name"] = "MIT" },
            },
            ["host"] = "mixpanel.example.com",
            ["basePath"] = "/",
            ["schemes"] = new JsonArray("https"),
            ["consumes"] = new JsonArray(Json),
            ["produces"] = new JsonArray(Json),
            ["tags"] = new JsonArray([.. document["tags"]!.AsArray()
                .Where(tag => (string?)tag!["name"] is "Server" || ActionCatalogue.Groups.Any(group => group.Title == (string?)tag["name"]))
                .Select(tag => tag!.DeepClone())]),
            ["paths"] = paths,
            ["definitions"] = definitions,
            ["securityDefinitions"] = new JsonObject
            {
                ["api_key"] = new JsonObject
                {
                    ["type"] = "apiKey",
                    ["in"] = "header",
                    ["name"] = "Authorization",
                    ["description"] = "The word Bearer, a space, and a key of the server, created with mixpanel serve new-key.",
                },
            },
            ["security"] = new JsonArray(new JsonObject { ["api_key"] = new JsonArray() }),
            ["x-ms-capabilities"] = new JsonObject
            {
                ["testConnection"] = new JsonObject { ["operationId"] = ActionNames.Pascal(Server), ["parameters"] = new JsonObject() },
            },
        };
    }

    static JsonObject Operation(JsonObject operation, SortedSet<string> used)
    {
        var name = (string)operation["operationId"]!;
        var action = ActionCatalogue.Find(name);
        var parameters = new JsonArray();
        if (operation["requestBody"]?["content"]?[Json]?["schema"] is { } body)
            parameters.Add((JsonNode)new JsonObject
            {
                ["name"] = "body",
                ["in"] = "body",
                ["required"] = true,
                ["x-ms-summary"] = "Input",
                ["x-ms-visibility"] = Important,
                ["description"] = "The action's input.",
                ["schema"] = Referred(body, used),
            });

        // An idempotent operation needs no key: the same request can be sent again unchanged.
        if (action is { IsRepeatable: false })
            parameters.Add((JsonNode)new JsonObject
            {
                ["name"] = Idempotency.Header,
                ["in"] = "header",
                ["type"] = "string",
                ["minLength"] = 1,
                ["maxLength"] = 255,
                ["x-ms-summary"] = "Idempotency Key",
                ["x-ms-visibility"] = Advanced,
                ["description"] = "A key for this one request: sent again with it, the request is executed once and gets the same response, "
                    + "without a one-time secret.",
            });
        var made = new JsonObject
        {
            ["tags"] = operation["tags"]!.DeepClone(),
            ["summary"] = (string?)operation["summary"] + (action is { NeedsConfirmation: true } ? " (cannot be undone)" : ""),
            ["description"] = string.Join(' ', ((string)operation["description"]!).Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            ["operationId"] = ActionNames.Pascal(name),
            ["x-ms-visibility"] = action is { IsCommon: true } ? Important : Advanced,
            ["parameters"] = parameters,
            ["responses"] = new JsonObject
            {
                ["200"] = new JsonObject
                {
                    ["description"] = (string?)operation["responses"]!["200"]!["description"],
                    ["schema"] = Success(operation["responses"]!["200"]!["content"]![Json]!["schema"]!, used),
                },
                ["default"] = new JsonObject
                {
                    ["description"] = "What went wrong, and what to do next.",
                    ["schema"] = new JsonObject { ["$ref"] = "#/definitions/Problem" },
                },
            },
        };
        if (parameters.Count == 0) made.Remove("parameters");
        return made;
    }

    static string Name(JsonNode reference) => ((string)reference["$ref"]!)[Schemas.Length..];

    static JsonObject Referred(JsonNode reference, SortedSet<string> used)
    {
        used.Add(Name(reference));
        return new JsonObject { ["$ref"] = $"#/definitions/{Name(reference)}" };
    }

    static JsonObject Success(JsonNode schema, SortedSet<string> used) =>
        schema["$ref"] is null ? Titled(Schema(schema.AsObject()), "Answer") : Referred(schema, used);

    /// <summary>Converts a schema to 2.0, with the labels that Power Platform shows for its properties.</summary>
    static JsonObject Schema(JsonObject schema)
    {
        if (schema["anyOf"] is JsonArray forms)
        {
            var richest = forms.OfType<JsonObject>().FirstOrDefault(form => (string?)form["type"] == "object") ?? forms[0]!.AsObject();
            var made = Schema(richest);
            if (schema["description"] is { } description) made["description"] = description.DeepClone();
            return made;
        }

        var plain = new JsonObject();
        foreach (var (name, value) in schema)
        {
            switch (name)
            {
                case "type" when value is JsonArray types:
                    plain["type"] = types.First(type => (string?)type != "null")!.DeepClone();
                    plain["x-nullable"] = true;
                    break;
                case "writeOnly":
                    plain["format"] = "password";
                    break;
                case "properties":
                    plain[name] = Properties(value!.AsObject(), schema["required"]?.AsArray() ?? []);
                    break;
                case "items":
                    plain[name] = Schema(value!.AsObject());
                    break;
                case "additionalProperties":
                    // A schema for further properties of an object is not a field of a form; that none are allowed is checked by the server.
                    if (value is JsonObject free) plain[name] = Schema(free);
                    break;
                default:
                    plain[name] = value?.DeepClone();
                    break;
            }
        }

        return plain;
    }

    static JsonObject Properties(JsonObject properties, JsonArray required)
    {
        var made = new JsonObject();
        foreach (var (name, value) in properties)
        {
            var schema = Titled(Schema(value!.AsObject()), DisplayNames.Of(name));
            schema["x-ms-visibility"] = required.Any(one => (string?)one == name) ? Important : Advanced;
            if (!schema.ContainsKey("description")) schema["description"] = $"{DisplayNames.Of(name)}.";
            made[name] = schema;
        }

        return made;
    }

    static JsonObject Titled(JsonObject schema, string title)
    {
        schema.Remove("title");
        schema.Insert(0, "x-ms-summary", title);
        return schema;
    }
}
