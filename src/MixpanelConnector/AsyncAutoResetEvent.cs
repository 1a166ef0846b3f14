namespace MixpanelConnector;

/// <summary>Wakes one waiter. When set while nobody waits, it wakes the next one at once.</summary>
#pragma warning disable CA1001 // a semaphore whose wait handle nobody asks for holds nothing to dispose
sealed class AsyncAutoResetEvent
#pragma warning restore CA1001
{
    readonly Lock _lock = new();
    readonly SemaphoreSlim _set = new(0);

    public void Set()
    {
        lock (_lock)
            if (_set.CurrentCount == 0) _set.Release();
    }

    public Task WaitAsync(CancellationToken cancellationToken) => _set.WaitAsync(cancellationToken);

    /// <summary>Waits until it is set, or until a timeout.</summary>
    public async Task WaitAsync(TimeSpan most, TimeProvider time, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var set = _set.WaitAsync(ended.Token);
        await Task.WhenAny(set, Task.Delay(most, time, ended.Token)).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await set.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a waiter that was given up still takes the next signal until it has left
        cancellationToken.ThrowIfCancellationRequested();
    }
}
