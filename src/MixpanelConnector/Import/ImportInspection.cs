using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>What an input looks like to an import, by its first records: its form, its columns, what would be refused, and the options that would help. Samples are values of the input, cut to 80 characters, without any that a terminal would act on.</summary>
public sealed record ImportInspection
{
    /// <summary>The input's name: of several, the first that has records.</summary>
    [JsonPropertyOrder(0)] public required string Source { get; init; }

    /// <summary>How many inputs there are.</summary>
    [JsonPropertyOrder(1)] public required int Inputs { get; init; }

    /// <summary>Its format; null when it has none that can be read.</summary>
    [JsonPropertyOrder(2)] public string? Format { get; init; }

    /// <summary>Its compression; null for none.</summary>
    [JsonPropertyOrder(3)] public string? Compression { get; init; }

    /// <summary>What parts its cells, such as <c>semicolons</c>; null when it has none.</summary>
    [JsonPropertyOrder(4)] public string? Delimiter { get; init; }

    /// <summary>How its lines end: <c>LF</c>, <c>CR LF</c> or <c>CR</c>, by its first 64 KiB; null when it has no lines.</summary>
    [JsonPropertyOrder(5)] public string? LineEnds { get; init; }

    /// <summary>How its text is encoded, by its first 64 KiB; null when it is no text.</summary>
    [JsonPropertyOrder(6)] public string? Encoding { get; init; }

    /// <summary>How many records were looked at.</summary>
    [JsonPropertyOrder(7)] public required long Records { get; init; }

    /// <summary>How many of them would not be accepted as the options are.</summary>
    [JsonPropertyOrder(8)] public required long Refused { get; init; }

    /// <summary>Why, the most frequent reason first; null when none is refused.</summary>
    [JsonPropertyOrder(9)] public IReadOnlyList<ImportReason>? Reasons { get; init; }

    /// <summary>Its columns, or the members of its JSON records, those of their properties by two names with a dot: at most 5000.</summary>
    [JsonPropertyOrder(10)] public required IReadOnlyList<ImportColumn> Columns { get; init; }

    /// <summary>Options under which more of its records would be accepted, as was tried on them; null when none were found.</summary>
    [JsonPropertyOrder(11)] public ImportProposal? Proposal { get; init; }

    /// <summary>Why it could not be read, or not to where the looking ends, and what to do next; null when it could.</summary>
    [JsonPropertyOrder(12)] public string? Problem { get; init; }

    /// <summary>How it ended; in JSON by its number. <see cref="RunOutcome.Damaged"/>: it is unreadable, corrupt, or has no record.</summary>
    [JsonPropertyOrder(13), JsonPropertyName("exit_code")] public required RunOutcome Outcome { get; init; }

    /// <summary>It as JSON, with the names of its documentation.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ImportInspectionJson.Default.ImportInspection);
}

/// <summary>A column of an input, or a member of its JSON records.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What its values are: <c>text</c>, <c>number</c>, <c>boolean</c>, <c>time</c> (text that <c>--fix time</c> can read), <c>json</c> or <c>empty</c>; several with <c>or</c>, the most frequent first.</param>
/// <param name="Samples">Its first values that differ, at most three.</param>
public sealed record ImportColumn([property: JsonPropertyOrder(0)] string Name, [property: JsonPropertyOrder(1)] string Type, [property: JsonPropertyOrder(2)] IReadOnlyList<string> Samples);

/// <summary>Options of an import that were tried on an input's first records, beside those that were given.</summary>
public sealed record ImportProposal
{
    /// <summary>The format to name; null when it need not be named.</summary>
    [JsonPropertyOrder(0)] public string? Format { get; init; }

    /// <summary>Which columns hold which fields: from the field's name to the column's.</summary>
    [JsonPropertyOrder(1)] public required IReadOnlyDictionary<string, string> Map { get; init; }

    /// <summary>Properties to rename, from old to new names: records that have properties have no columns to map.</summary>
    [JsonPropertyOrder(2)] public required IReadOnlyDictionary<string, string> Rename { get; init; }

    /// <summary>The name for all events; null when a column holds it.</summary>
    [JsonPropertyOrder(3)] public string? Event { get; init; }

    /// <summary>The repairs.</summary>
    [JsonPropertyOrder(4)] public required IReadOnlyList<string> Fix { get; init; }

    /// <summary>How many of the records that were looked at would be accepted with them.</summary>
    [JsonPropertyOrder(5)] public required long Accepted { get; init; }

    /// <summary>Why the others would not be; null when all would be accepted.</summary>
    [JsonPropertyOrder(6)] public IReadOnlyList<ImportReason>? Reasons { get; init; }

    /// <summary>Whether it is about columns: not records are wrong then, but what they are taken for.</summary>
    internal bool NamesColumns => Format is not null || Event is not null || Map.Count > 0 || Rename.Count > 0;

    /// <summary>What they do that may not be meant; null for nothing.</summary>
    [JsonPropertyOrder(7)] public string? Note { get; init; }

    /// <summary>The same as words of a command line, not quoted.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Options =>
    [
        .. Format is null ? [] : (string[])["--format", Format],
        .. Map.SelectMany(pair => (string[])["--map", $"{pair.Key}={pair.Value}"]),
        .. Rename.SelectMany(pair => (string[])["--rename", $"{pair.Key}={pair.Value}"]),
        .. Event is null ? [] : (string[])["--event", Event],
        .. Fix.Count == 0 ? [] : (string[])["--fix", string.Join(',', Fix)],
    ];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImportInspection))]
sealed partial class ImportInspectionJson : JsonSerializerContext;
