namespace MixpanelConnector;

/// <summary>
/// Accepts events and profile updates, and delivers them to Mixpanel. This is the seam for tests: production code uses a <see cref="MixpanelTracker"/>,
/// tests use a <see cref="RecordingTracker"/>. Applications call the extension methods: <c>Track</c>, <c>TrackAsync</c>,
/// <c>Profile</c>, <c>Group</c>, <c>Identify</c>.
/// </summary>
public interface IMixpanelTracker
{
    /// <summary>Enqueues a record and returns at once. Network problems never make it fail.</summary>
    /// <param name="record">The record.</param>
    /// <returns>True when the record was accepted, or left out as the application requested: by <see cref="TrackerOptions.BeforeSend"/>, the sample, an
    /// opt-out, or a disabled tracker. False when the tracker could not accept it; that is counted, and the reason is logged.</returns>
    bool Enqueue(in TrackedRecord record);

    /// <summary>
    /// Enqueues a record. Completes when it is as safe as the tracker promises, in memory or on the disk; at once when it is left out as the application
    /// requested.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="cancellationToken">Cancels the wait; whether the record was accepted is then unknown.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default);

    /// <summary>Completes when Mixpanel has accepted or refused everything that was enqueued before this call.</summary>
    /// <param name="cancellationToken">Cancels the wait, not the sending.</param>
    /// <exception cref="MixpanelException">Mixpanel does not accept the credentials, or another server answers in its place: waiting would not
    /// help.</exception>
    Task FlushAsync(CancellationToken cancellationToken = default);
}
