namespace MixpanelConnector.Emulator.Jql;

/// <summary>
/// While it lasts, the heap of the process may come to hold so much more than it holds, and what asks for more than that gets an
/// <see cref="OutOfMemoryException"/>, which a script's step can be ended by, where nothing else can end it. For processes that are ours alone.
/// </summary>
sealed class HeapLimit : IDisposable
{
    static readonly long All = GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;

    public HeapLimit(long more)
    {
        GC.Collect(0); // afterwards it is known what is held
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
            // It holds more already: the limits of scripts hold without this one.
        }
    }
}
