namespace MixpanelConnector;

/// <summary>
/// Takes what happened, and sees to it that Mixpanel gets it. This is the seam for tests: production has a <see cref="MixpanelTracker"/>,
/// tests a <see cref="RecordingTracker"/>. What is written in an application are the extension methods: <c>Track</c>, <c>TrackAsync</c>,
/// <c>Profile</c>, <c>Group</c>, <c>Identify</c>.
/// </summary>
public interface IMixpanelTracker
{
    /// <summary>Takes a record and returns at once. Nothing about the network makes it fail.</summary>
    /// <param name="record">What happened.</param>
    /// <returns>True when it was taken, or left out because the application wants it so: by <see cref="TrackerOptions.BeforeSend"/>, the sample, an opt-out, or a tracker that is switched off. False when it was not taken though it should; that is counted, and the reason was logged.</returns>
    bool Enqueue(in TrackedRecord record);

    /// <summary>Takes a record; completes when it is as safe as the tracker promises: in memory, or on the disk; at once when it is left out because the application wants it so.</summary>
    /// <param name="record">What happened.</param>
    /// <param name="cancellationToken">Stops the waiting; whether the record was taken is then unknown.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default);

    /// <summary>Completes when Mixpanel has accepted or refused everything that was taken before this call.</summary>
    /// <param name="cancellationToken">Stops the waiting, not the sending.</param>
    /// <exception cref="MixpanelException">Mixpanel does not accept the credentials, or something else answers in its place: waiting would not help.</exception>
    Task FlushAsync(CancellationToken cancellationToken = default);
}
