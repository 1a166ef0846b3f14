using System.Reflection;
using MixpanelConnector.Tool.Surfaces.Docs;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>The resources and prompts for agents: the expression language, a page for each action, and a few tasks. All of it is our own text.</summary>
static class Guides
{
    const string Markdown = "text/markdown";
    const string ActionPrefix = "mixpanel://actions/";
    const string Expressions = "mixpanel://guides/expressions";

    static readonly (Prompt Prompt, string Guide)[] Tasks =
    [
        (new Prompt
        {
            Name = "find_profiles",
            Title = "Find user profiles",
            Description = "Answers a question about users from their profiles, with few queries.",
            Arguments =
            [
                new PromptArgument
                {
                    Name = "question",
                    Description = "What to find out, such as: which pro users in Chicago were seen this week?",
                    Required = true,
                },
            ],
        }, "find-profiles"),
        (new Prompt
        {
            Name = "prepare_events",
            Title = "Prepare events",
            Description = "Turns a description into valid Mixpanel events, shown before they are sent.",
            Arguments = [new PromptArgument { Name = "description", Description = "What happened, in words or as a table.", Required = true }],
        }, "prepare-events"),
    ];

    public static IList<Resource> Resources { get; } =
    [
        new Resource
        {
            Uri = Expressions,
            Name = "expressions",
            Title = "The expression language",
            Description = "How to filter profiles: operators, casts, dates, and examples.",
            MimeType = Markdown,
        },
        .. ActionCatalogue.Actions.Select(action => new Resource
        {
            Uri = ActionPrefix + action.Name,
            Name = action.Name,
            Title = action.Name,
            Description = XmlDocs.Summary(action),
            MimeType = Markdown,
        }),
    ];

    public static IList<Prompt> Prompts { get; } = [.. Tasks.Select(task => task.Prompt)];

    /// <exception cref="McpProtocolException">There is no such resource.</exception>
    public static ReadResourceResult Read(string uri)
    {
        var text = uri == Expressions ? Guide("expressions")
            : uri.StartsWith(ActionPrefix, StringComparison.Ordinal) && ActionCatalogue.Find(uri[ActionPrefix.Length..]) is { } action ? ActionPage.Of(action)
            : throw new McpProtocolException("There is no such resource. Use one from resources/list.", McpErrorCode.InvalidParams);
        return new ReadResourceResult { Contents = [new TextResourceContents { Uri = uri, MimeType = Markdown, Text = text }] };
    }

    /// <exception cref="McpProtocolException">There is no such prompt, or an argument is missing.</exception>
    public static GetPromptResult Ask(string name, IDictionary<string, System.Text.Json.JsonElement>? arguments)
    {
        var (prompt, guide) = Tasks.FirstOrDefault(task => task.Prompt.Name == name);
        if (prompt is null) throw new McpProtocolException("There is no such prompt. Use one from prompts/list.", McpErrorCode.InvalidParams);
        var text = Guide(guide);
        foreach (var argument in prompt.Arguments!)
        {
            if (arguments is null || !arguments.TryGetValue(argument.Name, out var value) || value.ValueKind is not System.Text.Json.JsonValueKind.String)
                throw new McpProtocolException($"The prompt needs the argument {argument.Name}, a string.", McpErrorCode.InvalidParams);
            text = text.Replace($"{{{{{argument.Name}}}}}", value.GetString(), StringComparison.Ordinal);
        }

        return new GetPromptResult
        {
            Description = prompt.Description,
            Messages = [new PromptMessage { Role = Role.User, Content = new TextContentBlock { Text = text } }],
        };
    }

    static string Guide(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"guides/{name}.md")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
