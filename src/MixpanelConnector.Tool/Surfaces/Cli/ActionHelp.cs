using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The help of an action's command: what it does, its options with what they may be, and what it needs and costs.</summary>
static class ActionHelp
{
    public static string Of(ActionDescriptor action, IEnumerable<System.CommandLine.Option> others, int width)
    {
        var name = ActionCommand.NameOf(action);
        var schema = action.InputSchema(XmlDocs.Summary);
        var fields = schema["properties"]!.AsObject();
        var isConfidential = fields.Any(field => ActionInput.IsConfidential(field.Value!));
        var text = new HelpText(width);
        text.Paragraph(XmlDocs.Summary(action)!);
        text.Line();
        text.Line("Usage:");
        text.Line($"  mixpanel {name} [options]");
        text.Line();
        text.Line("Options:");
        text.Rows(
        [
            .. fields.Where(field => !ActionInput.IsConfidential(field.Value!)).Select(field => ($"{CommonOptions.OptionName(field.Key)} {ActionInput.ValueName(field.Value!.AsObject())}", Meaning(field.Key, field.Value!.AsObject(), schema))),
            .. others.Select(option => ($"{option.Name}{(option.HelpName is { } value ? " " + value : "")}", option.Description!)),
        ]);
        text.Line();
        if (isConfidential)
        {
            text.Line("Confidential, by --input @FILE or --input - alone:");
            text.Rows(fields.Where(field => ActionInput.IsConfidential(field.Value!)).Select(field => (field.Key, Meaning(field.Key, field.Value!.AsObject(), schema))));
            text.Line();
        }

        text.Paragraph("As every command: --local, --output json|table, --profile NAME, and settings such as --project-id; see mixpanel help options.");
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

    static IEnumerable<(string Name, string Meaning)> Facts(ActionDescriptor action)
    {
        yield return ("Group", $"{action.Group.Name} (mixpanel help {action.Group.Name})");
        yield return ("Operation", $"{action.OperationId}, {action.Documentation}");
        yield return ("Effect", $"{action.Effect.ToString().ToLowerInvariant()}. {ActionFacts.Effect(action)}{(action.NeedsConfirmation ? " It asks first: --yes answers." : "")}");
        yield return ("Credential", ActionFacts.Needs(action.Auth));
        yield return ("Cost", ActionFacts.Costs(action.Cost) is { Length: > 0 } cost ? cost : action.Cost is RateCost.Ingestion ? "Counts as ingestion: about 2 GB of JSON, or 30,000 events a second, over a minute." : "No limit is documented.");
    }

    static string Meaning(string name, JsonObject field, JsonObject schema)
    {
        var isRequired = schema["required"]?.AsArray().Any(required => (string?)required == name) == true && field["default"] is null;
        return $"{(isRequired ? "(required) " : "")}{field["description"]}{(field["default"] is { } value ? $" Default: {value}." : "")}{Limits(field)}";
    }

    /// <summary>What the schema asks of a value, beyond its type.</summary>
    static string Limits(JsonObject field)
    {
        var limits = new List<string>();
        Range("minimum", "maximum", "");
        Range("minLength", "maxLength", " characters");
        Range("minItems", "maxItems", " items");
        if ((string?)field["pattern"] is { } pattern) limits.Add($"matches {pattern}");
        if (field["enum"] is JsonArray { Count: > ActionInput.MostChoicesInName } choices) limits.Add($"one of {string.Join(", ", choices.Select(choice => (string)choice!))}");
        if (field["items"] is JsonObject items && items["enum"] is JsonArray each) limits.Add($"each one of {string.Join(", ", each.Select(choice => (string)choice!))}");
        return limits.Count == 0 ? "" : $" [{string.Join("; ", limits)}]";

        void Range(string least, string most, string what)
        {
            if (field[least] is null && field[most] is null) return;
            limits.Add(field[most] is null ? (int?)field[least] == 1 && what.Length > 0 ? "not empty" : $"at least {field[least]}{what}" : $"{(field[least] is { } from ? $"{from} to" : "at most")} {field[most]}{what}");
        }
    }
}
