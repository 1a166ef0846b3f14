namespace MixpanelConnector.Tracking.Buffering;

/// <summary>Bounds the bytes of records in memory. Waiters get room in the order of their requests.</summary>
sealed class RecordBudget(long bytes)
{
    readonly Lock _lock = new();
    readonly LinkedList<Waiter> _waiters = [];
    long _used;
    int _waiting;
    bool _isClosed;

    /// <summary>Returns false when there is not enough room, or others wait for it.</summary>
    public bool TryTake(int amount)
    {
        if (Volatile.Read(ref _waiting) > 0) return false;
        if (Interlocked.Add(ref _used, amount) <= bytes) return true;
        GiveBack(amount);
        return false;
    }

    /// <summary>Whether it is closed.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_lock) return _isClosed;
        }
    }

    /// <summary>
    /// Blocks the caller's thread until there is room. The thread checks the time itself, and the caller that returns room wakes it: neither needs a
    /// thread-pool thread, all of which may be blocked here.
    /// </summary>
    /// <param name="amount">The number of bytes.</param>
    /// <param name="most">The timeout, by the machine's own clock.</param>
    /// <returns>False when there was no room in time, or it was closed.</returns>
    public bool Take(int amount, TimeSpan most)
    {
        var waiter = Enter(amount);
        return waiter.Granted.Task.Wait(most) ? waiter.Granted.Task.Result : Leave(waiter);
    }

    /// <returns>False when there was no room in time, or it was closed.</returns>
    public async ValueTask<bool> TakeAsync(int amount, TimeSpan most, TimeProvider time, CancellationToken cancellationToken)
    {
        var waiter = Enter(amount);
        try
        {
            return await waiter.Granted.Task.WaitAsync(most, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return Leave(waiter);
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

    /// <summary>Ends all waits without room.</summary>
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
            Interlocked.Increment(ref _waiting); // before the next check, so that room that is freed in between is not missed
            Grant();
        }

        return waiter;
    }

    /// <summary>Removes a waiter. Returns whether it got room at the last moment.</summary>
    bool Leave(Waiter waiter)
    {
        lock (_lock)
        {
            if (!_waiters.Remove(waiter)) return waiter.Granted.Task.Result;
            Interlocked.Decrement(ref _waiting);
            Grant(); // it may have blocked others that need less
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
