using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace MixpanelConnector.Import.Validate;

/// <summary>
/// How often hashes have come by: exact for the first <see cref="Most"/> different ones, which take 32 MB, and half as much more
/// while the table grows to that. Hashes are told apart by 52 bits: in a full table, one time in 600 some two are taken for one.
/// So whoever counts must stand a count that is too high.
/// </summary>
sealed class Occurrences
{
    /// <summary>7 of 8 slots: beyond, the search for a free one becomes long.</summary>
    public const int Most = MostSlots / 8 * 7;

    const int MostSlots = 1 << 22;
    const int FirstSlots = 1 << 10;

    // As many as a processor fetches at once.
    const int Ahead = 12;

    // A slot is 52 bits of the hash above 12 bits of its count; 0 is a free one.
    const int CountBits = 12;
    const ulong Counts = (1UL << CountBits) - 1;

    readonly Dictionary<ulong, long> _many = []; // the full counts of what came by 4095 times and more
    ulong[] _slots = new ulong[FirstSlots];
    int _used;

    /// <summary>Counts a hash; gives how often it had come by before, or -1 when there is no room for another.</summary>
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

    /// <summary>Counts hashes; gives how many of them had come by before, and whether there was no room for some.</summary>
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

    /// <summary>Has the processor fetch where a hash is counted, since all of it is too much for its caches.</summary>
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

    /// <summary>The slot of a hash, or the free one where it belongs.</summary>
    static ref ulong SlotOf(ulong[] slots, ulong hash)
    {
        for (var at = IndexOf(slots, hash); ; at = (at + 1) & (slots.Length - 1))
            if (slots[at] is var slot && (slot == 0 || ((slot ^ hash) & ~Counts) == 0)) return ref slots[at];
    }
}
