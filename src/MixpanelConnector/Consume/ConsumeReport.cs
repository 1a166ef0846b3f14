using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>The account of what was consumed: counts in records where nothing else is said. <c>read = accepted + rejected + pending + blank</c>, and where records are mapped <c>+ left_out</c>, always.</summary>
public sealed record ConsumeReport
{
    /// <summary>The messages that were settled.</summary>
    [JsonPropertyOrder(0)] public required long Messages { get; init; }

    /// <summary>Records read, blank lines included. What was given back and taken again counts once.</summary>
    [JsonPropertyOrder(1)] public required long Read { get; init; }

    /// <summary>Records that Mixpanel accepted.</summary>
    [JsonPropertyOrder(2)] public required long Accepted { get; init; }

    /// <summary>Records that were not accepted: they are dead letters. A message that cannot be read counts as one.</summary>
    [JsonPropertyOrder(3)] public required long Rejected { get; init; }

    /// <summary>Records whose message was given back at the end, or was not settled for certain when the last connection was lost.</summary>
    [JsonPropertyOrder(4)] public required long Pending { get; init; }

    /// <summary>Lines with nothing on them.</summary>
    [JsonPropertyOrder(5)] public required long Blank { get; init; }

    /// <summary>Bytes of the settled records and lines, decompressed.</summary>
    [JsonPropertyOrder(6)] public required long Bytes { get; init; }

    /// <summary>Requests sent.</summary>
    [JsonPropertyOrder(7)] public required long Requests { get; init; }

    /// <summary>Requests that repeated one whose outcome was not final.</summary>
    [JsonPropertyOrder(8)] public required long Retries { get; init; }

    /// <summary>Messages that came and had been delivered before, to this consumer or another.</summary>
    [JsonPropertyOrder(9)] public required long Redelivered { get; init; }

    /// <summary>Messages that were given back, or lost with the connection, before they were settled.</summary>
    [JsonPropertyOrder(10)] public required long Returned { get; init; }

    /// <summary>Messages that were left in the queue at the end; null where the broker did not tell.</summary>
    [JsonPropertyOrder(11), JsonIgnore(Condition = JsonIgnoreCondition.Never)] public required long? Lag { get; init; }

    /// <summary>The time spent.</summary>
    [JsonPropertyOrder(12)] public required double ElapsedSeconds { get; init; }

    /// <summary>Where the dead letters are: a file, or the name of a queue.</summary>
    [JsonPropertyOrder(13), JsonIgnore(Condition = JsonIgnoreCondition.Never)] public required string? DeadLetter { get; init; }

    /// <summary>How it ended; in JSON by its number. <see cref="RunOutcome.Damaged"/>: there is no such queue or topic. <see cref="RunOutcome.DiskFailed"/>: the dead letters cannot be written; <see cref="RunOutcome.Busy"/>: another process holds their file.</summary>
    [JsonPropertyOrder(14), JsonPropertyName("exit_code")] public required RunOutcome Outcome { get; init; }

    /// <summary>How many records were cleaned, by what was asked for; null when nothing was.</summary>
    [JsonPropertyOrder(15)] public ImportFixed? Fixed { get; init; }

    /// <summary>Why records were not accepted, the most frequent reason first; null when all were.</summary>
    [JsonPropertyOrder(16)] public IReadOnlyList<ImportReason>? Reasons { get; init; }

    /// <summary>How many records became nothing by the mapping that was asked for, by reason; null when none was.</summary>
    [JsonPropertyOrder(17)] public IReadOnlyDictionary<string, long>? LeftOut { get; init; }

    /// <summary>Why not all is done, and what to do next, most important first. Holds no secret and no property value.</summary>
    [JsonIgnore] public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>The report as JSON, with the names of its documentation.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ConsumeReportJson.Default.ConsumeReport);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ConsumeReport))]
sealed partial class ConsumeReportJson : JsonSerializerContext;
