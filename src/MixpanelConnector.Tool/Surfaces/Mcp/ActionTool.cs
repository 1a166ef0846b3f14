using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Docs;
using ModelContextProtocol.Protocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>An action as a tool for agents. Its text comes only from the documentation comments, never from Mixpanel.</summary>
sealed class ActionTool
{
    static readonly ConcurrentDictionary<ActionDescriptor, ActionTool> Known = new();

    const string SecretFile = "secret_file";

    readonly Lazy<ModelContextProtocol.Protocol.Tool> _definition;
    readonly Lazy<HashSet<string>> _plain;

    ActionTool(ActionDescriptor action)
    {
        _definition = new(() => Define(action));
        _plain = new(() =>
        [
            .. action.OutputSchema()["properties"]!.AsObject()
                .Where(property => property.Value!["type"] is JsonValue type && (string?)type is "integer" or "number" or "boolean")
                .Select(property => property.Key),
            SecretFile,
            ResponseSanitizer.Truncated,
        ]);
    }

    /// <summary>The tool of an action, created on first use.</summary>
    public static ActionTool Of(ActionDescriptor action) => Known.GetOrAdd(action, static known => new ActionTool(known));

    public ModelContextProtocol.Protocol.Tool Definition => _definition.Value;

    /// <summary>
    /// Whether a field of the output may contain external text: strings, values that may contain strings, and undocumented fields of Mixpanel's.
    /// </summary>
    public bool IsUntrusted(string field) => !_plain.Value.Contains(field);

    static ModelContextProtocol.Protocol.Tool Define(ActionDescriptor action)
    {
        var output = action.OutputSchema(XmlDocs.Describe);
        var properties = output["properties"]!.AsObject();
        if (action.HasSecret && properties.Remove("secret"))
            properties[SecretFile] = new JsonObject
            {
                ["description"] = "The private file on the server's machine that contains the one-time secret. The secret itself is not shown to agents.",
                ["type"] = "string",
            };

        properties[ResponseSanitizer.Truncated] = new JsonObject
        {
            ["description"] = "Whether something was left out: a text is truncated after 1 KB, a response after 64 KB in total on the wire.",
            ["type"] = "boolean",
        };
        return new ModelContextProtocol.Protocol.Tool
        {
            Name = action.Name,
            Title = ActionNames.Title(action),
            Description = $"{XmlDocs.Summary(action)} {XmlDocs.Remarks(action)} Example: {XmlDocs.Example(action)}",
            InputSchema = Element(action.InputSchema(XmlDocs.Describe)),
            OutputSchema = Element(output),
            Annotations = Hints(ActionNames.Title(action), [action]),
        };
    }

    /// <summary>The hints that apply to every action a tool may run.</summary>
    public static ToolAnnotations Hints(string title, IReadOnlyCollection<ActionDescriptor> actions) => new()
    {
        Title = title,
        ReadOnlyHint = actions.All(action => action.Effect is ActionEffect.Read),
        DestructiveHint = !actions.All(action => action.Effect is ActionEffect.Read or ActionEffect.Create), // false: only adds data
        IdempotentHint = actions.All(action => action.IsRepeatable),
        OpenWorldHint = true,
    };

    public static JsonElement Element(JsonNode node) => JsonElement.Parse(node.ToJsonString());
}
