using MixpanelConnector.Queues;

namespace MixpanelConnector.Consume;

/// <summary>One connection, and what ends its round: first nothing more is taken, then nothing more is sent, then nothing is waited for.</summary>
sealed class ConsumeRound : IAsyncDisposable
{
    /// <summary>What is lost with a connection may still find its end, which is remembered then.</summary>
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

    /// <summary>Take nothing more.</summary>
    public CancellationToken Draining => _drain.Token;

    /// <summary>Send nothing more.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Wait no longer for the broker.</summary>
    public CancellationToken Abandon => _abandon.Token;

    /// <summary>Its import has ended.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Why the connection is gone; null while it is not.</summary>
    public QueueException? Lost => _lost;

    /// <summary>For how long a message was held that is to be given back; null where none was held for too long.</summary>
    public TimeSpan? HeldTooLong { get; private set; }

    /// <summary>Whether another round follows.</summary>
    public bool GoesOn => _lost is not null || HeldTooLong is not null;

    /// <summary>The connection is gone.</summary>
    public void Lose(QueueException why)
    {
        if (Interlocked.CompareExchange(ref _lost, why, null) is null) StopAfter(LostPatience);
    }

    /// <summary>The connection is gone, and what is about to be sent must not be.</summary>
    public void LoseAtOnce(QueueException why)
    {
        Interlocked.CompareExchange(ref _lost, why, null);
        StopAfter(TimeSpan.Zero);
    }

    /// <summary>No message comes any more.</summary>
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
