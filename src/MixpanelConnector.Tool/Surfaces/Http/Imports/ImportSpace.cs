namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>
/// The disk space of imports: bodies, states and dead letters of running, queued and ended ones. If several callers may import, each may use half of what the
/// others leave, so that nobody can use all of it.
/// </summary>
sealed class ImportSpace(long most, bool hasSeveralCallers)
{
    readonly Lock _lock = new();
    readonly Dictionary<string, (string Caller, long Bytes)> _held = new(StringComparer.Ordinal);

    public long Most => most;

    /// <summary>Reserves space for an import, in addition to what it has; false if there is not enough.</summary>
    public bool TryTake(string import, string caller, long bytes)
    {
        lock (_lock)
        {
            var own = _held.Values.Where(held => held.Caller == caller).Sum(held => held.Bytes) + bytes;
            var others = _held.Values.Where(held => held.Caller != caller).Sum(held => held.Bytes);
            if (own > (hasSeveralCallers ? (most - others) / 2 : most - others)) return false;
            _held[import] = (caller, (_held.TryGetValue(import, out var held) ? held.Bytes : 0) + bytes);
            return true;
        }
    }

    /// <summary>Sets the actual size of an import as measured on disk. This is never refused.</summary>
    public void Set(string import, string caller, long bytes)
    {
        lock (_lock)
        {
            if (bytes == 0) _held.Remove(import);
            else _held[import] = (caller, bytes);
        }
    }
}
