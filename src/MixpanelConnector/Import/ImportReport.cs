using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>The account of an import: counts in records, cumulative over the runs of one checkpoint. <c>read = accepted + rejected + pending + blank</c>, and where records are mapped <c>+ left_out</c>, always.</summary>
public sealed record ImportReport
{
    /// <summary>Records read, blank lines included.</summary>
    [JsonPropertyOrder(0)] public required long Read { get; init; }

    /// <summary>Records that Mixpanel accepted; in a dry run, that would have been sent.</summary>
    [JsonPropertyOrder(1)] public required long Accepted { get; init; }

    /// <summary>Records that were not accepted: the lines of the dead-letter file.</summary>
    [JsonPropertyOrder(2)] public required long Rejected { get; init; }

    /// <summary>Records read whose fate is not final; the next run reads them again.</summary>
    [JsonPropertyOrder(3)] public required long Pending { get; init; }

    /// <summary>Lines with nothing on them.</summary>
    [JsonPropertyOrder(4)] public required long Blank { get; init; }

    /// <summary>Bytes of the settled records and lines, decompressed.</summary>
    [JsonPropertyOrder(5)] public required long Bytes { get; init; }

    /// <summary>Requests sent.</summary>
    [JsonPropertyOrder(6)] public required long Requests { get; init; }

    /// <summary>Requests that repeated one whose outcome was not final.</summary>
    [JsonPropertyOrder(7)] public required long Retries { get; init; }

    /// <summary>How many records were settled before this run; 0 when it was the first.</summary>
    [JsonPropertyOrder(8)] public required long ResumedFrom { get; init; }

    /// <summary>The time spent.</summary>
    [JsonPropertyOrder(9)] public required double ElapsedSeconds { get; init; }

    /// <summary>The dead-letter file; null when none was asked for, or it could not be written.</summary>
    [JsonPropertyOrder(10), JsonIgnore(Condition = JsonIgnoreCondition.Never)] public required string? DeadLetter { get; init; }

    /// <summary>How it ended; in JSON by its number. <see cref="RunOutcome.Invalid"/>: the first records were refused alike, and nothing was sent. <see cref="RunOutcome.Inconsistent"/>: the audit of the counts failed.</summary>
    [JsonPropertyOrder(11), JsonPropertyName("exit_code")] public required RunOutcome Outcome { get; init; }

    /// <summary>How many records were cleaned, by what was asked for; null when nothing was.</summary>
    [JsonPropertyOrder(12)] public ImportFixed? Fixed { get; init; }

    /// <summary>How many of the events have the event, time, <c>distinct_id</c> and <c>$insert_id</c> of one before them: they were sent, or would be, and Mixpanel counts each two once. Null for none. Exact for the first 3,670,016 different events with an <c>$insert_id</c> of their own that a run reads; an event is compared with those of earlier runs as far as these left its file unfinished.</summary>
    [JsonPropertyOrder(13)] public long? SameIdentity { get; init; }

    /// <summary>Why records were not accepted, the most frequent reason first; null when all were.</summary>
    [JsonPropertyOrder(14)] public IReadOnlyList<ImportReason>? Reasons { get; init; }

    /// <summary>How many records became nothing by the mapping that was asked for, by reason; null when none was. A record that becomes several counts as so many, here and in every count.</summary>
    [JsonPropertyOrder(15)] public IReadOnlyDictionary<string, long>? LeftOut { get; init; }

    /// <summary>What was done as records were mapped, and how often: <c>without_user</c>, events of nobody; <c>prefixed</c>, properties whose name Mixpanel reserves, or a rule gave already, and which begin with the vendor's now. Null when no mapping was asked for.</summary>
    [JsonPropertyOrder(16)] public IReadOnlyDictionary<string, long>? Mapped { get; init; }

    /// <summary>What the first input looks like, and options that would help, when the first records, or all there are, were refused alike; otherwise null.</summary>
    [JsonIgnore] public ImportInspection? Inspection { get; init; }

    /// <summary>Why not all is done, and what to do next, most important first. Holds no secret and no property value.</summary>
    [JsonIgnore] public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>The report as JSON, with the names of its documentation.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ImportReportJson.Default.ImportReport);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImportReport))]
sealed partial class ImportReportJson : JsonSerializerContext;
