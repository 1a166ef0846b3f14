using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>The position of one event in a request.</summary>
/// <param name="At">The offset of its first byte.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Oid">The number that the test gave it.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
readonly record struct Slice(int At, int Length, long Oid);

/// <summary>Receives the events that the server stored.</summary>
interface IJournal
{
    void Store(ReadOnlySpan<byte> request, IReadOnlyList<Slice> events);
}

/// <summary>The identity by which Mixpanel deduplicates events.</summary>
readonly record struct DedupeKey(string Event, string Time, string DistinctId, string InsertId)
{
    public static DedupeKey Of(JsonElement json)
    {
        var properties = json.GetProperty("properties");
        return new(json.GetProperty("event").GetString()!, properties.GetProperty("time").GetRawText(), properties.GetProperty("distinct_id").GetString()!,
            properties.TryGetProperty("$insert_id", out var id) ? id.GetString()! : "");
    }

    /// <summary>The identity by which compaction distinguishes events: the exact time is not part of it.</summary>
    public (string, string, string, long) OnItsDay =>
        (Event, DistinctId, InsertId, long.Parse(Time, System.Globalization.CultureInfo.InvariantCulture) / 86_400);
}

/// <summary>One event as the server stored it.</summary>
sealed record Arrival(long Oid, DedupeKey Key, JsonElement Json);

/// <summary>Keeps every event.</summary>
sealed class FullJournal : IJournal
{
    readonly Lock _lock = new();
    readonly List<Arrival> _arrivals = [];

    public IReadOnlyList<Arrival> Arrivals
    {
        get
        {
            lock (_lock) return [.. _arrivals];
        }
    }

    public int Count
    {
        get
        {
            lock (_lock) return _arrivals.Count;
        }
    }

    public void Store(ReadOnlySpan<byte> request, IReadOnlyList<Slice> events)
    {
        var arrivals = new List<Arrival>(events.Count);
        foreach (var slice in events)
        {
            var json = JsonElement.Parse(request.Slice(slice.At, slice.Length));
            arrivals.Add(new(slice.Oid, DedupeKey.Of(json), json));
        }

        lock (_lock) _arrivals.AddRange(arrivals);
    }
}
