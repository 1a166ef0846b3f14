using System.Runtime.CompilerServices;

namespace MixpanelConnector;

/// <summary>The outboxes that have an owner. A second one would send the records of the first, and close the outbox while the first uses it.</summary>
static class OutboxesInUse
{
    static readonly ConditionalWeakTable<ITrackerOutbox, object> Used = [];

    /// <exception cref="MixpanelException">It has an owner.</exception>
    public static void Take(ITrackerOutbox outbox)
    {
        if (!Used.TryAdd(outbox, new object()))
            throw MixpanelException.Invalid("outbox",
                "The outbox already belongs to another tracker or queue: open one for each. Those of SQLite may share a folder.");
    }

    /// <summary>Disposes an outbox, which then has no owner.</summary>
    public static void Dispose(ITrackerOutbox outbox)
    {
        try
        {
            outbox.Dispose();
        }
        finally
        {
            Used.Remove(outbox);
        }
    }
}
