using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The OpenAPI document as a web page: rendered once, on the server, without scripts or external resources.</summary>
static class ReferencePage
{
    static readonly Lazy<ReadOnlyMemory<byte>> Style = new(() =>
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("reference.css")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    });

    static byte[]? _page;

    public static Task AnswerAsync(HttpContext context) => context.Response.WriteAsync(200, "text/html; charset=utf-8", _page ??= Render(OpenApi.Document()));

    public static Task AnswerStyleAsync(HttpContext context) => context.Response.WriteAsync(200, "text/css; charset=utf-8", Style.Value);

    public static byte[] Render(ReadOnlyMemory<byte> openApi)
    {
        var document = JsonNode.Parse(openApi.Span)!.AsObject();
        var html = new StringBuilder(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, "
            + "initial-scale=1\"><title>Mixpanel Connector: reference</title><link rel=\"stylesheet\" href=\"reference.css\"></head><body><main>");
        html.Append("<h1>").Append(Text(document["info"]!["title"])).Append("</h1>");
        foreach (var paragraph in ((string)document["info"]!["description"]!).Split("\n\n")) html.Append("<p>").Append(Prose(paragraph)).Append("</p>");
        html.Append("<p>For programs: <a href=\"openapi.json\">openapi.json</a></p><nav aria-label=\"Operations\"><ul>");
        var operations = document["paths"]!.AsObject().SelectMany(path =>
            path.Value!.AsObject().Select(method => (Path: path.Key, Method: method.Key.ToUpperInvariant(), Operation: method.Value!.AsObject()))).ToList();
        foreach (var (path, method, operation) in operations)
            html.Append("<li><a href=\"#")
                .Append(Text(operation["operationId"]))
                .Append("\">")
                .Append(method)
                .Append(' ')
                .Append(Encode(path))
                .Append("</a></li>");
        html.Append("</ul></nav>");
        foreach (var (path, method, operation) in operations) AppendOperation(html, document, path, method, operation);
        html.Append("</main></body></html>");
        return Encoding.UTF8.GetBytes(html.ToString());
    }

    static void AppendOperation(StringBuilder html, JsonObject document, string path, string method, JsonObject operation)
    {
        html.Append("<section id=\"")
            .Append(Text(operation["operationId"]))
            .Append("\"><h2>")
            .Append(Text(operation["summary"]))
            .Append("</h2><p><code>")
            .Append(method)
            .Append(' ')
            .Append(Encode(path))
            .Append("</code></p>");
        foreach (var paragraph in ((string?)operation["description"] ?? "").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
            html.Append("<p>").Append(Prose(paragraph)).Append("</p>");
        if (operation["parameters"] is JsonArray parameters)
        {
            html.Append("<h3>Parameters</h3>");
            AppendTable(html,
                parameters.Select(parameter => Resolve(document, parameter!.AsObject()))
                    .Select(parameter => ((string)parameter["name"]!, Type(parameter["schema"]!), (bool?)parameter["required"] == true,
                        (string?)parameter["description"])));
        }

        if (operation["requestBody"]?["content"] is JsonObject body)
        {
            html.Append("<h3>Body</h3><p>").Append(Encode(string.Join(", ", body.Select(content => content.Key)))).Append("</p>");
            AppendSchema(html, document, body.First().Value!["schema"]!);
            if (body.First().Value!["example"] is { } example) html.Append("<pre>").Append(Encode(JsonText.Indented(example))).Append("</pre>");
        }

        html.Append("<h3>Answers</h3><dl>");
        foreach (var (status, response) in operation["responses"]!.AsObject())
            html.Append("<dt>")
                .Append(Encode(status))
                .Append("</dt><dd>")
                .Append(Prose((string?)Resolve(document, response!.AsObject())["description"] ?? ""))
                .Append("</dd>");
        html.Append("</dl>");
        var answer = Resolve(document, operation["responses"]!.AsObject().First().Value!.AsObject());
        if (answer["content"] is JsonObject content) AppendSchema(html, document, content.First().Value!["schema"]!);
        html.Append("</section>");
    }

    static void AppendSchema(StringBuilder html, JsonObject document, JsonNode schema)
    {
        if (schema is not JsonObject given || Resolve(document, given) is not { } resolved || resolved["properties"] is not JsonObject properties) return;
        var required = resolved["required"]?.AsArray().Select(name => (string)name!).ToHashSet(StringComparer.Ordinal) ?? [];
        AppendTable(html,
            properties.Select(property => (property.Key, Type(property.Value!), required.Contains(property.Key), (string?)property.Value!["description"])));
    }

    static void AppendTable(StringBuilder html, IEnumerable<(string Name, string Type, bool Required, string? Description)> rows)
    {
        html.Append("<table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
        foreach (var (name, type, required, description) in rows)
            html.Append("<tr><td><code>")
                .Append(Encode(name))
                .Append("</code></td><td>")
                .Append(Encode(type))
                .Append(required ? ", required" : "")
                .Append("</td><td>")
                .Append(Prose(description ?? ""))
                .Append("</td></tr>");
        html.Append("</tbody></table>");
    }

    static JsonObject Resolve(JsonObject document, JsonObject node)
    {
        if ((string?)node["$ref"] is not { } reference) return node;
        return reference.Split('/').Skip(1).Aggregate((JsonNode)document, (current, name) => current[name]!).AsObject();
    }

    static string Type(JsonNode schema) => schema["type"] switch
    {
        JsonArray types => string.Join(" or ", types.Select(type => (string)type!)),
        JsonValue type => (string)type!,
        _ => "any",
    };

    /// <summary>HTML of a text with code in backticks.</summary>
    static string Prose(string text)
    {
        var parts = text.Split('`');
        return parts.Length % 2 == 0
            ? Encode(text)
            : string.Concat(parts.Select((part, index) => index % 2 == 0 ? Encode(part) : $"<code>{Encode(part)}</code>"));
    }

    static string Text(JsonNode? node) => Encode((string?)node ?? "");

    static string Encode(string text) => WebUtility.HtmlEncode(text);
}
