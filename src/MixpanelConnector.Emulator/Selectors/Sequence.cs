namespace MixpanelConnector.Emulator.Selectors;

/// <summary>An array that is compared by its items, so that trees of records are compared by value.</summary>
readonly struct Sequence<T>(T[] items) : IEquatable<Sequence<T>>
{
    readonly T[] _items = items;

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    public ReadOnlySpan<T> Items => _items;

    public bool Equals(Sequence<T> other) => Items.SequenceEqual(other.Items);

    public override bool Equals(object? obj) => obj is Sequence<T> other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in _items)
            hash.Add(item);
        return hash.ToHashCode();
    }
}
