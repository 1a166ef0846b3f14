using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector.Tracking;

/// <summary>A tracker that adds a context to its events.</summary>
sealed class ContextTracker(IMixpanelTracker inner, EventContext context) : IMixpanelTracker
{
    /// <summary>Returns a tracker that differs from the given one only in its context.</summary>
    public static ContextTracker Of(IMixpanelTracker tracker, Func<EventContext, EventContext> change)
    {
        ArgumentNullException.ThrowIfNull(tracker);
        return tracker is ContextTracker { } same ? new(same.Inner, change(same.Context)) : new(tracker, change(EventContext.Empty));
    }

    IMixpanelTracker Inner { get; } = inner;

    EventContext Context { get; } = context;

    public bool Enqueue(in TrackedRecord record) => Inner.Enqueue(record.In(Context));

    public ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default) =>
        Inner.EnqueueAsync(record.In(Context), cancellationToken);

    public Task FlushAsync(CancellationToken cancellationToken = default) => Inner.FlushAsync(cancellationToken);
}
