namespace MixpanelConnector.Tracking;

/// <summary>Wakes the one who waits. Set while nobody waits, it wakes the next at once.</summary>
sealed class Signal
{
    readonly Lock _lock = new();
    readonly SemaphoreSlim _set = new(0);

    public void Set()
    {
        lock (_lock)
            if (_set.CurrentCount == 0) _set.Release();
    }

    public Task WaitAsync(CancellationToken cancellationToken) => _set.WaitAsync(cancellationToken);
}
