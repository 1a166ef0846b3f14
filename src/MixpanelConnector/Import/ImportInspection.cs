using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Import.Columns;

namespace MixpanelConnector;

/// <summary>
/// What an import sees in the first records of an input: its format, its columns, what would be rejected, and options that would help. Samples are values of
/// the input, truncated to 80 characters and stripped of characters that a terminal would interpret.
/// </summary>
public sealed record ImportInspection
{
    /// <summary>The name of the input; of several inputs, the first that has records.</summary>
    [JsonPropertyOrder(0)] public required string Source { get; init; }

    /// <summary>The number of inputs.</summary>
    [JsonPropertyOrder(1)] public required int Inputs { get; init; }

    /// <summary>The format; null when no known format was recognized.</summary>
    [JsonPropertyOrder(2)] public string? Format { get; init; }

    /// <summary>The compression; null for none.</summary>
    [JsonPropertyOrder(3)] public string? Compression { get; init; }

    /// <summary>The cell delimiter, such as <c>semicolons</c>; null when there are no cells.</summary>
    [JsonPropertyOrder(4)] public string? Delimiter { get; init; }

    /// <summary>The line ending, from the first 64 KiB: <c>LF</c>, <c>CR LF</c> or <c>CR</c>; null when there are no lines.</summary>
    [JsonPropertyOrder(5)] public string? LineEnds { get; init; }

    /// <summary>The text encoding, from the first 64 KiB; null when the input is not text.</summary>
    [JsonPropertyOrder(6)] public string? Encoding { get; init; }

    /// <summary>The number of records that were inspected.</summary>
    [JsonPropertyOrder(7)] public required long Records { get; init; }

    /// <summary>The number of them that would be rejected with the current options.</summary>
    [JsonPropertyOrder(8)] public required long Refused { get; init; }

    /// <summary>The reasons for rejection, the most frequent first; null when none would be rejected.</summary>
    [JsonPropertyOrder(9)] public IReadOnlyList<ImportReason>? Reasons { get; init; }

    /// <summary>
    /// The columns, or the members of the JSON records; members of their properties are named by both names, joined with a dot. At most 5000.
    /// </summary>
    [JsonPropertyOrder(10)] public required IReadOnlyList<ImportColumn> Columns { get; init; }

    /// <summary>Options with which more of the inspected records would be accepted, verified by applying them; null when none were found.</summary>
    [JsonPropertyOrder(11)] public ImportProposal? Proposal { get; init; }

    /// <summary>Why the input could not be read, or not far enough for the inspection, and what to do next; null when it could.</summary>
    [JsonPropertyOrder(12)] public string? Problem { get; init; }

    /// <summary>The outcome; a number in JSON. <see cref="RunOutcome.Damaged"/>: the input is unreadable, corrupt, or has no records.</summary>
    [JsonPropertyOrder(13), JsonPropertyName("exit_code")] public required RunOutcome Outcome { get; init; }

    /// <summary>Serializes the inspection to JSON, with the documented property names.</summary>
    /// <returns>The JSON text.</returns>
    public string ToJson() => JsonSerializer.Serialize(this, ImportInspectionJson.Default.ImportInspection);
}

/// <summary>A column of an input, or a member of its JSON records.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">The type of its values: <c>text</c>, <c>number</c>, <c>boolean</c>, <c>time</c> (text that <see cref="ImportFixes.Time"/> can read), <c>json</c> or
/// <c>empty</c>; several are joined with <c>or</c>, the most frequent first.</param>
/// <param name="Samples">Its first distinct values, at most three.</param>
public sealed record ImportColumn([property: JsonPropertyOrder(0)] string Name, [property: JsonPropertyOrder(1)] string Type,
    [property: JsonPropertyOrder(2)] IReadOnlyList<string> Samples);

/// <summary>Import options that were tried on the first records of an input, in addition to those already specified.</summary>
public sealed record ImportProposal
{
    /// <summary>The type of the records to specify; null when it need not be specified.</summary>
    [JsonPropertyOrder(-1)] public string? Type { get; init; }

    /// <summary>The format to specify; null when it need not be specified.</summary>
    [JsonPropertyOrder(0)] public string? Format { get; init; }

    /// <summary>The column that holds each field: from field name to column name.</summary>
    [JsonPropertyOrder(1)] public required IReadOnlyDictionary<string, string> Map { get; init; }

    /// <summary>Properties to rename, from old to new names. Used for records that have properties, and so no columns to map.</summary>
    [JsonPropertyOrder(2)] public required IReadOnlyDictionary<string, string> Rename { get; init; }

    /// <summary>The name for all events; null when a column holds it.</summary>
    [JsonPropertyOrder(3)] public string? Event { get; init; }

    /// <summary>The repairs to enable.</summary>
    [JsonPropertyOrder(4)] public required IReadOnlyList<string> Fix { get; init; }

    /// <summary>The number of inspected records that would be accepted with these options.</summary>
    [JsonPropertyOrder(5)] public required long Accepted { get; init; }

    /// <summary>Why the other records would be rejected; null when all would be accepted.</summary>
    [JsonPropertyOrder(6)] public IReadOnlyList<ImportReason>? Reasons { get; init; }

    /// <summary>Whether the proposal changes how columns are read. Then the records are not wrong, but were interpreted wrongly.</summary>
    internal bool NamesColumns => Type is not null || Format is not null || Event is not null || Map.Count > 0 || Rename.Count > 0;

    /// <summary>A side effect of the options that may not be intended; null for none.</summary>
    [JsonPropertyOrder(7)] public string? Note { get; init; }

    /// <summary>The proposed settings, for a message.</summary>
    internal string In(MessageWords words) => string.Join(' ',
    [
        .. Type is null ? [] : (string[])[$"{words[Setting.Type]} {Type}"],
        .. Format is null ? [] : (string[])[$"{words[Setting.OfImport(nameof(ImportRequest.Format))]} {Format}"],
        .. Map.Select(pair => words[Setting.Columns.With(RecordFields.Shown($"{pair.Key}={pair.Value}"))]),
        .. Rename.Select(pair => words[Setting.Rename.With(RecordFields.Shown($"{pair.Key}={pair.Value}"))]),
        .. Event is null ? [] : (string[])[$"{words[Setting.OfImport(nameof(ImportRequest.Event))]} {RecordFields.Shown(Event)}"],
        .. Fix.Count == 0 ? [] : (string[])[words[Setting.OfImport(nameof(ImportRequest.Fix)).With(string.Join(',', Fix))]],
    ]);
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Serialization, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImportInspection))]
sealed partial class ImportInspectionJson : JsonSerializerContext;
