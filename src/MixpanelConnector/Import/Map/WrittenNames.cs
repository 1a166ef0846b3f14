using System.Globalization;
using System.Text;

namespace MixpanelConnector.Import.Map;

/// <summary>
/// The names of the properties written to a record so far, by their hashes, with the
/// positions of the values. The cost per name is constant, whatever a record contains.
/// </summary>
sealed class WrittenNames
{
    /// <summary>A dictionary that held more than this is recreated, because clearing it would cost as much for each later record.</summary>
    const int MostKept = 1024;

    Dictionary<ulong, (int Start, int Length)> _names = [];
    Dictionary<ulong, int> _numbers = []; // the last number for each name

    public void Clear()
    {
        if (_names.Count > MostKept) (_names, _numbers) = ([], []);
        _names.Clear();
        _numbers.Clear();
    }

    /// <param name="name">The hash of the name.</param>
    /// <param name="start">The start of its value, without quotes.</param>
    /// <param name="length">The length of its value in bytes.</param>
    public void Add(ulong name, int start, int length) => _names.TryAdd(name, (start, length));

    /// <summary>Adds a name without a value; false when it already exists.</summary>
    public bool TryAdd(ulong name) => _names.TryAdd(name, default);

    public bool Contains(ulong name) => _names.ContainsKey(name);

    public bool TryGet(ulong name, out int start, out int length)
    {
        var isThere = _names.TryGetValue(name, out var value);
        (start, length) = value;
        return isThere;
    }

    /// <summary>The name itself if it is free, otherwise the first free one of <c>name_2</c>, <c>name_3</c>, and so on.</summary>
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
