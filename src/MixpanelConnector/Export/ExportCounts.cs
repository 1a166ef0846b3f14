namespace MixpanelConnector.Export;

/// <summary>The counts of a run so far.</summary>
sealed class ExportCounts
{
    long _requests, _retries, _records, _bytes;
    int _finished, _busy, _waiting;

    public int? Total { get; set; }

    public long Requests => Interlocked.Read(ref _requests);

    public long Retries => Interlocked.Read(ref _retries);

    public void Request(bool isRetry)
    {
        Interlocked.Increment(ref _requests);
        if (isRetry) Interlocked.Increment(ref _retries);
    }

    public void Read(long records) => Interlocked.Add(ref _records, records);

    public void Received(long bytes) => Interlocked.Add(ref _bytes, bytes);

    public void Finish(int count) => Interlocked.Add(ref _finished, count);

    public void FinishedAre(int count) => Volatile.Write(ref _finished, count);

    public void Begin() => Interlocked.Increment(ref _busy);

    public void End() => Interlocked.Decrement(ref _busy);

    /// <summary>Waits, and shows the wait in the progress.</summary>
    public async Task WaitAsync(TimeSpan span, TimeProvider time, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await Task.Delay(span > TimeSpan.Zero ? span : TimeSpan.Zero, time, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public ExportProgress Snapshot() => new()
    {
        Finished = Volatile.Read(ref _finished),
        Total = Total,
        Records = Interlocked.Read(ref _records),
        Bytes = Interlocked.Read(ref _bytes),
        Retries = Retries,
        Waiting = Volatile.Read(ref _waiting) is > 0 and var waiting && waiting >= Volatile.Read(ref _busy),
    };
}
