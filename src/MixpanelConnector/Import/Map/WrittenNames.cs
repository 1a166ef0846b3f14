using System.Globalization;
using System.Text;

namespace MixpanelConnector.Import.Map;

/// <summary>The names of the properties that a record has got so far, by their hashes, and where the values stand. Whatever a record holds, each costs the same.</summary>
sealed class WrittenNames
{
    /// <summary>What held more than so many is made anew: emptying it would cost each further record as much.</summary>
    const int MostKept = 1024;

    Dictionary<ulong, (int Start, int Length)> _names = [];
    Dictionary<ulong, int> _numbers = []; // the last one of those that came to one name

    public void Clear()
    {
        if (_names.Count > MostKept) (_names, _numbers) = ([], []);
        _names.Clear();
        _numbers.Clear();
    }

    /// <param name="name">The hash of the name.</param>
    /// <param name="start">Where its value begins, without quotes.</param>
    /// <param name="length">Its bytes.</param>
    public void Add(ulong name, int start, int length) => _names.TryAdd(name, (start, length));

    /// <summary>Adds a name without a value; false where it is there already.</summary>
    public bool TryAdd(ulong name) => _names.TryAdd(name, default);

    public bool Contains(ulong name) => _names.ContainsKey(name);

    public bool TryGet(ulong name, out int start, out int length)
    {
        var isThere = _names.TryGetValue(name, out var value);
        (start, length) = value;
        return isThere;
    }

    /// <summary>The name itself where it is free, else the first of <c>name_2</c>, <c>name_3</c>, … that is.</summary>
    public byte[] Free(byte[] name, out ulong hash)
    {
        var first = hash = RecordMapper.HashOfRaw(name);
        var free = name;
        while (_names.ContainsKey(hash))
        {
            var number = _numbers.GetValueOrDefault(first, 1) + 1;
            _numbers[first] = number;
            free = [.. name, .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"_{number}"))];
            hash = RecordMapper.HashOfRaw(free);
        }

        return free;
    }
}
