namespace MixpanelConnector.Emulator.Jql;

/// <summary>
/// Temporarily limits the heap of the process to its current size plus an allowance. Further allocations throw <see cref="OutOfMemoryException"/>, which can
/// end a step of a script that nothing else can end. Only for processes that run nothing else.
/// </summary>
sealed class HeapLimit : IDisposable
{
    static readonly long All = GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;

    public HeapLimit(long more)
    {
        GC.Collect(0); // afterwards the size of the heap is known
        Set(Math.Min(All, GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes + more));
    }

    public void Dispose() => Set(All);

    static void Set(long bytes)
    {
        AppContext.SetData("GCHeapHardLimit", (ulong)bytes);
        try
        {
            GC.RefreshMemoryLimit();
        }
        catch (InvalidOperationException)
        {
            // The heap is larger already: the limits of scripts apply without this one.
        }
    }
}
