using MixpanelConnector.Import.Batch;

namespace MixpanelConnector.Tracking;

/// <summary>Records of one kind that are moved together: into the outbox, or to Mixpanel.</summary>
sealed class PendingBatch(RecordBatch batch, long number, long openedAt)
{
    TaskCompletionSource? _safe;

    public RecordBatch Batch { get; } = batch;

    public long Number { get; } = number;

    /// <summary>When its first record arrived, as a timestamp of the clock.</summary>
    public long OpenedAt { get; } = openedAt;

    /// <summary>The size of its records in bytes.</summary>
    public long Bytes { get; set; }

    /// <summary>The number of its records that are not settled.</summary>
    public int Records { get; set; }

    /// <summary>Completes when its records are safe. Accessed while the batch is open, under its buffer's lock.</summary>
    public Task Safe => (_safe ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void IsSafe() => _safe?.TrySetResult();

    public void IsLost(Exception reason)
    {
        if (_safe is null) return;
        _safe.TrySetException(reason);
        _ = _safe.Task.Exception; // observed: a wait that nobody awaits must not raise an unobserved exception
    }
}
