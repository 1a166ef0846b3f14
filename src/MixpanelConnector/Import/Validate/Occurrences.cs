using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace MixpanelConnector.Import.Validate;

/// <summary>
/// Counts how often hashes occur: exact for the first <see cref="Most"/> distinct ones, which use 32 MB, and half as much more
/// while the table grows to that size. Hashes are distinguished by 52 bits: in a full table, the probability that any two are confused is 1 in 600.
/// So callers must tolerate a count that is too high.
/// </summary>
sealed class Occurrences
{
    /// <summary>7 of 8 slots: beyond that, the search for a free slot becomes long.</summary>
    public const int Most = MostSlots / 8 * 7;

    const int MostSlots = 1 << 22;
    const int FirstSlots = 1 << 10;

    // The number of memory accesses that a processor has in flight at once.
    const int Ahead = 12;

    // A slot has 52 bits of the hash above 12 bits of its count; 0 is a free slot.
    const int CountBits = 12;
    const ulong Counts = (1UL << CountBits) - 1;

    readonly Dictionary<ulong, long> _many = []; // the full counts of hashes that occurred 4095 times or more
    ulong[] _slots = new ulong[FirstSlots];
    int _used;

    /// <summary>Counts a hash; returns the number of earlier occurrences, or -1 when there is no space for a new hash.</summary>
    public long Take(ulong hash)
    {
        ref var slot = ref SlotOf(_slots, hash);
        if (slot == 0)
        {
            if (_used == Most) return -1;
            slot = (hash & ~Counts) | 1;
            if (++_used > _slots.Length / 8 * 7 && _slots.Length < MostSlots) Grow();
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
        if (Sse.IsSupported) Sse.Prefetch0(Unsafe.AsPointer(ref _slots[IndexOf(_slots, hash)]));
    }

    public void Clear()
    {
        _many.Clear();
        if (_slots.Length > 4 * FirstSlots) _slots = new ulong[FirstSlots];
        else if (_used > 0) _slots.AsSpan().Clear();
        _used = 0;
    }

    void Grow()
    {
        var larger = new ulong[_slots.Length * 2];
        foreach (var slot in _slots)
            if (slot != 0) SlotOf(larger, slot) = slot;
        _slots = larger;
    }

    static int IndexOf(ulong[] slots, ulong hash) => (int)(hash >> CountBits) & (slots.Length - 1);

    /// <summary>The slot of a hash, or the free slot where it belongs.</summary>
    static ref ulong SlotOf(ulong[] slots, ulong hash)
    {
        for (var at = IndexOf(slots, hash); ; at = (at + 1) & (slots.Length - 1))
            if (slots[at] is var slot && (slot == 0 || ((slot ^ hash) & ~Counts) == 0)) return ref slots[at];
    }
}
