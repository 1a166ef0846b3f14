using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace MixpanelConnector;

/// <summary>What was tracked, for a test to look at.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Name">The event's name; of an update its operation, such as <c>$set</c>.</param>
/// <param name="User">Whom it was about.</param>
/// <param name="Properties">The properties as JSON; of an update the value of its operation; an empty object when there were none.</param>
public sealed record Recorded(TrackedKind Kind, string Name, MixpanelUser User, JsonNode Properties)
{
    /// <summary>The property that makes groups; null for everything but an update of a group.</summary>
    public string? GroupKey { get; init; }

    /// <summary>The group; null for everything but an update of a group.</summary>
    public string? GroupId { get; init; }
}

/// <summary>A tracker for tests: it keeps what was tracked, and sends nothing.</summary>
public sealed class RecordingTracker : IMixpanelTracker
{
    readonly ConcurrentQueue<Recorded> _records = new();

    /// <summary>Everything that was tracked, in order.</summary>
    public IReadOnlyList<Recorded> Records => [.. _records];

    /// <summary>The events among it, in order.</summary>
    public IReadOnlyList<Recorded> Events => [.. _records.Where(record => record.Kind is TrackedKind.Event)];

    /// <inheritdoc/>
    public bool Enqueue(in TrackedRecord record)
    {
        _records.Enqueue(new Recorded(record.Kind, record.Name, record.User, record.ToJson() ?? new JsonObject()) { GroupKey = record.GroupKey, GroupId = record.GroupId });
        return true;
    }

    /// <inheritdoc/>
    public ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Enqueue(in record);
        return default;
    }

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Forgets what was tracked.</summary>
    public void Clear() => _records.Clear();
}
