namespace MixpanelConnector.Export;

/// <summary>Ids that were seen, as 64-bit hashes: eleven bytes each. Beyond so many, no more are told apart.</summary>
sealed class IdSet
{
    public const int Most = 4_000_000;

    ulong[] _slots = new ulong[1 << 12];

    public int Count { get; private set; }

    /// <summary>False when it is there already.</summary>
    public bool Add(ulong hash)
    {
        if (hash == 0) hash = 1; // 0 is a free slot
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
