using Microsoft.Extensions.Logging;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Tracking.Buffering;
using MixpanelConnector.Tracking.Outbox;

namespace MixpanelConnector.Tracking.Sending;

/// <summary>
/// Moves records from memory into the outbox, and from there to Mixpanel. Everything that arrives while one transaction is synced shares the next.
/// Records are removed from the outbox only after they were sent: after a process crash they are sent again, with the same ids.
/// </summary>
sealed partial class DurableSendLoop : SendLoop
{
    static readonly TimeSpan RemovalPatience = TimeSpan.FromSeconds(1);

    // A disk that hangs must not block callers that only query.
    static readonly TimeSpan CountPatience = TimeSpan.FromMilliseconds(100);

    // The number of attempts at a removal or a read before those who wait for it receive an error.
    const int PatientTries = 3;

    readonly AsyncAutoResetEvent _gathered;
    readonly ITrackerOutbox _outbox;
    readonly BufferPool _buffers;
    readonly TrackerOptions _tracking;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly OutboxOwner _owner;
    readonly LogLimit _notRemoved;
    readonly LogLimit _others;
    readonly OutboxCursor[] _cursors;
    readonly Lock _outboxLock = new();
    readonly Known[] _known = [new(0, null), new(0, null), new(0, null)];
    readonly long[] _notToSend = new long[3];
    readonly Lock _removalsLock = new();
    List<(OutboxCursor Cursor, IReadOnlyList<OutboxBatch> Sent)> _removals = [];
    bool _isClosed;
    long _lastNumber;
    volatile OutboxException? _failure;

    public DurableSendLoop(IReadOnlyList<RecordChannel> channels, AsyncAutoResetEvent gathered, ITrackerOutbox outbox, RecordBudget budget, BufferPool buffers,
        TrackerOptions tracking, MixpanelOptions options)
        : base(channels, budget, options)
    {
        (_gathered, _outbox, _buffers, _tracking, _time) = (gathered, outbox, buffers, tracking, options.TimeProvider);
        _logger = HarmlessLogger.Create(options, "MixpanelConnector.Tracker");
        _owner = new OutboxOwner(options, tracking.AdoptUnowned, tracking.EventsTo);
        (_notRemoved, _others) = (new(_time, lines: 1), new(_time, lines: 1));
        _cursors = [.. channels.Select(_ => new OutboxCursor())];
        OutboxesInUse.Take(outbox);
        try
        {
            if (outbox.Claim(_owner.Owns) is > 0 and var left) LogOthers(left);
            _lastNumber = outbox.LastNumber;
            foreach (var channel in channels) Count(channel.Kind);
        }
        catch
        {
            OutboxesInUse.Dispose(outbox); // nothing else disposes it
            throw;
        }
    }

    public override bool MakesDurable => true;

    public override Exception? Failure => _failure;

    public override long Unsafe(TrackedKind kind) => Channels[(int)kind].Buffer.Records;

    public override (long Records, TimeSpan Oldest) Queue(TrackedKind kind)
    {
        var buffer = Channels[(int)kind].Buffer;
        var isFree = _outboxLock.TryEnter(CountPatience);
        try
        {
            var (records, oldest) = isFree ? Count(kind) : _known[(int)kind];
            var age = records > 0 && oldest is { } since && _time.GetUtcNow() - since is { Ticks: > 0 } waited ? waited : buffer.OldestAge;
            return (records + buffer.Records, age);
        }
        finally
        {
            if (isFree) _outboxLock.Exit();
        }
    }

    public override Task SecureAsync() => Task.WhenAll(Channels.Select(channel => channel.Buffer.FlushAsync()));

    public override async Task FlushAsync()
    {
        var secured = SecureAsync();
        await secured.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var last = Volatile.Read(ref _lastNumber);
        await Task.WhenAll(_cursors.Select(cursor => cursor.FlushAsync(last))).ConfigureAwait(false);
        await secured.ConfigureAwait(false);
    }

    protected override IEnumerable<Func<Task>> Work() =>
        [
            KeepAsync,
            .. Channels.Zip(_cursors,
                (channel, cursor) => (Func<Task>)(() => SendEachAsync(channel, () => NextAsync(channel, cursor), next => DeliverAsync(channel, cursor, next)))),
        ];

    protected override void Leave(Exception stopped)
    {
        foreach (var channel in Channels) _ = channel.Buffer.FlushAsync(); // closes the open batch
        var allPending = Channels.SelectMany(TakeAll).ToList();
        if (allPending.Count > 0) Keep(allPending);
        lock (_outboxLock)
        {
            // Records that cannot be removed are sent again, with the same ids.
            Remove(_removals);
            foreach (var channel in Channels) Count(channel.Kind);
            _isClosed = true;
            Guarded(() => OutboxesInUse.Dispose(_outbox));
        }

        foreach (var cursor in _cursors) cursor.Abandon(stopped);
    }

    /// <summary>The number of records of a kind that are in the outbox and to be sent; the last known number when the outbox cannot be queried.</summary>
    Known Count(TrackedKind kind)
    {
        if (!_isClosed)
        {
            Guarded(() =>
            {
                var (records, oldest) = _outbox.Count(kind);
                _known[(int)kind] = new(Math.Max(0, records - Interlocked.Read(ref _notToSend[(int)kind])), oldest);
            });
        }

        return _known[(int)kind];
    }

    async Task KeepAsync()
    {
        long? failedAt = null; // a full disk: removals are retried after more was sent, or after somebody may have freed space
        var failures = 0;
        while (true)
        {
            var allPending = Channels.SelectMany(TakeAll).ToList();
            var patience = failedAt is { } since ? RemovalPatience - _time.GetElapsedTime(since) : TimeSpan.Zero;
            List<(OutboxCursor Cursor, IReadOnlyList<OutboxBatch> Sent)> removals = [];
            if (patience <= TimeSpan.Zero)
                lock (_removalsLock) (removals, _removals) = (_removals, removals);
            if (allPending.Count == 0 && removals.Count == 0)
            {
                await WaitAsync(patience).ConfigureAwait(false);
                continue;
            }

            if (removals.Count > 0)
            {
                failures = TryRemove(removals, failures + 1) ? 0 : failures + 1;
                failedAt = failures == 0 ? null : _time.GetTimestamp();
            }

            if (allPending.Count > 0) Keep(allPending);
        }
    }

    /// <summary>Waits until a record arrives, or for a time if that is more than zero.</summary>
    Task WaitAsync(TimeSpan most) => most <= TimeSpan.Zero ? _gathered.WaitAsync(Stop) : _gathered.WaitAsync(most, _time, Stop);

    static IEnumerable<(RecordChannel Channel, PendingBatch Pending)> TakeAll(RecordChannel channel)
    {
        while (channel.Buffer.Take() is { } pending) yield return (channel, pending);
    }

    void Keep(List<(RecordChannel Channel, PendingBatch Pending)> allPending)
    {
        var refusal = _failure;
        refusal ??= Guarded(() =>
        {
            var now = _time.GetUtcNow();
            List<OutboxBatch> batches =
            [
                .. allPending.Select(taken => new OutboxBatch(taken.Channel.Kind, taken.Pending.Batch.Count, now,
                    OutboxRecords.Write(taken.Pending.Batch, _owner.Of(taken.Channel.Kind)))),
            ];
            lock (_outboxLock)
            {
                Volatile.Write(ref _lastNumber, _outbox.Append(batches)[^1]);
                foreach (var batch in batches) Know(batch, sign: 1);
            }
        });

        foreach (var (channel, pending) in allPending)
        {
            var lost = refusal is null ? null : new MixpanelException(new(ErrorKind.Unavailable, refusal.Message), refusal);
            Budget.GiveBack(pending.Bytes);
            var records = pending.Batch.Count;
            channel.Buffer.Settle(pending, lost); // first, so that a waiting caller does not find it counted both here and in the outbox
            if (lost is null) pending.IsSafe();
            else
            {
                pending.IsLost(lost);
                channel.Exporter.Drop(records, lost.Message);
            }

            _cursors[(int)channel.Kind].Grown.Set();
        }
    }

    bool TryRemove(List<(OutboxCursor Cursor, IReadOnlyList<OutboxBatch> Sent)> removals, int tries)
    {
        OutboxException? refusal;
        lock (_outboxLock) refusal = Remove(removals);
        if (refusal is not null)
        {
            lock (_removalsLock) _removals.AddRange(removals);
            if (refusal.MayPass && tries < PatientTries) return false;
            if (_notRemoved.Allows(1, out _)) LogNotRemoved(refusal.Message);
        }

        foreach (var (cursor, sent) in removals) cursor.Settle(sent);
        return refusal is null;
    }

    OutboxException? Remove(List<(OutboxCursor Cursor, IReadOnlyList<OutboxBatch> Sent)> removals) => Guarded(() =>
    {
        List<OutboxBatch> batches = [.. removals.SelectMany(removal => removal.Sent)];
        if (batches.Count == 0) return;
        _outbox.Remove([.. batches.Select(batch => batch.Number)]);
        foreach (var batch in batches) Interlocked.Add(ref _notToSend[(int)batch.Kind], -batch.Records);
    });

    /// <summary>Keeps a count of its own, for when the outbox fails and cannot report one.</summary>
    void Know(OutboxBatch batch, int sign)
    {
        ref var known = ref _known[(int)batch.Kind];
        known = new(Math.Max(0, known.Records + (sign * batch.Records)), known.Oldest ?? batch.At);
    }

    async Task<IReadOnlyList<OutboxBatch>> NextAsync(RecordChannel channel, OutboxCursor cursor)
    {
        for (var failures = 0; ;)
        {
            List<OutboxBatch> next = [];
            if (Guarded(() => next = ReadOwn(channel.Kind, cursor)) is { } refusal)
            {
                failures++;
                if (!refusal.MayPass || failures >= PatientTries) channel.Exporter.Failing(new(ErrorKind.Unavailable, refusal.Message));
                await PauseAsync(failures).ConfigureAwait(false);
                continue;
            }

            if (failures > 0) channel.Exporter.Mended();
            failures = 0;
            if (next.Count > 0) return next;
            await cursor.Grown.WaitAsync(Stop).ConfigureAwait(false);
            await LingerAsync(cursor).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for more records to arrive, unless somebody waits for all to be sent.</summary>
    Task LingerAsync(OutboxCursor cursor) =>
        _tracking.FlushInterval <= TimeSpan.Zero ? Task.CompletedTask : cursor.Hurry.WaitAsync(_tracking.FlushInterval, _time, Stop);

    List<OutboxBatch> ReadOwn(TrackedKind kind, OutboxCursor cursor)
    {
        while (true)
        {
            var known = Volatile.Read(ref _lastNumber);
            IReadOnlyList<OutboxBatch> next;
            lock (_outboxLock) next = _outbox.Read(kind, cursor.Position, _tracking.BatchRecords);
            List<OutboxBatch> own = [.. next.Where(_owner.Owns)];
            if (own.Count < next.Count) Skip(kind, next.Where(batch => !_owner.Owns(batch)).Sum(batch => batch.Records));
            cursor.Advance(own, next.Count > 0 ? next[^1].Number : known);
            if (own.Count > 0 || next.Count == 0) return own;
        }
    }

    /// <summary>Skips records of other owners in an outbox that does not separate them.</summary>
    void Skip(TrackedKind kind, long records)
    {
        Interlocked.Add(ref _notToSend[(int)kind], records);
        if (_others.Allows(records, out var all)) LogOthers(all);
    }

    async Task DeliverAsync(RecordChannel channel, OutboxCursor cursor, IReadOnlyList<OutboxBatch> kept)
    {
        await Task.Yield();
        var batch = await GatherAsync(channel, kept).ConfigureAwait(false);
        var left = batch.Count == 0 ? null : await channel.Exporter.DeliverAsync(batch, Stop).ConfigureAwait(false);
        if (left is not null)
        {
            if (left != batch) Replace(channel.Kind, kept, left);
            return;
        }

        batch.Release();
        Interlocked.Add(ref _notToSend[(int)channel.Kind], kept.Sum(part => part.Records));
        lock (_outboxLock)
            foreach (var part in kept) Know(part, sign: -1);
        lock (_removalsLock) _removals.Add((cursor, kept));
        _gathered.Set();
    }

    async Task<RecordBatch> GatherAsync(RecordChannel channel, IReadOnlyList<OutboxBatch> kept)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                return Gather(channel, kept);
            }
            catch (OutOfMemoryException)
            {
                await PauseAsync(failures).ConfigureAwait(false);
            }
        }
    }

    RecordBatch Gather(RecordChannel channel, IReadOnlyList<OutboxBatch> kept)
    {
        var batch = new RecordBatch(0, Math.Max(1, kept.Sum(part => part.Records)), kept.Sum(part => part.Content.Length) + 2, _buffers);
        foreach (var part in kept)
        {
            if (OutboxRecords.AreWhole(part.Content.Span)) OutboxRecords.Read(part.Content.Span, batch);
            else
                channel.Exporter.Reject(
                    new()
                    {
                        Kind = channel.Kind,
                        Code = "damaged",
                        Message = $"The outbox returned other data for {Counted.Of(part.Records, "record")} than was written to it.",
                    },
                    part.Records);
        }

        batch.Close();
        return batch;
    }

    /// <summary>Keeps only the records of a batch that may be sent again.</summary>
    void Replace(TrackedKind kind, IReadOnlyList<OutboxBatch> kept, RecordBatch left)
    {
        lock (_outboxLock)
        {
            Guarded(() =>
            {
                _outbox.Append([new OutboxBatch(kind, left.Count, kept[0].At, OutboxRecords.Write(left, _owner.Of(kind)))]);
                _outbox.Remove([.. kept.Select(batch => batch.Number)]);
            });
        }
    }

    /// <summary>Runs an outbox operation that may fail. Exceptions that it should not throw are treated as transient.</summary>
    /// <returns>The reason for the failure; null when it succeeded.</returns>
    OutboxException? Guarded(Action work)
    {
        try
        {
            work();
            return null;
        }
        catch (OutboxException e)
        {
            if (!e.MayPass) _failure ??= e;
            return e;
        }
        catch (Exception e)
        {
            return new OutboxException($"The outbox failed with {e.GetType().Name}.", mayPass: true, e);
        }
    }

    /// <summary>The contents of the outbox that are to be sent. Immutable, so that it can be read without the lock.</summary>
    sealed record Known(long Records, DateTimeOffset? Oldest);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Count} records in the outbox belong to other projects or endpoints, or an earlier version did not record whose they are. "
            + "They stay there until their tracker starts; if this outbox was never used for another project or endpoint, start once with AdoptUnowned")]
    partial void LogOthers(long count);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Records that Mixpanel accepted cannot be removed from the outbox; the next start resends them with the same ids. {Message}")]
    partial void LogNotRemoved(string message);
}
