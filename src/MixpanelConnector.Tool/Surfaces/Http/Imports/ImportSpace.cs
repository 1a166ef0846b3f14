namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>
/// The room that imports take on the disk: bodies, states and dead letters, of those that run, wait and have ended. Where
/// several callers may import, one may have half of what the others leave, so that nobody takes all of it.
/// </summary>
sealed class ImportSpace(long most, bool hasSeveralCallers)
{
    readonly Lock _lock = new();
    readonly Dictionary<string, (string Caller, long Bytes)> _held = new(StringComparer.Ordinal);

    public long Most => most;

    /// <summary>Takes room for an import, beside what it has; false when there is not so much.</summary>
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

    /// <summary>What an import really takes: found on the disk, so it is not refused.</summary>
    public void Set(string import, string caller, long bytes)
    {
        lock (_lock)
        {
            if (bytes == 0) _held.Remove(import);
            else _held[import] = (caller, bytes);
        }
    }
}
