using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Docs;
using ModelContextProtocol.Protocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>The two tools by which an agent finds and runs actions that have no tool of their own.</summary>
static class AnyAction
{
    public const string Find = "find_actions", Run = "run_action";

    const string QueryName = "query", ActionName = "action", InputName = "input";

    /// <summary>Searches actions; does not call Mixpanel.</summary>
    public static ModelContextProtocol.Protocol.Tool FindTool { get; } = new()
    {
        Name = Find,
        Title = "Find actions",
        Description = $$"""Finds operations of Mixpanel's API that are not separate tools, such as annotations, Lexicon schemas, cohorts, funnels, feature flags or data pipelines. Returns the name, effect and input schema of each action that {{Run}} may run here, the best match first. Nothing is sent to Mixpanel. Example: {"query":"annotations"}""",
        InputSchema = Input(required: QueryName, new JsonObject
        {
            [QueryName] = new JsonObject
            {
                ["description"] = "Words that describe the task; or the name of a group, an action or one of Mixpanel's operationIds.",
                ["type"] = "string",
                ["minLength"] = 1,
                ["maxLength"] = ActionSearch.LongestQuery,
            },
        }),
        OutputSchema = JsonElement.Parse("""
            {
              "type": "object",
              "properties": {
                "total": { "description": "How many actions match.", "type": "integer" },
                "actions": { "description": "The best of them, with their input schemas.", "type": "array", "items": { "type": "object" } },
                "more": { "description": "The names of the others. Search for a name to see its schema.", "type": "array", "items": { "type": "string" } },
                "not_offered": { "description": "If the best match is not available here: why.", "type": "string" },
                "groups": { "description": "If nothing matches: the existing groups.", "type": "array", "items": { "type": "object" } }
              },
              "required": ["total", "actions"]
            }
            """),
        Annotations = new ToolAnnotations
        {
            Title = "Find actions",
            ReadOnlyHint = true,
            DestructiveHint = false,
            IdempotentHint = true,
            OpenWorldHint = false,
        },
    };

    /// <summary>Runs any of the actions that a session may run.</summary>
    public static ModelContextProtocol.Protocol.Tool RunTool(IReadOnlyCollection<ActionDescriptor> actions) => new()
    {
        Name = Run,
        Title = "Run an action",
        Description = $$"""Runs an action found by {{Find}}, and returns its response. The input is validated against the action's schema before anything is sent. Example: {{Example(ActionCatalogue.Actions.First(action => action is { IsCommon: true, Effect: ActionEffect.Read }))}}""",
        InputSchema = Input(required: ActionName, new JsonObject
        {
            [ActionName] = new JsonObject { ["description"] = $"The name of the action, as returned by {Find}.", ["type"] = "string" },
            [InputName] = new JsonObject { ["description"] = "Its input, according to its input schema. Default: none.", ["type"] = "object" },
        }),
        Annotations = ActionTool.Hints("Run an action", actions),
    };

    /// <summary>The words to search for.</summary>
    /// <exception cref="MixpanelException">The arguments are not valid.</exception>
    public static string Query(IDictionary<string, JsonElement> arguments)
    {
        Check(arguments, QueryName);
        var query = Text(arguments, QueryName);
        return query.Length <= ActionSearch.LongestQuery
            ? query
            : throw Configuration.Invalid(QueryName, $"must have at most {ActionSearch.LongestQuery} characters: a few words are enough.");
    }

    /// <summary>The action to run, and its input.</summary>
    /// <exception cref="MixpanelException">The arguments are not valid, or the session may not run the action.</exception>
    public static (ActionDescriptor Action, JsonElement Input) Call(IDictionary<string, JsonElement> arguments, bool mayWrite)
    {
        Check(arguments, ActionName, InputName);
        var name = Text(arguments, ActionName);
        if (ActionCatalogue.Find(name) is not { } action)
        {
            var near = ActionNames.Nearest(name, ActionCatalogue.Actions.Where(known => Tools.MayRun(known, mayWrite)));
            throw Configuration.Invalid(ActionName,
                near is null ? $"There is no action with this name. {Find} returns the names." : $"There is no action with this name. Did you mean {near}?");
        }

        if (!Tools.MayRun(action, mayWrite)) throw Configuration.Invalid(ActionName, WhyNot(action));
        if (!arguments.TryGetValue(InputName, out var input) || input.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
            input = JsonElement.Parse("{}");
        return input.ValueKind is JsonValueKind.Object
            ? (action, input)
            : throw Configuration.Invalid(InputName, "must be an object that matches the action's input schema.");
    }

    /// <summary>Why a session may not run an action.</summary>
    public static string WhyNot(ActionDescriptor action) => action is { CanBeUndone: false, Effect: not ActionEffect.Read }
        ? $"{action.Name} cannot be undone, and is not available to agents. A person can run it: mixpanel {action.Name.Replace('_', '-')}"
        : $"{action.Name} changes data, which this session is not allowed to do: the server was started without --allow-write, or its key may only read.";

    /// <summary>Example arguments that run an action, as JSON.</summary>
    public static string Example(ActionDescriptor action) =>
        new JsonObject { [ActionName] = action.Name, [InputName] = JsonNode.Parse(XmlDocs.Example(action) ?? "{}") }.ToJsonString(Tools.Readable);

    static void Check(IDictionary<string, JsonElement> arguments, params string[] known)
    {
        if (arguments.Keys.FirstOrDefault(name => !known.Contains(name, StringComparer.Ordinal)) is { } unknown)
            throw Configuration.Invalid(GivenName.Shown(unknown),
                $"is not a known argument. The arguments are {string.Join(" and ", known)}{(known.Contains(InputName, StringComparer.Ordinal) ? $"; the action's input goes into {InputName}" : "")}.");
    }

    static string Text(IDictionary<string, JsonElement> arguments, string name) =>
        arguments.TryGetValue(name, out var value) && value.ValueKind is JsonValueKind.String && value.GetString() is { } text
            && !string.IsNullOrWhiteSpace(text)
            ? text
            : throw Configuration.Invalid(name, "must be non-empty text.");

    static JsonElement Input(string required, JsonObject properties) =>
        ActionTool.Element(new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray(required),
            ["additionalProperties"] = false,
        });
}
