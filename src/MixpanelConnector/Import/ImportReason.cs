using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>A reason why records were not accepted, and their number. Contains no property values; file and field names come from the input.</summary>
public sealed record ImportReason
{
    /// <summary>
    /// A stable identifier of the reason, such as <c>event_missing</c>; <c>other_reasons</c> stands for those beyond the 50 that are counted separately.
    /// </summary>
    [JsonPropertyOrder(0)] public required string Code { get; init; }

    /// <summary>The invalid field, such as <c>properties.time</c>; null when the reason is about the record as a whole.</summary>
    [JsonPropertyOrder(1)] public string? Field { get; init; }

    /// <summary>The number of records.</summary>
    [JsonPropertyOrder(2)] public required long Count { get; init; }

    /// <summary>The first such records, at most three.</summary>
    [JsonPropertyOrder(3)] public required IReadOnlyList<ImportReasonSample> Samples { get; init; }
}

/// <summary>One record that was not accepted.</summary>
/// <param name="Place">Its location: <c>file:line</c>.</param>
/// <param name="Message">What is wrong with it, as readable text.</param>
public sealed record ImportReasonSample([property: JsonPropertyOrder(0)] string Place, [property: JsonPropertyOrder(1)] string Message);
