namespace MixpanelConnector.Tracking;

/// <summary>The way of one kind of records: where they gather, how many may be sent at one time, and where they leave.</summary>
sealed class Lane(TrackedKind kind, Gathering intake, Outlet outlet, int senders) : IDisposable
{
    public TrackedKind Kind => kind;

    public Gathering Gathering => intake;

    public Outlet Outlet => outlet;

    /// <summary>Updates of profiles have one sender: their order counts.</summary>
    public SemaphoreSlim Free { get; } = new(senders);

    public void Dispose()
    {
        intake.Dispose();
        Free.Dispose();
    }
}
