using System.Runtime.InteropServices;

namespace MixpanelConnector.Import.Map;

/// <summary>
/// When each property of each profile was set last, so that what is older does not undo it, in whichever order it is read. Exact for
/// the first <see cref="Most"/> of them, which take 50 MB; the others are set in the order of the files.
/// </summary>
sealed class LatestValues
{
    public const int Most = 1_000_000;

    readonly Dictionary<ulong, long> _times = [];

    /// <summary>Whether a value is not older than the last one; it is the last one then.</summary>
    public bool Take(ulong property, long time)
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
