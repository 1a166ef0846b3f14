namespace MixpanelConnector.Import.Buffers;

/// <summary>A batch's share of a budget. It travels with the batch, and can only shrink.</summary>
sealed class MemoryLease(MemoryBudget budget, long bytes) : IDisposable
{
    long _bytes = bytes;

    /// <summary>Returns what the batch no longer uses.</summary>
    public void ShrinkTo(long bytes)
    {
        if (bytes >= _bytes) return;
        budget.GiveBack(_bytes - bytes, batches: 0);
        _bytes = bytes;
    }

    /// <summary>Returns the slot among the unsettled batches.</summary>
    public void LeavePlace() => budget.GiveBack(bytes: 0, batches: 1);

    public void Dispose() => ShrinkTo(0);
}
