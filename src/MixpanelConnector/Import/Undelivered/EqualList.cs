using System.Collections;

namespace MixpanelConnector.Import.Undelivered;

/// <summary>A list with value equality, so that records that contain it compare by value.</summary>
sealed class EqualList<T>(IEnumerable<T> items) : IReadOnlyList<T>
{
    readonly T[] _items = [.. items];

    public int Count => _items.Length;

    public T this[int index] => _items[index];

    public override bool Equals(object? obj) => obj is EqualList<T> other && _items.AsSpan().SequenceEqual(other._items);

    public override int GetHashCode() => _items.Aggregate(0, HashCode.Combine);

    public IEnumerator<T> GetEnumerator() => _items.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
