using MixpanelConnector.Tracking.Buffering;

namespace MixpanelConnector.Tracking.Outbox;

/// <summary>The progress of reading and sending the outbox, for one kind.</summary>
sealed class OutboxCursor
{
    readonly Unsettled _underWay = new();

    /// <summary>Signals that there may be more to read.</summary>
    public AsyncAutoResetEvent Grown { get; } = new();

    /// <summary>Signals that somebody waits for all to be sent.</summary>
    public AsyncAutoResetEvent Hurry { get; } = new();

    /// <summary>The position up to which the outbox is read.</summary>
    public long Position => _underWay.Known;

    /// <summary>Moves the read position; the given batches are in flight.</summary>
    public void Advance(IReadOnlyList<OutboxBatch> next, long position) => _underWay.Add(next.Select(batch => batch.Number), position);

    public void Settle(IReadOnlyList<OutboxBatch> batches) => _underWay.Settle(batches.Select(batch => batch.Number));

    /// <summary>Completes when everything up to a number is settled.</summary>
    public Task FlushAsync(long last)
    {
        var flushed = _underWay.FlushAsync(last);
        Hurry.Set();
        Grown.Set();
        return flushed;
    }

    /// <summary>Ends reading and settling, and fails the waits for them.</summary>
    public void Abandon(Exception reason) => _underWay.Abandon(reason);
}
