using MixpanelConnector.Import.Batch;

namespace MixpanelConnector.Tracking;

/// <summary>
/// From memory into the outbox, and from there onto the wire. All that gathers while one transaction is synced shares the next.
/// What was sent is removed from the outbox only then: after a kill it is sent again, with the same ids.
/// </summary>
sealed class DurableConveyor(IReadOnlyList<Lane> lanes, Signal gathered, ITrackerOutbox outbox, Room room, BufferPool buffers, TrackerOptions tracking, TimeProvider time) : Conveyor(lanes, room)
{
    readonly Lock _outboxLock = new();
    readonly Drain[] _drains = [.. lanes.Select(_ => new Drain())];
    static readonly TimeSpan RemovalPatience = TimeSpan.FromSeconds(1);

    readonly Lock _removalsLock = new();
    List<(Drain Drain, IReadOnlyList<OutboxBatch> Sent)> _removals = [];
    long _lastNumber = outbox.LastNumber;
    volatile OutboxException? _failure;

    public override bool MakesDurable => true;

    public override Exception? Failure => _failure;

    public override long Unsafe => Lanes.Sum(lane => lane.Gathering.Records);

    public override (long Records, TimeSpan Oldest) Queue(TrackedKind kind)
    {
        var gathering = Lanes[(int)kind].Gathering;
        lock (_outboxLock)
        {
            var (records, oldest) = outbox.Count(kind);
            return (records + gathering.Records, oldest is { } since && time.GetUtcNow() - since is { Ticks: > 0 } age ? age : gathering.OldestAge);
        }
    }

    public override Task SecureAsync() => Task.WhenAll(Lanes.Select(lane => lane.Gathering.FlushAsync()));

    public override async Task FlushAsync()
    {
        await SecureAsync().ConfigureAwait(false);
        var last = Volatile.Read(ref _lastNumber);
        await Task.WhenAll(_drains.Select(drain => drain.FlushAsync(last))).ConfigureAwait(false);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        lock (_outboxLock)
        {
            try
            {
                if (_removals.Count > 0) outbox.Remove(Numbers(_removals));
            }
            catch (OutboxException)
            {
                // They are sent again, with the same ids.
            }

            outbox.Dispose();
        }
    }

    protected override IEnumerable<Func<Task>> Work() => [KeepAsync, .. Lanes.Zip(_drains, (lane, drain) => (Func<Task>)(() => DrainAsync(lane, drain)))];

    async Task KeepAsync()
    {
        long? failedAt = null; // a full disk: the removals are tried again when more was sent or somebody may have made room
        while (true)
        {
            var chunks = Lanes.SelectMany(TakeAll).ToList();
            var patience = failedAt is { } since ? RemovalPatience - time.GetElapsedTime(since) : TimeSpan.Zero;
            List<(Drain Drain, IReadOnlyList<OutboxBatch> Sent)> removals = [];
            if (patience <= TimeSpan.Zero)
                lock (_removalsLock) (removals, _removals) = (_removals, removals);
            if (chunks.Count == 0 && removals.Count == 0)
            {
                await WaitAsync(patience).ConfigureAwait(false);
                continue;
            }

            if (removals.Count > 0) failedAt = TryRemove(removals) ? null : time.GetTimestamp();
            if (chunks.Count > 0) Keep(chunks);
        }
    }

    /// <summary>Until something gathers, or for a time, where that is more than zero.</summary>
    async Task WaitAsync(TimeSpan most)
    {
        if (most <= TimeSpan.Zero)
        {
            await gathered.WaitAsync(Stop).ConfigureAwait(false);
            return;
        }

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await Task.WhenAny(gathered.WaitAsync(enough.Token), Task.Delay(most, time, enough.Token)).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        Stop.ThrowIfCancellationRequested();
    }

    static IEnumerable<(Lane Lane, Chunk Chunk)> TakeAll(Lane lane)
    {
        while (lane.Gathering.Take() is { } chunk) yield return (lane, chunk);
    }

    void Keep(List<(Lane Lane, Chunk Chunk)> chunks)
    {
        Exception? refusal = _failure;
        if (refusal is null)
        {
            try
            {
                var now = time.GetUtcNow();
                List<OutboxBatch> batches = [.. chunks.Select(taken => new OutboxBatch(taken.Lane.Kind, taken.Chunk.Batch.Count, now, OutboxRecords.Write(taken.Chunk.Batch)))];
                lock (_outboxLock) Volatile.Write(ref _lastNumber, outbox.Append(batches)[^1]);
            }
            catch (OutboxException e)
            {
                refusal = e;
                if (!e.MayPass) _failure = e;
            }
        }

        foreach (var (lane, chunk) in chunks)
        {
            Room.GiveBack(chunk.Bytes);
            lane.Gathering.Settle(chunk); // first, so that whoever waited does not find it counted here and in the outbox
            if (refusal is null) chunk.IsSafe();
            else
            {
                chunk.IsLost(new MixpanelException(new(ErrorKind.Unavailable, refusal.Message), refusal));
                lane.Outlet.Drop(chunk.Batch.Count, refusal.Message);
            }

            _drains[(int)lane.Kind].Grown.Set();
        }
    }

    bool TryRemove(List<(Drain Drain, IReadOnlyList<OutboxBatch> Sent)> removals)
    {
        try
        {
            lock (_outboxLock) outbox.Remove(Numbers(removals));
        }
        catch (OutboxException e)
        {
            if (!e.MayPass) _failure = e;
            lock (_removalsLock) _removals.AddRange(removals);
            return false;
        }

        foreach (var (drain, sent) in removals) drain.Settle(sent);
        return true;
    }

    static List<long> Numbers(List<(Drain Drain, IReadOnlyList<OutboxBatch> Sent)> removals) => [.. removals.SelectMany(removal => removal.Sent).Select(batch => batch.Number)];

    async Task DrainAsync(Lane lane, Drain drain)
    {
        while (true)
        {
            await lane.Free.WaitAsync(Stop).ConfigureAwait(false);
            IReadOnlyList<OutboxBatch> next;
            while ((next = ReadNext(lane.Kind, drain)).Count == 0)
            {
                await drain.Grown.WaitAsync(Stop).ConfigureAwait(false);
                await LingerAsync(drain).ConfigureAwait(false);
            }

            Send(lane, () => DeliverAsync(lane, drain, next));
        }
    }

    /// <summary>Waits for others to come along, unless somebody waits for all to be sent.</summary>
    async Task LingerAsync(Drain drain)
    {
        if (tracking.FlushInterval <= TimeSpan.Zero) return;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await Task.WhenAny(Task.Delay(tracking.FlushInterval, time, enough.Token), drain.Hurry.WaitAsync(enough.Token)).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
    }

    IReadOnlyList<OutboxBatch> ReadNext(TrackedKind kind, Drain drain)
    {
        var known = Volatile.Read(ref _lastNumber);
        try
        {
            IReadOnlyList<OutboxBatch> next;
            lock (_outboxLock) next = outbox.Read(kind, drain.Position, tracking.BatchRecords);
            drain.Advance(next, known);
            return next;
        }
        catch (OutboxException e)
        {
            if (!e.MayPass) _failure = e;
            return [];
        }
    }

    async Task DeliverAsync(Lane lane, Drain drain, IReadOnlyList<OutboxBatch> kept)
    {
        await Task.Yield();
        var records = kept.Sum(batch => batch.Records);
        var batch = new RecordBatch(0, records, kept.Sum(part => part.Content.Length) + 2, buffers);
        foreach (var part in kept) OutboxRecords.Read(part.Content.Span, batch);
        batch.Close();
        await lane.Outlet.DeliverAsync(batch, Stop).ConfigureAwait(false);
        batch.Release();
        lock (_removalsLock) _removals.Add((drain, kept));
        gathered.Set();
    }

    /// <summary>How far the outbox is read and sent for one kind.</summary>
    sealed class Drain
    {
        readonly Lock _lock = new();
        readonly SortedSet<long> _underWay = [];
        readonly List<(long Number, TaskCompletionSource Settled)> _flushes = [];
        long _position;

        /// <summary>There may be more to read.</summary>
        public Signal Grown { get; } = new();

        /// <summary>Somebody waits for all to be sent.</summary>
        public Signal Hurry { get; } = new();

        /// <summary>Up to where it is read.</summary>
        public long Position
        {
            get
            {
                lock (_lock) return _position;
            }
        }

        public void Advance(IReadOnlyList<OutboxBatch> next, long known)
        {
            lock (_lock)
            {
                foreach (var batch in next) _underWay.Add(batch.Number);
                _position = next.Count > 0 ? next[^1].Number : Math.Max(_position, known);
            }

            CompleteFlushes();
        }

        public void Settle(IReadOnlyList<OutboxBatch> batches)
        {
            lock (_lock)
                foreach (var batch in batches) _underWay.Remove(batch.Number);
            CompleteFlushes();
        }

        public Task FlushAsync(long last)
        {
            var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_lock) _flushes.Add((last, settled));
            CompleteFlushes();
            Hurry.Set();
            Grown.Set();
            return settled.Task;
        }

        void CompleteFlushes()
        {
            List<TaskCompletionSource>? done = null;
            lock (_lock)
            {
                for (var i = _flushes.Count - 1; i >= 0; i--)
                {
                    if (_position < _flushes[i].Number || (_underWay.Count > 0 && _underWay.Min <= _flushes[i].Number)) continue;
                    (done ??= []).Add(_flushes[i].Settled);
                    _flushes.RemoveAt(i);
                }
            }

            done?.ForEach(settled => settled.TrySetResult());
        }
    }
}
