namespace MixpanelConnector.Tracking;

/// <summary>How far the outbox is read and sent for one kind.</summary>
sealed class OutboxCursor
{
    readonly Lock _lock = new();
    readonly SortedSet<long> _underWay = [];
    readonly List<(long Number, TaskCompletionSource Settled)> _flushes = [];
    Exception? _abandoned;
    long _position;

    /// <summary>There may be more to read.</summary>
    public AsyncAutoResetEvent Grown { get; } = new();

    /// <summary>Somebody waits for all to be sent.</summary>
    public AsyncAutoResetEvent Hurry { get; } = new();

    /// <summary>Up to where it is read.</summary>
    public long Position
    {
        get
        {
            lock (_lock) return _position;
        }
    }

    /// <summary>It is read up to a position, and these batches are on their way.</summary>
    public void Advance(IReadOnlyList<OutboxBatch> next, long position)
    {
        lock (_lock)
        {
            foreach (var batch in next) _underWay.Add(batch.Number);
            _position = Math.Max(_position, position);
        }

        CompleteFlushes();
    }

    public void Settle(IReadOnlyList<OutboxBatch> batches)
    {
        lock (_lock)
            foreach (var batch in batches) _underWay.Remove(batch.Number);
        CompleteFlushes();
    }

    /// <summary>Completes when everything up to a number is settled.</summary>
    public Task FlushAsync(long last)
    {
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock) _flushes.Add((last, settled));
        CompleteFlushes();
        Hurry.Set();
        Grown.Set();
        return settled.Task;
    }

    /// <summary>Nothing more is read or settled: who waits for it waits in vain.</summary>
    public void Abandon(Exception reason)
    {
        lock (_lock) _abandoned = reason;
        CompleteFlushes();
    }

    void CompleteFlushes()
    {
        List<TaskCompletionSource>? done = null;
        List<TaskCompletionSource>? failed = null;
        Exception? abandoned;
        lock (_lock)
        {
            abandoned = _abandoned;
            for (var i = _flushes.Count - 1; i >= 0; i--)
            {
                var isDone = _position >= _flushes[i].Number && (_underWay.Count == 0 || _underWay.Min > _flushes[i].Number);
                if (isDone) (done ??= []).Add(_flushes[i].Settled);
                else if (abandoned is not null) (failed ??= []).Add(_flushes[i].Settled);
                else continue;
                _flushes.RemoveAt(i);
            }
        }

        done?.ForEach(settled => settled.TrySetResult());
        failed?.ForEach(settled =>
        {
            settled.TrySetException(abandoned!);
            _ = settled.Task.Exception; // those who wait see it; nobody else must
        });
    }
}
