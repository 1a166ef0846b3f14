using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>Why records were not accepted, and how many. Holds no property value; names of files and fields come from outside.</summary>
public sealed record ImportReason
{
    /// <summary>A stable name of the reason, such as <c>event_missing</c>; <c>other_reasons</c> stands for those beyond the 50 that are told apart.</summary>
    [JsonPropertyOrder(0)] public required string Code { get; init; }

    /// <summary>The field at fault, such as <c>properties.time</c>; null when the record as a whole is.</summary>
    [JsonPropertyOrder(1)] public string? Field { get; init; }

    /// <summary>How many records.</summary>
    [JsonPropertyOrder(2)] public required long Count { get; init; }

    /// <summary>The first of them, at most three.</summary>
    [JsonPropertyOrder(3)] public required IReadOnlyList<ImportReasonSample> Samples { get; init; }
}

/// <summary>One record that was not accepted.</summary>
/// <param name="Place">Where it is: <c>file:line</c>.</param>
/// <param name="Message">What is wrong with it, in words.</param>
public sealed record ImportReasonSample([property: JsonPropertyOrder(0)] string Place, [property: JsonPropertyOrder(1)] string Message);
