namespace MixpanelConnector.Export;

/// <summary>A set of ids, stored as 64-bit hashes, with about eleven bytes per id. Beyond <see cref="Most"/> ids, duplicates are no longer detected.</summary>
sealed class IdSet
{
    public const int Most = 4_000_000;

    ulong[] _slots = new ulong[1 << 12];

    public int Count { get; private set; }

    /// <summary>Returns false when the set contains it already.</summary>
    public bool Add(ulong hash)
    {
        if (hash == 0) hash = 1; // 0 marks a free slot
        if (Count >= Most) return true;
        if (Count >= _slots.Length / 4 * 3) Grow();
        if (!Put(_slots, hash)) return false;
        Count++;
        return true;
    }

    void Grow()
    {
        var larger = new ulong[_slots.Length * 2];
        foreach (var hash in _slots)
            if (hash != 0) Put(larger, hash);
        _slots = larger;
    }

    static bool Put(ulong[] slots, ulong hash)
    {
        for (var at = (int)(hash % (ulong)slots.Length); ; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            if (slots[at] == hash) return false;
            if (slots[at] != 0) continue;
            slots[at] = hash;
            return true;
        }
    }
}
