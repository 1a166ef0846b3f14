namespace MixpanelConnector.Import.Buffers;

/// <summary>
/// Bounds what is in flight: bytes of batches that are not settled, and the number of batches beyond the first unsettled one.
/// The reading stage takes, and waits when nothing is left; a batch larger than the whole budget passes alone.
/// </summary>
sealed class MemoryBudget
{
    readonly long _all;
    readonly Lock _lock = new();
    long _bytes;
    int _batches;
    TaskCompletionSource? _changed;

    public MemoryBudget(long bytes, int batches) => (_all, _bytes, _batches) = (bytes, bytes, batches);

    public async ValueTask TakeAsync(long amount, CancellationToken cancellationToken)
    {
        amount = Math.Min(amount, _all);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_bytes >= amount && _batches > 0)
                {
                    _bytes -= amount;
                    _batches--;
                    return;
                }

                _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void GiveBackBytes(long amount) => GiveBack(Math.Min(amount, _all), 0);

    public void GiveBackBatch() => GiveBack(0, 1);

    void GiveBack(long bytesBack, int batchesBack)
    {
        TaskCompletionSource? changed;
        lock (_lock)
        {
            _bytes += bytesBack;
            _batches += batchesBack;
            (changed, _changed) = (_changed, null);
        }

        changed?.TrySetResult();
    }
}
