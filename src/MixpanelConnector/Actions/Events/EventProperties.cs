using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>The properties of a tracked event: the three that identify an event, and any others.</summary>
public sealed record EventProperties
{
    /// <summary>The time at which the event occurred, in seconds or milliseconds since UTC epoch.</summary>
    public required long Time { get; init; }

    /// <summary>The unique identifier of the user who performed the event; empty for none.</summary>
    public required string DistinctId { get; init; }

    /// <summary>
    /// A unique identifier for deduplication, at most 36 letters, digits and hyphens. Events with identical values for event, time, distinct_id and $insert_id
    /// are considered duplicates; only the latest one will be counted.
    /// </summary>
    [JsonPropertyName("$insert_id")]
    public required string InsertId { get; init; }

    /// <summary>Any other properties of the event.</summary>
    [JsonExtensionData]
    public JsonObject Other { get; set; } = [];

    internal JsonObject ToJsonObject()
    {
        if (DistinctId is null) throw MixpanelException.Invalid("properties.distinct_id", "properties.distinct_id is missing.");
        if (InsertId is null) throw MixpanelException.Invalid("properties.$insert_id", "properties.$insert_id is missing.");
        var all = new JsonObject { ["time"] = Time, ["distinct_id"] = DistinctId, ["$insert_id"] = InsertId };
        foreach (var (name, value) in Other ?? [])
        {
            if (!all.TryAdd(name, value?.DeepClone())) throw MixpanelException.Invalid($"properties.{name}", $"properties.{name} is given twice.");
        }

        return all;
    }
}
