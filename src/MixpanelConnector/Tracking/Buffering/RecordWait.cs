namespace MixpanelConnector.Tracking.Buffering;

/// <summary>A wait for records. When they are lost and nobody awaits it, that raises no unobserved exception.</summary>
sealed class RecordWait
{
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Ended => _ended.Task;

    /// <summary>Ends the wait.</summary>
    /// <param name="lost">Why records are lost; null when they are not.</param>
    public void End(Exception? lost)
    {
        if (lost is null) _ended.TrySetResult();
        else _ended.TrySetException(lost);
        _ = _ended.Task.Exception; // observed
    }
}
