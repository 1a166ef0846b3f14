namespace MixpanelConnector.Import.Buffers;

/// <summary>The share of a budget that a batch holds. It travels with the batch, and only becomes smaller.</summary>
sealed class MemoryLease(MemoryBudget budget, long bytes) : IDisposable
{
    long _bytes = bytes;

    /// <summary>Gives back what the batch does not take any more.</summary>
    public void ShrinkTo(long bytes)
    {
        if (bytes >= _bytes) return;
        budget.GiveBack(_bytes - bytes, batches: 0);
        _bytes = bytes;
    }

    /// <summary>Gives back the place among the batches that are not settled.</summary>
    public void LeavePlace() => budget.GiveBack(bytes: 0, batches: 1);

    public void Dispose() => ShrinkTo(0);
}
