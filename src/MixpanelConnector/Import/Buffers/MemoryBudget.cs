namespace MixpanelConnector.Import.Buffers;

/// <summary>
/// Limits what is in flight: the bytes of unsettled batches, and the number of batches beyond the first unsettled one.
/// The reading stage acquires a share and waits when none is left; a batch larger than the whole budget is admitted alone. A share
/// is a lease, and only the lease can return it.
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
