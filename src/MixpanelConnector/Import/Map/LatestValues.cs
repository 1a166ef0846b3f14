using System.Runtime.InteropServices;

namespace MixpanelConnector.Import.Map;

/// <summary>A change to a property of a profile.</summary>
enum ProfileChange
{
    Set,
    SetOnce,
    Unset,
}

/// <summary>
/// Tracks when each property of each profile was last set or removed, so that older changes do not undo newer ones, in whichever order they are
/// read. Exact for the first <see cref="Most"/> of them, which use 50 MB; the others change in the order of the files. A property that is set
/// once keeps its first value in that order, but neither comes back if it was removed later, nor is removed by an earlier change.
/// </summary>
sealed class LatestValues
{
    public const int Most = 1_000_000;

    readonly Dictionary<ulong, long> _times = [];

    /// <summary>Whether a change is not older than the last one; if so, it becomes the last one.</summary>
    public bool Take(ulong property, long time, ProfileChange change)
    {
        switch (change)
        {
            case ProfileChange.Set:
                return Take(property, time);
            case ProfileChange.SetOnce:
                if (IsOlder(Of(property, ProfileChange.Unset), time)) return false;
                Take(Of(property, ProfileChange.SetOnce), time);
                return true;
            default:
                if (IsOlder(Of(property, ProfileChange.SetOnce), time) || !Take(property, time)) return false;
                Take(Of(property, ProfileChange.Unset), time);
                return true;
        }
    }

    static ulong Of(ulong property, ProfileChange change) => System.Numerics.BitOperations.RotateLeft(property, 1 + (int)change) ^ (ulong)change;

    bool IsOlder(ulong property, long time) => _times.TryGetValue(property, out var known) && time < known;

    bool Take(ulong property, long time)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_times, property);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref known))
        {
            if (_times.Count < Most) _times.Add(property, time);
            return true;
        }

        if (time < known) return false;
        known = time;
        return true;
    }
}
