using System.Diagnostics.CodeAnalysis;

#pragma warning disable IDE0130 // the names of .NET 9
namespace System.Collections.Generic;
#pragma warning restore IDE0130

/// <summary>The subset of .NET 9's type that is used here: entries keep the order in which their keys were first added.</summary>
sealed class OrderedDictionary<TKey, TValue>(IEqualityComparer<TKey> comparer) : IEnumerable<KeyValuePair<TKey, TValue>>
    where TKey : notnull
{
    readonly Dictionary<TKey, int> _places = new(comparer);
    readonly List<KeyValuePair<TKey, TValue>> _entries = [];

    public IEnumerable<TValue> Values => _entries.Select(entry => entry.Value);

    public TValue this[TKey key]
    {
        set
        {
            if (_places.TryGetValue(key, out var place)) _entries[place] = new(key, value);
            else Add(key, value);
        }
    }

    public void Add(TKey key, TValue value)
    {
        _places.Add(key, _entries.Count);
        _entries.Add(new(key, value));
    }

    public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var isThere = _places.TryGetValue(key, out var place);
        value = isThere ? _entries[place].Value : default;
        return isThere;
    }

    public IEnumerator<KeyValuePair<TKey, TValue>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
