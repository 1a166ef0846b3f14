namespace MixpanelConnector.Emulator.Jql;

/// <summary>
/// Limits, until disposed, how far the heap of the process may grow beyond what it holds now. An allocation beyond the limit throws
/// <see cref="OutOfMemoryException"/>, which ends a script's step that nothing else can end. Only for processes that belong to the emulator.
/// </summary>
sealed class HeapLimit : IDisposable
{
    /// <summary>How much garbage may remain committed before a script starts.</summary>
    const long MostGarbage = 16 << 20;

    static readonly long All = GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;

    /// <summary>What was committed when there was no garbage.</summary>
    static long _held = long.MaxValue;

    public HeapLimit(long growth)
    {
        GC.Collect(0); // updates what is committed
        _held = Math.Min(_held, Committed);
        if (Committed - _held > MostGarbage) // of earlier scripts: without this, each would raise the limit of the next
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
            _held = Committed;
        }

        Set(Math.Min(All, Committed + growth));
    }

    static long Committed => GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes;

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
