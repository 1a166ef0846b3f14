using System.Text;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Docs;

/// <summary>Renders an action as a documentation page.</summary>
static class ActionPage
{
    public static string Of(ActionDescriptor action)
    {
        var command = action.Name.Replace('_', '-');
        var example = XmlDocs.Example(action);
        var page = new StringBuilder();
        page.Append($"# {action.Name}\n\n{XmlDocs.Summary(action)}\n\n{XmlDocs.Remarks(action)}\n\n");
        page.Append("| interface | name |\n|---|---|\n");
        page.Append($"| command line | `mixpanel {command}` |\n| .NET | `MixpanelClient.{action.MethodName}` |\n| HTTP | `POST /v1/actions/{action.Name}` "
            + $"|\n| MCP | {ForAgents(action)}{(action.ResourcePath is { } path ? $", resource `{ActionNames.Resources}{path}`" : "")} |\n| Mixpanel | operation `{action.OperationId}` |\n\n");
        page.Append($"Group: {action.Group.Title}. {ActionFacts.Effect(action)}");
        if (action.IsPaged) page.Append(" Its response is paged: `--all` on the command line reads all pages.");
        if (action.HasSecret)
            page.Append(" The response contains a secret that is shown only once: `--secret-out FILE` or `--show-secret` on the command line; "
                + "in the response over HTTP; in a private file over MCP.");
        if (action.NeedsConfirmation)
            page.Append(" It needs confirmation: `--yes` on the command line, `\"confirm\": true` over HTTP.");
        page.Append("\n\n## Input\n\n");
        AppendFields(page, action.InputSchema(XmlDocs.Describe));
        if (example is not null) page.Append($"\n```json\n{example}\n```\n");
        if (ActionFacts.Maker(action) is var (maker, field, made))
            page.Append($"\n`{field}` refers to what [{maker.Name}]({maker.Name}.md) makes: `{made}` in its response.\n");
        page.Append("\n## Output\n\n");
        AppendFields(page, action.OutputSchema(XmlDocs.Describe));
        page.Append($"\n## Examples\n\n```sh\nmixpanel {command} "
            + $"--input '{example}'{(action.HasSecret ? " --show-secret" : "")}{(action.NeedsConfirmation ? " --yes" : "")}\n```\n\n```sh\ncurl http://127.0.0.1:8124/v1/actions/{action.Name} --json '{(action.NeedsConfirmation ? Confirmed(example!) : example)}'\n```\n");
        return page.ToString();
    }

    static string ForAgents(ActionDescriptor action) => action switch
    {
        { CanBeUndone: false } => "not offered to agents",
        { IsCommon: true } => $"tool `{action.Name}`",
        _ => $"`run_action`; with `--tools`, tool `{action.Name}`",
    };

    static string Confirmed(string example) => example == "{}" ? """{"confirm":true}""" : example[..^1] + ""","confirm":true}""";

    static void AppendFields(StringBuilder page, JsonObject schema)
    {
        page.Append("| field | type | meaning |\n|---|---|---|\n");
        AppendFields(page, schema, "");
    }

    static void AppendFields(StringBuilder page, JsonObject schema, string path)
    {
        var required = schema["required"]?.AsArray().Select(name => (string)name!).ToHashSet(StringComparer.Ordinal) ?? [];
        foreach (var (name, node) in schema["properties"] as JsonObject ?? [])
        {
            if (node is not JsonObject field) continue;
            var facts = required.Contains(name) ? ", required" : "";
            if (field["enum"] is JsonArray choices) facts += $", one of {string.Join(", ", choices.Select(choice => $"`{choice}`"))}";
            facts += string.Concat(FieldLimits.Of(field).Select(limit => $", {limit}"));
            if (FieldLimits.Pattern(field) is { } pattern) facts += $", matches `{pattern.Replace("|", "\\|", StringComparison.Ordinal)}`";
            if (field["default"] is { } value) facts += $", default `{value}`";
            page.Append($"| `{path}{name}` | {Type(field)}{facts} | {((string?)field["description"] ?? "").Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)} |\n");
            if (field["properties"] is not null) AppendFields(page, field, $"{path}{name}.");
            if (field["items"] is JsonObject { } items && items["properties"] is not null) AppendFields(page, items, $"{path}{name}[].");
        }
    }

    static string Type(JsonObject field) => field["type"] switch
    {
        JsonArray types => string.Join(" or ", types.Select(type => (string)type!)),
        JsonValue type => (string)type!,
        _ => "any",
    };
}
