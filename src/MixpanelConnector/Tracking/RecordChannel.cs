namespace MixpanelConnector.Tracking;

/// <summary>The way of one kind of records: where they gather, how many may be sent at one time, and where they leave.</summary>
sealed class RecordChannel(TrackedKind kind, BatchBuffer intake, BatchExporter exporter, int senders) : IDisposable
{
    public TrackedKind Kind => kind;

    public BatchBuffer Buffer => intake;

    public BatchExporter Exporter => exporter;

    /// <summary>Updates of profiles have one sender: their order counts.</summary>
    public SemaphoreSlim Free { get; } = new(senders);

    public void Dispose()
    {
        intake.Dispose();
        Free.Dispose();
    }
}
