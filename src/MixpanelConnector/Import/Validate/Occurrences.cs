using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace MixpanelConnector.Import.Validate;

/// <summary>
/// Counts how often hashes occur: exact for the first <see cref="Most"/> distinct ones, which use 32 MB. The table has parts that grow one at a time, since
/// a single array would need half as much more while it grows. Hashes are distinguished by 52 bits: in a full table, the probability that any two are
/// confused is 1 in 600.
/// So callers must tolerate a count that is too high.
/// </summary>
sealed class Occurrences
{
    /// <summary>7 of 8 slots: beyond that, the search for a free slot becomes long.</summary>
    public const int Most = MostSlots / 8 * 7;

    const int MostSlots = 1 << 22;
    const int FirstSlots = 1 << 4;
    const int PartBits = 6;
    const int Parts = 1 << PartBits;

    // The number of memory accesses that a processor has in flight at once.
    const int Ahead = 12;

    // A slot has 52 bits of the hash above 12 bits of its count; 0 is a free slot.
    const int CountBits = 12;
    const ulong Counts = (1UL << CountBits) - 1;

    readonly Dictionary<ulong, long> _many = []; // the full counts of hashes that occurred 4095 times or more
    readonly ulong[][] _parts = NewParts();
    readonly int[] _usedOf = new int[Parts];
    int _used;

    /// <summary>Counts a hash; returns the number of earlier occurrences, or -1 when there is no space for a new hash.</summary>
    public long Take(ulong hash)
    {
        var part = PartOf(hash);
        ref var slot = ref SlotOf(_parts[part], hash);
        if (slot == 0)
        {
            if (_used == Most) return -1;
            slot = (hash & ~Counts) | 1;
            _used++;
            if (++_usedOf[part] > FullAt(_parts[part].Length)) Grow(ref _parts[part]);
            return 0;
        }

        if ((slot & Counts) < Counts) return (long)(slot++ & Counts);
        var before = _many.GetValueOrDefault(slot, (long)Counts);
        _many[slot] = before + 1;
        return before;
    }

    /// <summary>Counts hashes; returns how many of them had occurred before, and whether there was no space for some.</summary>
    public (int Known, bool Many) Take(ReadOnlySpan<ulong> hashes)
    {
        var (known, many) = (0, false);
        for (var i = 0; i < hashes.Length; i++)
        {
            if (i + Ahead < hashes.Length) Prefetch(hashes[i + Ahead]);
            var before = Take(hashes[i]);
            if (before > 0) known++;
            many |= before < 0;
        }

        return (known, many);
    }

    /// <summary>Prefetches the counter of a hash, since the table is too large for the processor's caches.</summary>
    public unsafe void Prefetch(ulong hash)
    {
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref _parts[PartOf(hash)][IndexOf(_parts[PartOf(hash)], hash)]));
    }

    public void Clear()
    {
        _many.Clear();
        if (_used == 0) return;
        foreach (ref var part in _parts.AsSpan())
        {
            if (part.Length > 4 * FirstSlots) part = new ulong[FirstSlots];
            else part.AsSpan().Clear();
        }

        _usedOf.AsSpan().Clear();
        _used = 0;
    }

    static ulong[][] NewParts()
    {
        var parts = new ulong[Parts][];
        foreach (ref var part in parts.AsSpan()) part = new ulong[FirstSlots];
        return parts;
    }

    /// <summary>How many slots of a part may be used. One of the final length may have more than its share, since hashes are not distributed evenly.</summary>
    static int FullAt(int length) => length < MostSlots / Parts ? length / 8 * 7 : length / 16 * 15;

    static void Grow(ref ulong[] part)
    {
        var larger = new ulong[part.Length * 2];
        foreach (var slot in part)
            if (slot != 0) SlotOf(larger, slot) = slot;
        part = larger;
    }

    static int PartOf(ulong hash) => (int)(hash >> (64 - PartBits));

    static int IndexOf(ulong[] slots, ulong hash) => (int)(hash >> CountBits) & (slots.Length - 1);

    /// <summary>The slot of a hash, or the free slot where it belongs.</summary>
    static ref ulong SlotOf(ulong[] slots, ulong hash)
    {
        for (var at = IndexOf(slots, hash); ; at = (at + 1) & (slots.Length - 1))
            if (slots[at] is var slot && (slot == 0 || ((slot ^ hash) & ~Counts) == 0)) return ref slots[at];
    }
}
