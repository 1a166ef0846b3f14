using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The help of an action's command: what it does, its options with their allowed values, and what it requires and costs.</summary>
static class ActionHelp
{
    /// <summary>The descriptions of the options that are not inputs.</summary>
    public const string Input = "The whole input as one JSON object; separate options override it.";
    public const string All = "Read all pages, and print one result per line.";
    public const string Yes = "Skip the confirmation. The action cannot be undone.";

    public const string Wait = "When Mixpanel's rate limit is exhausted, wait as long as its response says, and retry. Otherwise the command exits with 5.";

    public static string Of(ActionDescriptor action, int width)
    {
        var name = ActionCommand.NameOf(action);
        var schema = action.InputSchema();
        var (options, confidential) = (new List<HelpRow>(), new List<HelpRow>());
        foreach (var (field, node) in schema["properties"]!.AsObject())
        {
            var meaning = Meaning(action, field, node!.AsObject(), schema);
            if (ActionInput.IsConfidential(node)) confidential.Add(new(field, meaning));
            else options.Add(new($"{CommonOptions.OptionName(field)} {ActionInput.ValueName(node.AsObject())}", meaning));
        }

        options.Add(new("--input JSON|@FILE|-", Input));
        if (action.IsPaged) options.Add(new("--all", All));
        if (ActionCommand.CanWait(action)) options.Add(new("--wait", Wait));
        if (action.NeedsConfirmation) options.Add(new("--yes", Yes));
        if (action.HasSecret) options.AddRange([new("--show-secret", SecretHandover.Show), new("--secret-out FILE", SecretHandover.ToFile)]);

        var text = new HelpText(width);
        text.Paragraph(XmlDocs.Summary(action)!);
        text.Line();
        text.Line("Usage:");
        text.Line($"  mixpanel {name} [options]");
        text.Line();
        text.Line("Options:");
        text.Rows(options);
        text.Line();
        if (confidential.Count > 0)
        {
            text.Line("Confidential, only with --input @FILE or --input -:");
            text.Rows(confidential);
            text.Line();
        }

        text.Paragraph("As for every command: --local, --output json|table, --profile NAME, and settings such as --project-id; see mixpanel help options.");
        text.Line();
        if (XmlDocs.Notes(action) is { Length: > 0 } notes)
        {
            text.Paragraph(notes);
            text.Line();
        }

        text.Rows(Facts(action));
        text.Line();
        text.Line("Example:");
        text.Line($"  mixpanel {name} --input '{XmlDocs.Example(action)}'{(action.HasSecret ? " --show-secret" : "")}{(action.NeedsConfirmation ? " --yes" : "")}");
        return text.ToString();
    }

    static List<HelpRow> Facts(ActionDescriptor action)
    {
        var cost = ActionFacts.Costs(action.Cost).TrimEnd();
        return
        [
            new("Group", $"{action.Group.Name} (mixpanel help {action.Group.Name})"),
            new("Operation", $"{action.OperationId}, {action.Documentation}"),
            new("Effect",
                $"{action.Effect.ToString().ToLowerInvariant()}. {ActionFacts.Effect(action)}{(action.NeedsConfirmation ? " It needs confirmation: --yes." : "")}"),
            new("Credential", ActionFacts.Needs(action.Auth)),
            new("Cost",
                cost.Length > 0 ? cost
                    : action.Cost is RateCost.Ingestion ? "Counts as ingestion: about 2 GB of JSON, or 30,000 events per second, over a minute."
                    : "No limit is documented."),
        ];
    }

    static string Meaning(ActionDescriptor action, string name, JsonObject field, JsonObject schema)
    {
        var isRequired = schema["required"]?.AsArray().Any(required => (string?)required == name) == true && field["default"] is null;
        return $"{(isRequired ? "(required) " : "")}{XmlDocs.Summary(action, name)}{(field["default"] is { } value ? $" Default: {value}." : "")}{Limits(field)}";
    }

    /// <summary>The constraints of the schema on a value, beyond its type.</summary>
    static string Limits(JsonObject field)
    {
        var limits = FieldLimits.Of(field);
        if (FieldLimits.Pattern(field) is { } pattern) limits.Add($"matches {pattern}");
        if (field["enum"] is JsonArray { Count: > ActionInput.MostChoicesInName } choices) limits.Add($"one of {Listed(choices)}");
        if (field["items"] is JsonObject items && items["enum"] is JsonArray each) limits.Add($"each one of {Listed(each)}");
        return limits.Count == 0 ? "" : $" [{string.Join("; ", limits)}]";
    }

    static string Listed(JsonArray choices) => string.Join(", ", choices.Select(choice => choice!.ToString()));
}
