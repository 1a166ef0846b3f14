namespace MixpanelConnector;

/// <summary>A record that Mixpanel refused, and why. See https://developer.mixpanel.com/reference/import-events.</summary>
public sealed record FailedRecord
{
    /// <summary>The position of the record in the caller's list, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The record's <c>$insert_id</c>, when it has one.</summary>
    public string? InsertId { get; init; }

    /// <summary>The field that failed, as Mixpanel names it, such as <c>properties.time</c>.</summary>
    public string? Field { get; init; }

    /// <summary>Mixpanel's reason.</summary>
    public required string Message { get; init; }
}
