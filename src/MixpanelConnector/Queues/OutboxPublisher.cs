using Microsoft.Extensions.Logging;

namespace MixpanelConnector.Queues;

/// <summary>The stored messages of one kind, so that a kind that is not accepted does not block another.</summary>
/// <param name="outbox">The outbox that stores them.</param>
/// <param name="queued">The kind.</param>
/// <param name="head">The prefix of the queue's messages in the outbox.</param>
/// <param name="ordersByKey">Whether order is kept only among messages with the same key.</param>
/// <param name="publish">Publishes a message, and completes when the broker has confirmed it.</param>
/// <param name="inTurn">Runs an action with exclusive access to the outbox.</param>
/// <param name="time">The clock for pauses.</param>
/// <param name="logger">Logs waiting messages, and those that cannot be published.</param>
sealed partial class OutboxPublisher(
    ITrackerOutbox outbox, QueuedKind queued, byte[] head, bool ordersByKey, Func<QueuedKind, QueueBody, CancellationToken, Task> publish,
    Func<Action, CancellationToken, Task> inTurn, TimeProvider time, ILogger logger)
{
    /// <summary>The maximum number of messages published concurrently, where order does not matter; up to 16 MB of them are in memory, or one.</summary>
    const int SideBySide = 64;

    static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(250), LongestPause = TimeSpan.FromSeconds(15);

    readonly LogLimit _told = new(time, lines: 1);
    readonly AsyncAutoResetEvent _changed = new();
    readonly HashSet<long> _setAside = [];
    long _waiting;
    long _after; // all remaining messages up to this number are set aside
    volatile bool _isAway;

    public TrackedKind Kind { get; } = queued switch
    {
        QueuedKind.Profiles => TrackedKind.Profile,
        QueuedKind.Groups => TrackedKind.Group,
        _ => TrackedKind.Event,
    };

    /// <summary>The number of messages waiting on the disk.</summary>
    public long Waiting => Volatile.Read(ref _waiting);

    /// <summary>Whether new messages must wait, too.</summary>
    public bool IsWaiting => _isAway || Waiting > 0;

    public Task Forwarding { get; private set; } = Task.CompletedTask;

    public void Start(CancellationToken stop)
    {
        Count();
        Wake();
        Forwarding = Task.Run(() => ForwardAsync(stop), CancellationToken.None);
    }

    public Task PublishAsync(QueueBody body, CancellationToken cancellationToken) => publish(queued, body, cancellationToken);

    /// <summary>Notes that the broker refused a message, which is about to be stored.</summary>
    public void Begin(QueueException why)
    {
        _isAway = true;
        Tell(why, 1);
    }

    /// <summary>Signals that there may be something to publish.</summary>
    public void Wake() => _changed.Set();

    /// <summary>Reads the number from the outbox, which may have set some aside itself. Needs exclusive access.</summary>
    public void Count() => Volatile.Write(ref _waiting, CountStored());

    /// <summary>The same after publishing. When none is left, new messages no longer wait, from the moment on at which the number is 0.</summary>
    void CountDown()
    {
        var left = CountStored();
        if (left == 0) _isAway = false;
        Volatile.Write(ref _waiting, left);
    }

    long CountStored() => Math.Max(0, outbox.Count(Kind).Records - _setAside.Count);

    async Task ForwardAsync(CancellationToken stop)
    {
        var pause = ShortestPause;
        try
        {
            while (true)
            {
                await _changed.WaitAsync(stop).ConfigureAwait(false);
                try
                {
                    while (await ForwardSomeAsync(stop).ConfigureAwait(false)) pause = ShortestPause;
                }
                catch (Exception e) when (!stop.IsCancellationRequested)
                {
                    Tell(e, 0);
                    await Task.Delay(pause, time, stop).ConfigureAwait(false);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                    Wake();
                }
            }
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // The next process publishes the remaining messages.
        }
    }

    /// <summary>Publishes the oldest messages.</summary>
    /// <returns>Whether there were any.</returns>
    async Task<bool> ForwardSomeAsync(CancellationToken stop)
    {
        List<OutboxBatch> oldest = [];
        await inTurn(() => oldest = Oldest(), stop).ConfigureAwait(false);
        if (oldest.Count == 0) return false;
        var outcomes = await PublishAsync(oldest, stop).ConfigureAwait(false);
        List<long> published = [.. oldest.Zip(outcomes).Where(pair => pair.Second is null).Select(pair => pair.First.Number)];
        foreach (var (batch, failure) in oldest.Zip(outcomes))
        {
            // It stays on the disk for the next process; later messages continue.
            if (failure is InvalidDataException or QueueException { Fault: QueueFault.Refused } && _setAside.Add(batch.Number))
                LogSetAside(batch.Number, failure.Message);
        }

        await inTurn(
            () =>
            {
                if (published.Count > 0) outbox.Remove(published);
                CountDown();
            },
            CancellationToken.None).ConfigureAwait(false); // also when stopping: published messages must not be published again
        var first = oldest.Zip(outcomes).FirstOrDefault(pair => pair.Second is not null && !_setAside.Contains(pair.First.Number)).Second;
        return first is null ? true : throw first;
    }

    /// <summary>Returns the messages to publish next.</summary>
    List<OutboxBatch> Oldest()
    {
        while (true)
        {
            var read = outbox.Read(Kind, _after, SideBySide);
            if (read.TakeWhile(batch => _setAside.Contains(batch.Number)).LastOrDefault() is { } last) _after = last.Number;
            List<OutboxBatch> fresh = [.. read.Where(batch => !_setAside.Contains(batch.Number))];
            if (fresh.Count > 0) return fresh;
            if (read.Count > 0) continue;
            CountDown();
            return [];
        }
    }

    /// <summary>
    /// Returns the reason for each message that was not published; null where it was. After a failure, later messages of the same order are not tried, and fail
    /// with the same reason.
    /// </summary>
    async Task<Exception?[]> PublishAsync(List<OutboxBatch> batches, CancellationToken stop)
    {
        var bodies = batches.ConvertAll(Body);
        var outcomes = new Exception?[batches.Count];
        var orders = Enumerable.Range(0, batches.Count)
            .GroupBy(i => queued is QueuedKind.Events ? $"{i}" : ordersByKey ? bodies[i].Body?.Key ?? "" : "", StringComparer.Ordinal);
        await Task.WhenAll(orders.Select(async order =>
        {
            Exception? failed = null;
            foreach (var i in order)
            {
                outcomes[i] = failed ?? bodies[i].Damage ?? await PublishAsync(bodies[i].Body!, stop).ConfigureAwait(false);
                if (outcomes[i] is not (null or InvalidDataException or QueueException { Fault: QueueFault.Refused })) failed ??= outcomes[i];
            }

            async Task<Exception?> PublishAsync(QueueBody body, CancellationToken stop)
            {
                try
                {
                    await publish(queued, body, stop).ConfigureAwait(false);
                    return null;
                }
                catch (Exception e)
                {
                    return e;
                }
            }
        })).ConfigureAwait(false);
        return outcomes;
    }

    (QueueBody? Body, InvalidDataException? Damage) Body(OutboxBatch batch)
    {
        try
        {
            return (StoredMessage.Read(batch.Content, head), null);
        }
        catch (InvalidDataException e)
        {
            return (null, e);
        }
    }

    void Tell(Exception e, int more)
    {
        if (_told.Allows(1, out _)) LogWaiting(Waiting + more, e.Message);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Messages waiting on this disk until the queue accepts them: {Count}. {Message}")]
    partial void LogWaiting(long count, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "Message {Number} of the outbox cannot be published, and stays there until the next start. {Message}")]
    partial void LogSetAside(long number, string message);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Messages in the outbox for a queue other than {Queue}, which stay there until a process publishes to that queue: {Count}")]
    public static partial void LogOthers(ILogger logger, string queue, long count);
}
