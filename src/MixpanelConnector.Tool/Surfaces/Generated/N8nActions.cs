using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Docs;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Surfaces.Generated;

/// <summary>The actions in the format of the n8n node: their names, what they do, and the schemas of their inputs, whose properties have titles.</summary>
static class N8nActions
{
    public static JsonObject All() => new()
    {
        ["groups"] = new JsonArray([.. ActionCatalogue.Groups.Select(group =>
            (JsonNode)new JsonObject
            {
                ["name"] = group.Name,
                ["title"] = DisplayNames.Title(group.Title),
                ["about"] = group.About,
                ["actions"] = new JsonArray([.. group.Actions.Select(Of)]),
            })]),
    };

    static JsonObject Of(ActionDescriptor action)
    {
        var input = ActionRoutes.InputSchema(action);
        foreach (var (name, property) in input["properties"]!.AsObject()) property!.AsObject().Insert(0, "title", DisplayNames.Of(name));
        var one = new JsonObject
        {
            ["name"] = action.Name,
            ["title"] = DisplayNames.Of(action.Name),
            ["action"] = ActionNames.Title(action),
            ["about"] = XmlDocs.Summary(action),
            ["effect"] = ActionNames.Snake(action.Effect),
            ["idempotent"] = action.IsRepeatable,
            ["reversible"] = action.CanBeUndone,
            ["has_secret"] = action.HasSecret,
            ["may_be_refused"] = action.OutputSchema()["properties"]!.AsObject().ContainsKey("error"),
            ["documentation"] = action.Documentation.AbsoluteUri,
            ["example"] = JsonNode.Parse(XmlDocs.Example(action) ?? "{}"),
            ["input"] = input,
        };
        if (action.PlainCall is { } call)
            one["call"] = new JsonObject
            {
                ["method"] = call.Method.Method,
                ["path"] = call.Path,
                ["has_body"] = call.HasBody,
                ["names_project"] = call.NamesProject,
                ["has_envelope"] = call.HasEnvelope,
                ["is_results"] = call.IsResults,
            };
        return one;
    }
}

/// <summary>Display names of fields and actions.</summary>
static class DisplayNames
{
    static readonly Dictionary<string, string> Spellings = new(StringComparer.Ordinal)
    {
        ["id"] = "ID",
        ["ids"] = "IDs",
        ["csv"] = "CSV",
        ["json"] = "JSON",
        ["jql"] = "JQL",
        ["ms"] = "Milliseconds",
        ["s3"] = "S3",
        ["gcs"] = "GCS",
        ["gcp"] = "GCP",
        ["bq"] = "BigQuery",
        ["kms"] = "KMS",
        ["gdpr"] = "GDPR",
        ["mixpanels"] = "Mixpanel's",
        ["of"] = "of",
        ["for"] = "for",
        ["by"] = "by",
        ["in"] = "in",
        ["to"] = "to",
        ["and"] = "and",
    };

    /// <summary>A snake_case name in title case.</summary>
    public static string Of(string name) => Title(name.TrimStart('$').Replace('_', ' '));

    /// <summary>Words in title case.</summary>
    public static string Title(string words)
    {
        var title = string.Join(' ', words.Split(' ').Select(word => Spellings.TryGetValue(word, out var spelling) ? spelling : Capital(word)));
        return Capital(title);
    }

    static string Capital(string word) => word.Length == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..];
}
