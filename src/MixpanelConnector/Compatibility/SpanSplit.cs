namespace MixpanelConnector;

/// <summary>The parts of a span between separators, like .NET 9's own enumerator.</summary>
ref struct SpanSplit<T>(ReadOnlySpan<T> source, T separator)
    where T : IEquatable<T>
{
    readonly ReadOnlySpan<T> _source = source;
    int _next;

    public Range Current { get; private set; }

    public readonly SpanSplit<T> GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_next > _source.Length) return false;
        var length = _source[_next..].IndexOf(separator);
        var end = length < 0 ? _source.Length : _next + length;
        (Current, _next) = (_next..end, end + 1);
        return true;
    }
}
