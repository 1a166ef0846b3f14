namespace MixpanelConnector.Import.Buffers;

/// <summary>
/// Bounds what is in flight: bytes of batches that are not settled, and the number of batches beyond the first unsettled one.
/// The reading stage takes, and waits when nothing is left; a batch larger than the whole budget passes alone. What was taken is a
/// lease, which alone gives it back.
/// </summary>
sealed class MemoryBudget
{
    readonly long _all;
    readonly Lock _lock = new();
    long _bytes;
    int _batches;
    TaskCompletionSource? _changed;

    public MemoryBudget(long bytes, int batches) => (_all, _bytes, _batches) = (bytes, bytes, batches);

    public async ValueTask<MemoryLease> TakeAsync(long amount, CancellationToken cancellationToken)
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
                    return new MemoryLease(this, amount);
                }

                _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void GiveBack(long bytes, int batches)
    {
        TaskCompletionSource? changed;
        lock (_lock)
        {
            _bytes += bytes;
            _batches += batches;
            (changed, _changed) = (_changed, null);
        }

        changed?.TrySetResult();
    }
}
