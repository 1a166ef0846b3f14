namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// The memory that requests hold: what has come of their bodies, what is built of them, and answers that are not taken yet. Each
/// caller has a share that others cannot use up, and may hold more while there is some.
/// </summary>
sealed class MemoryBudget
{
    readonly Lock _lock = new();
    long _common;
    int _isLarge;

    /// <summary>Takes bytes of a caller's share; false when it, or what all have in common, is used up.</summary>
    public bool TryHold(Caller caller, long bytes)
    {
        lock (_lock)
        {
            var common = Beyond(caller.Held + bytes) - Beyond(caller.Held);
            if (caller.Held + bytes > Limits.HeldByOne || _common + common > Limits.HeldByAll) return false;
            Change(caller, bytes);
            return true;
        }
    }

    /// <summary>Counts what cannot be refused any more. Dispose it once it is gone.</summary>
    public Held Hold(Caller caller, long bytes)
    {
        lock (_lock) Change(caller, bytes);
        return new Held(this, caller, bytes);
    }

    public void LetGo(Caller caller, long bytes)
    {
        lock (_lock) Change(caller, -bytes);
        if (bytes >= Limits.Large) Volatile.Write(ref _isLarge, 1);
    }

    /// <summary>Gives back what large requests left, once they have ended: the collector would let it grow first.</summary>
    public void Clean()
    {
        if (Volatile.Read(ref _isLarge) == 1 && Interlocked.Exchange(ref _isLarge, 0) == 1) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    void Change(Caller caller, long bytes)
    {
        _common += Beyond(caller.Held + bytes) - Beyond(caller.Held);
        caller.Held += bytes;
    }

    static long Beyond(long held) => Math.Max(0, held - Limits.HeldAlways);

    public readonly struct Held(MemoryBudget room, Caller caller, long bytes) : IDisposable
    {
        public void Dispose() => room.LetGo(caller, bytes);
    }
}
