namespace MixpanelConnector;

/// <summary>What a tracker does with a record when its buffer is full.</summary>
public enum WhenFull
{
    /// <summary>The record is dropped and counted: <c>Track</c> returns false, <c>TrackAsync</c> throws.</summary>
    Drop,

    /// <summary>
    /// The caller waits until there is room, for at most <see cref="TrackerOptions.WaitTimeout"/>: <c>Track</c> blocks, <c>TrackAsync</c> waits without a
    /// thread. After that, as with <see cref="Drop"/>.
    /// </summary>
    Wait,
}
