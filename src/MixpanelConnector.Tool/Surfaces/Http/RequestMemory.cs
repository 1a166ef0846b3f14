namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// The memory that requests hold: the received parts of bodies, objects built from them, and responses that were not read yet. Each caller has a share that
/// others cannot use up, and may hold more while some is left.
/// </summary>
sealed class RequestMemory
{
    readonly Lock _lock = new();
    long _common;
    int _isLarge;

    /// <summary>Reserves bytes for a caller; false if its share, or the common budget, is used up.</summary>
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

    /// <summary>Counts memory that can no longer be refused. Dispose the result once the memory is released.</summary>
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

    /// <summary>Collects the garbage of large requests that have ended: the collector itself would let the heap grow first.</summary>
    public void Clean()
    {
        if (Volatile.Read(ref _isLarge) == 1 && Interlocked.Exchange(ref _isLarge, 0) == 1)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    void Change(Caller caller, long bytes)
    {
        _common += Beyond(caller.Held + bytes) - Beyond(caller.Held);
        caller.Held += bytes;
    }

    static long Beyond(long held) => Math.Max(0, held - Limits.HeldAlways);

    public readonly struct Held(RequestMemory room, Caller caller, long bytes) : IDisposable
    {
        public void Dispose() => room.LetGo(caller, bytes);
    }
}
