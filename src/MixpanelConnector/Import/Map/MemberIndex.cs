using System.Buffers.Binary;

namespace MixpanelConnector.Import.Map;

/// <summary>
/// Finds the members of all objects of a record by the names of these. The cost per member is constant, whatever a record contains: names cannot be
/// made to collide, because their hashes have a random seed.
/// </summary>
sealed class MemberIndex
{
    const int Fewest = 512;

    /// <summary>A record with fewer members than this part of the slots shrinks them, since they are cleared for each record.</summary>
    const int Sparse = 32;

    readonly ulong _seed;
    readonly ulong _seed2;
    int[] _slots = new int[Fewest]; // values by the hashes of their containers and names; 0 is a free slot
    int _used;

    public MemberIndex()
    {
        Span<byte> seeds = stackalloc byte[16];
        Guid.NewGuid().TryWriteBytes(seeds);
        (_seed, _seed2) = (BinaryPrimitives.ReadUInt64LittleEndian(seeds), BinaryPrimitives.ReadUInt64LittleEndian(seeds[8..]));
    }

    public void Clear()
    {
        if (_slots.Length > Fewest && _used < _slots.Length / Sparse) _slots = new int[Fewest];
        else _slots.AsSpan().Clear();
        _used = 0;
    }

    /// <summary>The first slot for a name.</summary>
    public int SlotOf(int container, ReadOnlySpan<byte> name) => (int)HashOf(container, name) & (_slots.Length - 1);

    /// <summary>The slot after another.</summary>
    public int After(int slot) => (slot + 1) & (_slots.Length - 1);

    /// <summary>The member in a slot; 0 for none.</summary>
    public int this[int slot] => _slots[slot];

    /// <summary>Puts a member into a free slot. False when there are too few: then all members must be put again, after <see cref="Grow"/>.</summary>
    public bool TryPut(int slot, int member)
    {
        _slots[slot] = member;
        return ++_used <= _slots.Length / 2;
    }

    public void Grow()
    {
        _slots = new int[_slots.Length * 2];
        _used = 0;
    }

    ulong HashOf(int container, ReadOnlySpan<byte> name)
    {
        var state = _seed ^ (((ulong)container << 32) | (uint)name.Length);
        for (; name.Length > 16; name = name[16..]) state = Mixed(BinaryPrimitives.ReadUInt64LittleEndian(name) ^ _seed2, BinaryPrimitives.ReadUInt64LittleEndian(name[8..]) ^ state);
        var (first, last) = name.Length switch
        {
            >= 8 => (BinaryPrimitives.ReadUInt64LittleEndian(name), BinaryPrimitives.ReadUInt64LittleEndian(name[^8..])),
            >= 4 => (BinaryPrimitives.ReadUInt32LittleEndian(name), BinaryPrimitives.ReadUInt32LittleEndian(name[^4..])),
            > 0 => (((ulong)name[0] << 16) | ((ulong)name[name.Length / 2] << 8) | name[^1], 0UL),
            _ => default,
        };
        return Mixed(first ^ _seed2, last ^ state);
    }

    static ulong Mixed(ulong one, ulong other)
    {
        var high = Math.BigMul(one, other, out var low);
        return high ^ low;
    }
}
