using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace MixpanelConnector.Import.Map;

/// <summary>The members of an object that have the same name.</summary>
sealed partial class JsonTree
{
    /// <summary>The names of up to this many members are compared with each other.</summary>
    const int MostCompared = 16;

    /// <summary>A set that held more than this is recreated, because clearing it would cost as much for each later object.</summary>
    const int MostKept = 1024;

    /// <summary>Two members of an object may have the same name.</summary>
    const ulong MayRepeat = 1UL << 63;

    readonly long _seed = BinaryPrimitives.ReadInt64LittleEndian(Guid.NewGuid().ToByteArray()); // so that no record can be made whose names collide
    HashSet<ulong> _names = [];
    ulong[] _seen = new ulong[16]; // a bitmap of the names in each open object: it alone shows that most differ
    readonly List<int> _repeated = []; // members whose object already has their name, in the order of their indexes

    /// <summary>The members whose objects already have their names, in the order of the text.</summary>
    public ReadOnlySpan<int> Repeated => CollectionsMarshal.AsSpan(_repeated);

    /// <summary>The first member in a value whose object already has its name; <see cref="None"/> for none.</summary>
    public int RepeatedIn(int value)
    {
        if (_repeated.Count == 0) return None;
        var at = _repeated.BinarySearch(value + 1);
        if (at < 0) at = ~at;
        return at < _repeated.Count && _repeated[at] < _nodes[value].Next ? _repeated[at] : None;
    }

    /// <summary>Whether two members have the same name in the same object.</summary>
    public bool AreNamesakes(int one, int other) => _nodes[one].Parent == _nodes[other].Parent && _nodes[one].NameStart > 0 && HasName(one, NameOf(other));

    /// <summary>Finds the members of an object whose name an earlier one has, at a constant cost for each.</summary>
    void FindRepeated(int container)
    {
        if (_names.Count > MostKept) _names = [];
        _names.Clear();
        var members = 0;
        for (var at = FirstOf(container); at >= 0; at = After(at, container), members++)
        {
            if (members == MostCompared) // there may be any number of others
                for (var before = FirstOf(container); before < at; before = After(before, container)) IsNew(before);
            if (members < MostCompared ? HasNamesake(at, container) : !IsNew(at)) _repeated.Add(at);
        }

        bool IsNew(int member) => !TryGetName(member, out var name) || _names.Add(XxHash3.HashToUInt64(name, _seed));
    }

    bool HasNamesake(int member, int container)
    {
        if (!TryGetName(member, out var name)) return false;
        for (var at = container + 1; at < member; at = _nodes[at].Next)
            if ((_nodes[at].NameEnd - _nodes[at].NameStart == name.Length || _nodes[at].NameIsEscaped) && TryGetName(at, out var other)
                && other.SequenceEqual(name))
                return true;
        return false;
    }

    /// <summary>The name of a member; false when it contains an unpaired surrogate, for which the record is rejected where it is read.</summary>
    bool TryGetName(int member, out ReadOnlySpan<byte> name)
    {
        try
        {
            name = NameOf(member);
            return true;
        }
        catch (InvalidOperationException)
        {
            name = default;
            return false;
        }
    }
}
