namespace MixpanelConnector.Tracking;

/// <summary>Wakes the one who waits. Set while nobody waits, it wakes the next at once.</summary>
sealed class Signal
{
    readonly Lock _lock = new();
    TaskCompletionSource? _waiter;
    bool _isSet;

    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_lock)
        {
            (waiter, _waiter) = (_waiter, null);
            _isSet = waiter is null;
        }

        waiter?.TrySetResult();
    }

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_isSet)
            {
                _isSet = false;
                return Task.CompletedTask;
            }

            // One who gave up has left a waiter behind, which may be used again.
            _waiter ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiter.Task.WaitAsync(cancellationToken);
        }
    }
}
