using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>
/// The report of an import. Counts are in records and cumulative over the runs of one checkpoint. <c>read = accepted + rejected + pending + blank</c> always
/// holds, plus <c>left_out</c> where records are mapped.
/// </summary>
public sealed record ImportReport
{
    /// <summary>Records read, including blank lines.</summary>
    [JsonPropertyOrder(0)] public required long Read { get; init; }

    /// <summary>Records that Mixpanel accepted; in a dry run, records that would have been sent.</summary>
    [JsonPropertyOrder(1)] public required long Accepted { get; init; }

    /// <summary>Records that were not accepted: the lines of the dead-letter file.</summary>
    [JsonPropertyOrder(2)] public required long Rejected { get; init; }

    /// <summary>Records read whose outcome is not final; the next run reads them again.</summary>
    [JsonPropertyOrder(3)] public required long Pending { get; init; }

    /// <summary>Blank lines.</summary>
    [JsonPropertyOrder(4)] public required long Blank { get; init; }

    /// <summary>Bytes of the settled records and lines, decompressed.</summary>
    [JsonPropertyOrder(5)] public required long Bytes { get; init; }

    /// <summary>Requests sent.</summary>
    [JsonPropertyOrder(6)] public required long Requests { get; init; }

    /// <summary>Requests that retried one whose outcome was not final.</summary>
    [JsonPropertyOrder(7)] public required long Retries { get; init; }

    /// <summary>The number of records settled before this run; 0 for the first run.</summary>
    [JsonPropertyOrder(8)] public required long ResumedFrom { get; init; }

    /// <summary>The elapsed time in seconds.</summary>
    [JsonPropertyOrder(9)] public required double ElapsedSeconds { get; init; }

    /// <summary>The dead-letter file; null when none was requested, or it could not be written.</summary>
    [JsonPropertyOrder(10), JsonIgnore(Condition = JsonIgnoreCondition.Never)] public required string? DeadLetter { get; init; }

    /// <summary>
    /// The outcome; a number in JSON. <see cref="RunOutcome.Invalid"/>: the first records were all rejected for the same reason, and nothing was sent.
    /// <see cref="RunOutcome.Inconsistent"/>: the audit of the counts failed.
    /// </summary>
    [JsonPropertyOrder(11), JsonPropertyName("exit_code")] public required RunOutcome Outcome { get; init; }

    /// <summary>The number of records that were cleaned, by kind of cleaning; null when no cleaning was requested.</summary>
    [JsonPropertyOrder(12)] public ImportFixed? Fixed { get; init; }

    /// <summary>
    /// The number of events with the same event, time, <c>distinct_id</c> and <c>$insert_id</c> as an earlier one. They were sent, or would be, but Mixpanel
    /// counts each such pair once. Null for none. Exact for the first 3,670,016 distinct events with an <c>$insert_id</c> of their own that a run reads; an
    /// event is compared with those of earlier runs only if they left its file unfinished.
    /// </summary>
    [JsonPropertyOrder(13)] public long? SameIdentity { get; init; }

    /// <summary>Why records were not accepted, the most frequent reason first; null when all were accepted.</summary>
    [JsonPropertyOrder(14)] public IReadOnlyList<ImportReason>? Reasons { get; init; }

    /// <summary>
    /// The number of records that the mapping left out, by reason; null when there was no mapping.
    /// A record that is mapped to several counts as that many, here and in every other count.
    /// </summary>
    [JsonPropertyOrder(15)] public IReadOnlyDictionary<string, long>? LeftOut { get; init; }

    /// <summary>
    /// What the mapping did to records, and how often: <c>without_user</c>, events without a user; <c>prefixed</c>, properties that were prefixed with the
    /// vendor's name because Mixpanel reserves their name or a rule had already set it; <c>unconverted</c>, values that a rule could neither convert nor look
    /// up, and that became nothing. Null when there was no mapping.
    /// </summary>
    [JsonPropertyOrder(16)] public IReadOnlyDictionary<string, long>? Mapped { get; init; }

    /// <summary>
    /// An inspection of the first input, with options that would help, when the first records
    /// (or all, if there are fewer) were rejected for the same reason; otherwise null.
    /// </summary>
    [JsonIgnore] public ImportInspection? Inspection { get; init; }

    /// <summary>Why the import is incomplete, and what to do next, the most important first. Contains no secrets and no property values.</summary>
    [JsonIgnore] public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Serializes the report to JSON, with the documented property names.</summary>
    /// <returns>The JSON text.</returns>
    public string ToJson() => JsonSerializer.Serialize(this, ImportReportJson.Default.ImportReport);
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Serialization, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImportReport))]
sealed partial class ImportReportJson : JsonSerializerContext;
