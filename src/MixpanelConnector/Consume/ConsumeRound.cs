using MixpanelConnector.Queues;

namespace MixpanelConnector.Consume;

/// <summary>
/// A connection, and the order in which its round ends: first no more messages are received, then nothing more is sent, then the waits for the broker end.
/// </summary>
sealed class ConsumeRound : IAsyncDisposable
{
    /// <summary>Messages lost with a connection may still be finished in this time; the ledger remembers them.</summary>
    static readonly TimeSpan LostPatience = TimeSpan.FromSeconds(5);

    readonly QueueConsumer _consumer;
    readonly TimeProvider _time;
    readonly TimeSpan _most;
    readonly TimeSpan _grace;
    readonly CancellationTokenSource _drain;
    readonly CancellationTokenSource _stop;
    readonly CancellationTokenSource _abandon;
    readonly CancellationTokenSource _over = new();
    readonly CancellationTokenRegistration _caller;
    QueueException? _lost;

    public ConsumeRound(QueueConsumer consumer, ConsumeRequest request, TimeProvider time, TimeSpan grace, TimeSpan patience, CancellationToken caller)
    {
        (_consumer, _time, _grace) = (consumer, time, grace);
        _most = request.ConsumerTimeout / 2;
        _drain = new CancellationTokenSource();
        _stop = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _abandon = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _caller = caller.Register(() => StopAfter(patience));
    }

    /// <summary>Canceled when no more messages are to be received.</summary>
    public CancellationToken Draining => _drain.Token;

    /// <summary>Canceled when nothing more is to be sent.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Canceled when waits for the broker are to end.</summary>
    public CancellationToken Abandon => _abandon.Token;

    /// <summary>Canceled when the import of the round has ended.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Why the connection was lost; null while it is open.</summary>
    public QueueException? Lost => _lost;

    /// <summary>The time for which a message was held that is to be returned; null when none was held for too long.</summary>
    public TimeSpan? HeldTooLong { get; private set; }

    /// <summary>Whether another round follows.</summary>
    public bool GoesOn => _lost is not null || HeldTooLong is not null;

    /// <summary>Notes that the connection is lost.</summary>
    public void Lose(QueueException why)
    {
        if (Interlocked.CompareExchange(ref _lost, why, null) is null) StopAfter(LostPatience);
    }

    /// <summary>Notes that the connection is lost, and that pending records must not be sent.</summary>
    public void LoseAtOnce(QueueException why)
    {
        Interlocked.CompareExchange(ref _lost, why, null);
        StopAfter(TimeSpan.Zero);
    }

    /// <summary>Notes that no more messages will arrive.</summary>
    public void End(QueueException? why)
    {
        if (why is not null) Lose(why);
    }

    /// <summary>Ends the round before the broker takes a message back by itself.</summary>
    public async Task WatchAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            if (_consumer.OldestHeld is var held && held >= _most && HeldTooLong is null)
            {
                HeldTooLong = held;
                StopAfter(TimeSpan.Zero);
            }

            await Task.Delay(_most / 20, _time, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public Task CloseAsync() => _over.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await _caller.DisposeAsync().ConfigureAwait(false);
        _drain.Dispose();
        _stop.Dispose();
        _abandon.Dispose();
        _over.Dispose();
    }

    void StopAfter(TimeSpan patience)
    {
        _abandon.CancelAfter(patience + (2 * _grace));
        if (patience > TimeSpan.Zero) _stop.CancelAfter(patience);
        else _stop.Cancel();
        _drain.Cancel();
    }
}
