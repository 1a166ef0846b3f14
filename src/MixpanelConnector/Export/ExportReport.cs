using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>The report of an export: cumulative like its manifest, except for requests, retries and the time.</summary>
public sealed record ExportReport
{
    /// <summary>The kind of the exported records, such as <c>events</c>.</summary>
    [JsonPropertyOrder(0)] public required string Kind { get; init; }

    /// <summary>Exported days, including days without an event.</summary>
    [JsonPropertyOrder(1)] public required int Days { get; init; }

    /// <summary>Exported files.</summary>
    [JsonPropertyOrder(2)] public required int Files { get; init; }

    /// <summary>Records in the files.</summary>
    [JsonPropertyOrder(3)] public required long Records { get; init; }

    /// <summary>The size of the files in bytes, as stored.</summary>
    [JsonPropertyOrder(4)] public required long Bytes { get; init; }

    /// <summary>Requests sent in this run.</summary>
    [JsonPropertyOrder(5)] public required long Requests { get; init; }

    /// <summary>Requests in this run that repeated a failed one.</summary>
    [JsonPropertyOrder(6)] public required long Retries { get; init; }

    /// <summary>Records that arrived split over several lines, and were joined.</summary>
    [JsonPropertyOrder(7)] public required long Joined { get; init; }

    /// <summary>Lines that are not records.</summary>
    [JsonPropertyOrder(8)] public required long Unreadable { get; init; }

    /// <summary>Files, and days without an event, that existed before this run and were left unchanged.</summary>
    [JsonPropertyOrder(9)] public required int ResumedFiles { get; init; }

    /// <summary>The duration of this run in seconds.</summary>
    [JsonPropertyOrder(10)] public required double ElapsedSeconds { get; init; }

    /// <summary>The path or address of the manifest.</summary>
    [JsonPropertyOrder(11)] public required string Manifest { get; init; }

    /// <summary>
    /// How it ended; in JSON as a number. <see cref="RunOutcome.Rejected"/>: complete, except for lines that cannot be read. <see cref="RunOutcome.Damaged"/>:
    /// the contents of the folder are damaged.
    /// </summary>
    [JsonPropertyOrder(12), JsonPropertyName("exit_code")] public RunOutcome Outcome { get; init; }

    /// <summary>Why it is incomplete, and what to do next, most important first. Contains no secret and no property value.</summary>
    [JsonIgnore] public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>The time until the hourly limit allows calls again; null when the limit is not the reason.</summary>
    [JsonIgnore] public TimeSpan? RetryAfter { get; init; }

    /// <summary>Returns the report as JSON, with the documented names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ExportReportJson.Default.ExportReport);
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Serialization, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExportReport))]
sealed partial class ExportReportJson : JsonSerializerContext;
