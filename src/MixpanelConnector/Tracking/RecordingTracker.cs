using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking;

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

/// <summary>A tracker for tests: it keeps what was tracked, and sends nothing. What has no form in JSON, or is too large, it refuses as <see cref="MixpanelTracker"/> does.</summary>
public sealed class RecordingTracker : IMixpanelTracker
{
    readonly ConcurrentQueue<Recorded> _records = new();
    readonly ConcurrentQueue<RejectedRecord> _rejected = new();

    /// <summary>Everything that was tracked, in order.</summary>
    public IReadOnlyList<Recorded> Records => [.. _records];

    /// <summary>The events among it, in order.</summary>
    public IReadOnlyList<Recorded> Events => [.. _records.Where(record => record.Kind is TrackedKind.Event)];

    /// <summary>What was refused, in order: of this, <c>Track</c> gave false or <c>TrackAsync</c> threw.</summary>
    public IReadOnlyList<RejectedRecord> Rejected => [.. _rejected];

    /// <inheritdoc/>
    public bool Enqueue(in TrackedRecord record) => Record(in record) is null;

    /// <inheritdoc/>
    public ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        return Record(in record) is { } rejected ? ValueTask.FromException(new MixpanelException(MixpanelError.Invalid(rejected.Field, rejected.Message))) : default;
    }

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Forgets what was tracked, and what was refused.</summary>
    public void Clear()
    {
        _records.Clear();
        _rejected.Clear();
    }

    /// <summary>Gives why the record is refused; null when it is kept.</summary>
    RejectedRecord? Record(in TrackedRecord record)
    {
        RejectedRecord? rejected = null;
        var writer = RecordWriter.Rent();
        try
        {
            writer.WritePayload(in record);
            if (writer.Written.Length > RecordWriter.MostRecordBytes) rejected = RejectedRecord.TooLarge(record.Kind, writer.Written.Length);
            else _records.Enqueue(new Recorded(record.Kind, record.Name, record.User, JsonNode.Parse(writer.Written) ?? new JsonObject()) { GroupKey = record.GroupKey, GroupId = record.GroupId });
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            rejected = RejectedRecord.NotSerializable(record.Kind, e);
        }
        finally
        {
            writer.Return();
        }

        if (rejected is not null) _rejected.Enqueue(rejected);
        return rejected;
    }
}
