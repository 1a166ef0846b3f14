namespace MixpanelConnector.Tracking;

/// <summary>The progress of reading and sending the outbox, for one kind.</summary>
sealed class OutboxCursor
{
    readonly Lock _lock = new();
    readonly SortedSet<long> _underWay = [];
    readonly List<(long Number, TaskCompletionSource Settled)> _flushes = [];
    Exception? _abandoned;
    long _position;

    /// <summary>Signals that there may be more to read.</summary>
    public AsyncAutoResetEvent Grown { get; } = new();

    /// <summary>Signals that somebody waits for all to be sent.</summary>
    public AsyncAutoResetEvent Hurry { get; } = new();

    /// <summary>The position up to which the outbox is read.</summary>
    public long Position
    {
        get
        {
            lock (_lock) return _position;
        }
    }

    /// <summary>Moves the read position; the given batches are in flight.</summary>
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

    /// <summary>Ends reading and settling, and fails the waits for them.</summary>
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
            _ = settled.Task.Exception; // observed: a flush that nobody awaits must not raise an unobserved exception
        });
    }
}
