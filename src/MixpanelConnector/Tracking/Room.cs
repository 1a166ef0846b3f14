namespace MixpanelConnector.Tracking;

/// <summary>Bounds the bytes of records that are held in memory. Who waits for room gets it in the order of asking.</summary>
sealed class Room(long bytes)
{
    readonly Lock _lock = new();
    readonly LinkedList<Waiter> _waiters = [];
    long _used;
    int _waiting;
    bool _isClosed;

    /// <summary>False when there is none left, or others wait for it.</summary>
    public bool TryTake(int amount)
    {
        if (Volatile.Read(ref _waiting) > 0) return false;
        if (Interlocked.Add(ref _used, amount) <= bytes) return true;
        GiveBack(amount);
        return false;
    }

    /// <summary>Waits on the caller's thread. The one who gives room back wakes it: no thread of the pool, all of which may wait here, is needed for that.</summary>
    /// <returns>False when the room was closed.</returns>
    public bool Take(int amount) => Enter(amount).Granted.Task.GetAwaiter().GetResult();

    /// <returns>False when the room was closed.</returns>
    public async ValueTask<bool> TakeAsync(int amount, CancellationToken cancellationToken)
    {
        var waiter = Enter(amount);
        try
        {
            return await waiter.Granted.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (Leave(waiter)) GiveBack(amount);
            throw;
        }
    }

    public void GiveBack(long amount)
    {
        Interlocked.Add(ref _used, -amount);
        if (Volatile.Read(ref _waiting) == 0) return;
        lock (_lock) Grant();
    }

    /// <summary>Nobody who waits gets room any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            foreach (var waiter in _waiters) waiter.Granted.TrySetResult(false);
            _waiters.Clear();
            Volatile.Write(ref _waiting, 0);
        }
    }

    Waiter Enter(int amount)
    {
        var waiter = new Waiter(amount);
        lock (_lock)
        {
            if (_isClosed)
            {
                waiter.Granted.SetResult(false);
                return waiter;
            }

            _waiters.AddLast(waiter);
            Interlocked.Increment(ref _waiting); // before asking again, so that no room that comes free in between is missed
            Grant();
        }

        return waiter;
    }

    /// <summary>Whether the waiter has got room that it does not want any more.</summary>
    bool Leave(Waiter waiter)
    {
        lock (_lock)
        {
            if (!_waiters.Remove(waiter)) return waiter.Granted.Task.Result;
            Interlocked.Decrement(ref _waiting);
            Grant(); // it may have stood before others that need less
            return false;
        }
    }

    void Grant()
    {
        while (_waiters.First is { Value: var first })
        {
            if (Interlocked.Add(ref _used, first.Amount) > bytes)
            {
                Interlocked.Add(ref _used, -first.Amount);
                return;
            }

            _waiters.RemoveFirst();
            Interlocked.Decrement(ref _waiting);
            first.Granted.SetResult(true);
        }
    }

    sealed class Waiter(int amount)
    {
        public int Amount => amount;

        public TaskCompletionSource<bool> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
