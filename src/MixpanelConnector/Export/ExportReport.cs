using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>The account of an export: cumulative, as its manifest, but for requests, retries and the time.</summary>
public sealed record ExportReport
{
    /// <summary>What was exported, such as <c>events</c>.</summary>
    [JsonPropertyOrder(0)] public required string Kind { get; init; }

    /// <summary>Days that are there, those without an event included.</summary>
    [JsonPropertyOrder(1)] public required int Days { get; init; }

    /// <summary>Files that are there.</summary>
    [JsonPropertyOrder(2)] public required int Files { get; init; }

    /// <summary>Records in them.</summary>
    [JsonPropertyOrder(3)] public required long Records { get; init; }

    /// <summary>Their bytes, as they lie there.</summary>
    [JsonPropertyOrder(4)] public required long Bytes { get; init; }

    /// <summary>Requests sent in this run.</summary>
    [JsonPropertyOrder(5)] public required long Requests { get; init; }

    /// <summary>Requests in this run that repeated one that came to nothing.</summary>
    [JsonPropertyOrder(6)] public required long Retries { get; init; }

    /// <summary>Records that came in several lines, and were put together.</summary>
    [JsonPropertyOrder(7)] public required long Joined { get; init; }

    /// <summary>Lines that are no records.</summary>
    [JsonPropertyOrder(8)] public required long Unreadable { get; init; }

    /// <summary>Files, and days without an event, that were there before this run, and stay as they are.</summary>
    [JsonPropertyOrder(9)] public required int ResumedFiles { get; init; }

    /// <summary>The time that this run took.</summary>
    [JsonPropertyOrder(10)] public required double ElapsedSeconds { get; init; }

    /// <summary>Where the manifest lies.</summary>
    [JsonPropertyOrder(11)] public required string Manifest { get; init; }

    /// <summary>How it ended; in JSON by its number. <see cref="RunOutcome.Rejected"/>: all is there, but lines that cannot be read. <see cref="RunOutcome.Damaged"/>: what the folder holds is damaged.</summary>
    [JsonPropertyOrder(12), JsonPropertyName("exit_code")] public RunOutcome Outcome { get; init; }

    /// <summary>Why it is not complete, and what to do next, most important first. Holds no secret and no property value.</summary>
    [JsonIgnore] public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>How long it takes until the hour has calls again; null when they are not what is missing.</summary>
    [JsonIgnore] public TimeSpan? RetryAfter { get; init; }

    /// <summary>The report as JSON, with the names of its documentation.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExportReportJson.Default.ExportReport);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExportReport))]
sealed partial class ExportReportJson : JsonSerializerContext;
