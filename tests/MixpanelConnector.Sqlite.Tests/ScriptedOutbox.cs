namespace MixpanelConnector.Sqlite.Tests;

/// <summary>An outbox that tests also query while the tracker uses it: calls are serialized, as the tracker itself ensures.</summary>
sealed class ScriptedOutbox(ITrackerOutbox inner) : ITrackerOutbox
{
    readonly Lock _lock = new();
    ManualResetEventSlim? _entered;
    ManualResetEventSlim? _go;

    public Func<Exception>? OnAppend { get; set; }

    public Func<Exception>? OnRead { get; set; }

    public Func<Exception>? OnRemove { get; set; }

    public Func<Exception>? OnCount { get; set; }

    public Func<Exception>? OnDispose { get; set; }

    public long Quarantined => inner.Quarantined;

    public long LastNumber => inner.LastNumber;

    /// <summary>The next append waits until released. The test waits on its own thread, because threads waiting for the outbox may exhaust the pool.</summary>
    public (ManualResetEventSlim Entered, Action Go) HoldAppends()
    {
        (_entered, _go) = (new(), new());
        return (_entered, _go.Set);
    }

    public long Claim(Func<OutboxBatch, bool> isOwn) => inner.Claim(isOwn);

    public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches)
    {
        _entered?.Set();
        _go?.Wait();
        Throw(OnAppend);
        lock (_lock) return inner.Append(batches);
    }

    public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records)
    {
        Throw(OnRead);
        lock (_lock) return inner.Read(kind, after, records);
    }

    public void Remove(IReadOnlyList<long> numbers)
    {
        Throw(OnRemove);
        lock (_lock) inner.Remove(numbers);
    }

    public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind)
    {
        Throw(OnCount);
        lock (_lock) return inner.Count(kind);
    }

    public void Dispose()
    {
        Throw(OnDispose);
        lock (_lock) inner.Dispose();
    }

    static void Throw(Func<Exception>? failure)
    {
        if (failure?.Invoke() is { } exception) throw exception;
    }
}
