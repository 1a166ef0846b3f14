using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>
/// The account of what was consumed: counts in records unless stated otherwise. <c>read = accepted + rejected + pending + blank</c>, and where records are
/// mapped <c>+ left_out</c>, always.
/// </summary>
public sealed record ConsumeReport
{
    /// <summary>The number of acknowledged messages.</summary>
    [JsonPropertyOrder(0)] public required long Messages { get; init; }

    /// <summary>Records read, blank lines included. A record that was returned and received again counts once.</summary>
    [JsonPropertyOrder(1)] public required long Read { get; init; }

    /// <summary>Records that Mixpanel accepted.</summary>
    [JsonPropertyOrder(2)] public required long Accepted { get; init; }

    /// <summary>Records that were not accepted: they are dead letters. A message that cannot be read counts as one.</summary>
    [JsonPropertyOrder(3)] public required long Rejected { get; init; }

    /// <summary>Records whose message was returned at the end, or possibly not acknowledged when the last connection was lost.</summary>
    [JsonPropertyOrder(4)] public required long Pending { get; init; }

    /// <summary>Blank lines.</summary>
    [JsonPropertyOrder(5)] public required long Blank { get; init; }

    /// <summary>The size of the acknowledged records and lines, decompressed, in bytes.</summary>
    [JsonPropertyOrder(6)] public required long Bytes { get; init; }

    /// <summary>Requests sent.</summary>
    [JsonPropertyOrder(7)] public required long Requests { get; init; }

    /// <summary>Requests that repeated one whose outcome was not final.</summary>
    [JsonPropertyOrder(8)] public required long Retries { get; init; }

    /// <summary>Messages received that had been delivered before, to this consumer or another.</summary>
    [JsonPropertyOrder(9)] public required long Redelivered { get; init; }

    /// <summary>Messages that were returned, or lost with the connection, before they were acknowledged.</summary>
    [JsonPropertyOrder(10)] public required long Returned { get; init; }

    /// <summary>Messages left in the queue at the end; null when the broker did not report it.</summary>
    [JsonPropertyOrder(11), JsonIgnore(Condition = JsonIgnoreCondition.Never)] public required long? Lag { get; init; }

    /// <summary>The elapsed time in seconds.</summary>
    [JsonPropertyOrder(12)] public required double ElapsedSeconds { get; init; }

    /// <summary>The destination of the dead letters: a file, or the name of a queue.</summary>
    [JsonPropertyOrder(13), JsonIgnore(Condition = JsonIgnoreCondition.Never)] public required string? DeadLetter { get; init; }

    /// <summary>
    /// How it ended; in JSON as a number. <see cref="RunOutcome.Damaged"/>: there is no such queue or topic. <see cref="RunOutcome.DiskFailed"/>: the dead
    /// letters cannot be written. <see cref="RunOutcome.Busy"/>: another process holds their file.
    /// </summary>
    [JsonPropertyOrder(14), JsonPropertyName("exit_code")] public required RunOutcome Outcome { get; init; }

    /// <summary>The number of cleaned records, by kind of fix; null when no cleaning was requested.</summary>
    [JsonPropertyOrder(15)] public ImportFixed? Fixed { get; init; }

    /// <summary>Why records were not accepted, the most frequent reason first; null when all were.</summary>
    [JsonPropertyOrder(16)] public IReadOnlyList<ImportReason>? Reasons { get; init; }

    /// <summary>The number of records that the requested mapping left out, by reason; null when none was.</summary>
    [JsonPropertyOrder(17)] public IReadOnlyDictionary<string, long>? LeftOut { get; init; }

    /// <summary>Why the work is incomplete, and what to do next, most important first. Contains no secret and no property value.</summary>
    [JsonIgnore] public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Returns the report as JSON, with the documented names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ConsumeReportJson.Default.ConsumeReport);
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Serialization, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ConsumeReport))]
sealed partial class ConsumeReportJson : JsonSerializerContext;
