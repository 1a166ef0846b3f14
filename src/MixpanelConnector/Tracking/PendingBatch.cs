using MixpanelConnector.Import.Batch;

namespace MixpanelConnector.Tracking;

/// <summary>Records of one kind that are taken together: into the outbox, or onto the wire.</summary>
sealed class PendingBatch(RecordBatch batch, long number, long openedAt)
{
    TaskCompletionSource? _safe;

    public RecordBatch Batch { get; } = batch;

    public long Number { get; } = number;

    /// <summary>When its first record came, as a timestamp of the clock.</summary>
    public long OpenedAt { get; } = openedAt;

    /// <summary>The bytes of its records.</summary>
    public long Bytes { get; set; }

    /// <summary>How many of its records are not settled.</summary>
    public int Records { get; set; }

    /// <summary>Completes when its records are safe. Asked for while the batch is open, under its buffer's lock.</summary>
    public Task Safe => (_safe ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void IsSafe() => _safe?.TrySetResult();

    public void IsLost(Exception reason)
    {
        if (_safe is null) return;
        _safe.TrySetException(reason);
        _ = _safe.Task.Exception; // those who wait see it; nobody else must
    }
}
