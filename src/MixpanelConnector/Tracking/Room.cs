namespace MixpanelConnector.Tracking;

/// <summary>Bounds the bytes of records that are held in memory.</summary>
sealed class Room(long bytes)
{
    readonly Lock _lock = new();
    long _used;
    TaskCompletionSource? _changed;

    public long Used => Volatile.Read(ref _used);

    /// <summary>False when there is none left.</summary>
    public bool TryTake(int amount)
    {
        if (Interlocked.Add(ref _used, amount) <= bytes) return true;
        GiveBack(amount);
        return false;
    }

    public async ValueTask TakeAsync(int amount, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                changed = _changed.Task;
            }

            // Asked again after the waiter was made, so that no room that comes free in between is missed.
            if (Interlocked.Add(ref _used, amount) <= bytes) return;
            Interlocked.Add(ref _used, -amount);
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void GiveBack(long amount)
    {
        Interlocked.Add(ref _used, -amount);
        TaskCompletionSource? changed;
        lock (_lock) (changed, _changed) = (_changed, null);
        changed?.TrySetResult();
    }
}
