using MixpanelConnector.Import.Batch;

namespace MixpanelConnector.Tracking.Buffering;

/// <summary>Records of one kind that are moved together: into the outbox, or to Mixpanel.</summary>
sealed class PendingBatch(RecordBatch batch, long number, long openedAt)
{
    RecordWait? _safe;

    public RecordBatch Batch { get; } = batch;

    public long Number { get; } = number;

    /// <summary>When its first record arrived, as a timestamp of the clock.</summary>
    public long OpenedAt { get; } = openedAt;

    /// <summary>The size of its records in bytes.</summary>
    public long Bytes { get; set; }

    /// <summary>The number of its records that are not settled.</summary>
    public int Records { get; set; }

    /// <summary>Completes when its records are safe. Accessed while the batch is open, under its buffer's lock.</summary>
    public Task Safe => (_safe ??= new()).Ended;

    public void IsSafe() => _safe?.End(lost: null);

    public void IsLost(Exception reason) => _safe?.End(reason);
}
