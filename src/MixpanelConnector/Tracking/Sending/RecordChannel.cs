using MixpanelConnector.Tracking.Buffering;

namespace MixpanelConnector.Tracking.Sending;

/// <summary>The path of one kind of records: the buffer, the number of concurrent senders, and the exporter.</summary>
sealed class RecordChannel(TrackedKind kind, BatchBuffer buffer, BatchExporter exporter, int senders) : IDisposable
{
    public TrackedKind Kind => kind;

    public BatchBuffer Buffer => buffer;

    public BatchExporter Exporter => exporter;

    /// <summary>Free senders. Profile updates have one sender, because their order matters.</summary>
    public SemaphoreSlim Free { get; } = new(senders);

    public void Dispose()
    {
        buffer.Dispose();
        Free.Dispose();
    }
}
