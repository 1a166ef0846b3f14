using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MixpanelConnector.Queues;

namespace MixpanelConnector;

/// <summary>
/// A queue that others run, to which events and updates of profiles are published in place of being sent to Mixpanel; <c>mixpanel consume</c>
/// takes them from there. Events go to the queue of the address, updates of users to one of its name with <c>.profiles</c> behind it, those of
/// groups to one with <c>.groups</c>. Connected when it is first used. May be used by several at a time.
/// </summary>
public sealed class MixpanelQueue : IAsyncDisposable, IDisposable
{
    readonly DeliveryQueue _queue;
    readonly PublisherLink[] _links;
    readonly QueueOutbox? _outbox;
    readonly Lock _lock = new();
    Task? _closing;

    /// <summary>Names a queue. Nothing is connected yet.</summary>
    /// <param name="address">Its address, such as <c>amqps://host/queue</c>. It holds no password.</param>
    /// <param name="schemes">What such addresses lead to. MixpanelConnector.RabbitMq and MixpanelConnector.Kafka hold some.</param>
    /// <param name="options">How it is reached. Default: with the broker's own credentials.</param>
    /// <param name="outbox">Where messages are kept while the broker is away or full, for who waits for an answer: <c>MixpanelConnector.Sqlite</c> has one. What may not be published twice, such as <c>$add</c>, is not kept. Disposed with the queue. Default: none, and nothing is taken then. A tracker has one of its own.</param>
    /// <param name="loggers">Are told what is kept, and what cannot be published. Default: nobody is.</param>
    /// <exception cref="MixpanelException">There is no queue at such an address, or a setting does not fit.</exception>
    /// <exception cref="OutboxException">The outbox cannot be read.</exception>
    public MixpanelQueue(string address, IReadOnlyList<QueueScheme> schemes, QueueOptions? options = null, ITrackerOutbox? outbox = null, ILoggerFactory? loggers = null)
        : this(address, schemes, options, outbox, loggers, TimeProvider.System)
    {
    }

    internal MixpanelQueue(string address, IReadOnlyList<QueueScheme> schemes, QueueOptions? options, ITrackerOutbox? outbox, ILoggerFactory? loggers, TimeProvider time)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        ArgumentNullException.ThrowIfNull(schemes);
        try
        {
            _queue = QueueScheme.Open(address, schemes, options ?? new(), time, "queue");
        }
        catch
        {
            outbox?.Dispose(); // nobody else will
            throw;
        }

        _links = [new(_queue, _queue.Name, time), new(_queue, $"{_queue.Name}.profiles", time), new(_queue, $"{_queue.Name}.groups", time)];
        if (outbox is not null) _outbox = new QueueOutbox(outbox, _queue.Name, _queue.OrdersByKey, ToBrokerAsync, time, HarmlessLogger.Create(new MixpanelOptions { LoggerFactory = loggers ?? NullLoggerFactory.Instance }, "MixpanelConnector.Queue"));
    }

    internal bool OrdersByKey => _queue.OrdersByKey;

    /// <summary>Publishes a message, and waits until the broker has it for certain, or it is kept until the broker takes it.</summary>
    /// <param name="kind">What it holds.</param>
    /// <param name="body">The message.</param>
    /// <param name="isRepeatable">Whether it may be published twice.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="QueueException">The broker does not take it, or did not say in time that it has it.</exception>
    internal Task PublishAsync(QueuedKind kind, QueueBody body, bool isRepeatable, CancellationToken cancellationToken) =>
        _outbox is { } outbox ? outbox.PublishAsync(kind, body, isRepeatable, cancellationToken) : ToBrokerAsync(kind, body, cancellationToken);

    Task ToBrokerAsync(QueuedKind kind, QueueBody body, CancellationToken cancellationToken) => _links[(int)kind].PublishAsync(body, cancellationToken);

    /// <summary>Closes its connections. Whoever calls it again waits for the first.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock) return new(_closing ??= Task.Run(CloseAsync));
    }

    /// <summary>As <see cref="DisposeAsync"/>, on a blocked thread. Prefer <c>await using</c>.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    async Task CloseAsync()
    {
        if (_outbox is not null) await _outbox.DisposeAsync().ConfigureAwait(false);
        foreach (var link in _links) await link.DisposeAsync().ConfigureAwait(false);
        await _queue.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>What messages hold, each kind in a queue of its own.</summary>
enum QueuedKind
{
    Events,
    Profiles,
    Groups,
}
