using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

/// <summary>A case of <c>tests/Cases/actions</c>: what an action is given, what it asks of Mixpanel, and what it makes of the answer.</summary>
sealed record ActionRow
{
    public required string Action { get; init; }

    /// <summary>What the row shows; null for the plain call.</summary>
    public string? Shows { get; init; }

    public JsonElement? Input { get; init; }

    /// <summary>Settings that differ: workspace_id, organization_id or project_id, null for none.</summary>
    public IReadOnlyDictionary<string, long?>? Settings { get; init; }

    /// <summary>Method and address of every request, the query in any order and not escaped; without one, nothing may be sent.</summary>
    public IReadOnlyList<string> Wire { get => field ?? []; init; }

    /// <summary>The content type of the last request's body; null for no body.</summary>
    public string? Type { get; init; }

    /// <summary>The last request's body: JSON; of a form its fields in any order, not escaped; of CSV the text.</summary>
    public JsonElement? Body { get; init; }

    /// <summary>The answers, one after the other; the last one stays.</summary>
    public IReadOnlyList<RowReply> Replies { get => field ?? []; init; }

    public JsonElement? Output { get; init; }

    /// <summary>Whether the output says that Mixpanel refused data.</summary>
    public bool Refused { get; init; }

    public RowProblem? Problem { get; init; }

    public string Name => Shows is null ? Action : $"{Action}: {Shows}";

    static readonly Lazy<ActionRow[]> Rows = new(() =>
        [.. Directory.GetFiles(Repository.File("tests/Cases/actions"), "*.json").Order(StringComparer.Ordinal).SelectMany(file => JsonSerializer.Deserialize(File.ReadAllBytes(file), ActionRowJson.Default.ActionRowArray)!)]);

    public static IReadOnlyList<ActionRow> All => Rows.Value;
}

/// <param name="Status">The status; 0 for a connection that breaks before an answer.</param>
/// <param name="Body">JSON, or a text that is sent as plain text.</param>
sealed record RowReply(int Status = 200, JsonElement? Body = null);

/// <param name="Kind">The kind of the problem.</param>
/// <param name="Field">The field that it names.</param>
/// <param name="Says">A text that stands in its message.</param>
sealed record RowProblem(string Kind, string? Field = null, string? Says = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ActionRow[]))]
sealed partial class ActionRowJson : JsonSerializerContext;
