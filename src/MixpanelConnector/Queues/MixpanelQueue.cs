using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MixpanelConnector.Queues;

namespace MixpanelConnector;

/// <summary>
/// A queue of a message broker to which events and profile updates are published instead of being sent to Mixpanel; <c>mixpanel consume</c>
/// receives them from there. Events go to the queue of the address, user profile updates to a queue of that name with the suffix <c>.profiles</c>,
/// group profile updates to one with <c>.groups</c>. Connects on first use. Thread-safe.
/// </summary>
public sealed class MixpanelQueue : IAsyncDisposable, IDisposable
{
    readonly DeliveryQueue _queue;
    readonly PublisherLink[] _links;
    readonly QueueOutbox? _outbox;
    readonly Lock _lock = new();
    Task? _closing;

    /// <summary>Creates a queue. Does not connect yet.</summary>
    /// <param name="address">Its address, such as <c>amqps://host/queue</c>. It contains no password.</param>
    /// <param name="schemes">The supported address schemes. MixpanelConnector.RabbitMq and MixpanelConnector.Kafka provide some.</param>
    /// <param name="options">How to connect. Default: with the broker's default credentials.</param>
    /// <param name="outbox">Stores messages while the broker is unavailable or full, for callers that wait for an answer: <c>MixpanelConnector.Sqlite</c> has
    /// one. Messages that must not be published twice, such as <c>$add</c>, are not stored. Disposed with the queue. Default: none; then nothing is accepted
    /// while the broker is unavailable. A tracker has an outbox of its own.</param>
    /// <param name="loggers">Log stored messages, and those that cannot be published. Default: no logging.</param>
    /// <exception cref="MixpanelException">No scheme supports the address, or a setting is invalid.</exception>
    /// <exception cref="OutboxException">The outbox cannot be read.</exception>
    public MixpanelQueue(string address, IReadOnlyList<QueueScheme> schemes, QueueOptions? options = null, ITrackerOutbox? outbox = null,
        ILoggerFactory? loggers = null)
        : this(address, schemes, options, outbox, loggers, TimeProvider.System)
    {
    }

    internal MixpanelQueue(string address, IReadOnlyList<QueueScheme> schemes, QueueOptions? options, ITrackerOutbox? outbox, ILoggerFactory? loggers,
        TimeProvider time)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        ArgumentNullException.ThrowIfNull(schemes);
        try
        {
            _queue = QueueScheme.Open(address, schemes, options ?? new(), time, "queue");
        }
        catch
        {
            outbox?.Dispose(); // nothing else disposes it
            throw;
        }

        _links = [new(_queue, _queue.Name, time), new(_queue, $"{_queue.Name}.profiles", time), new(_queue, $"{_queue.Name}.groups", time)];
        if (outbox is not null)
            _outbox = new QueueOutbox(outbox, _queue.Name, _queue.OrdersByKey, ToBrokerAsync, time,
                HarmlessLogger.Create(new MixpanelOptions { LoggerFactory = loggers ?? NullLoggerFactory.Instance }, "MixpanelConnector.Queue"));
    }

    internal bool OrdersByKey => _queue.OrdersByKey;

    /// <summary>Publishes a message, and waits until the broker has confirmed it, or it is stored in the outbox.</summary>
    /// <param name="kind">The kind of its records.</param>
    /// <param name="body">The message.</param>
    /// <param name="isRepeatable">Whether it may be published twice.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="QueueException">The broker refuses it, or did not confirm it in time.</exception>
    internal Task PublishAsync(QueuedKind kind, QueueBody body, bool isRepeatable, CancellationToken cancellationToken) =>
        Volatile.Read(ref _closing) is not null ? throw new QueueException(QueueFault.Unavailable,
            $"The {nameof(MixpanelQueue)} was disposed. Dispose it after everything that publishes to it.")
        : _outbox is { } outbox ? outbox.PublishAsync(kind, body, isRepeatable, cancellationToken) : ToBrokerAsync(kind, body, cancellationToken);

    Task ToBrokerAsync(QueuedKind kind, QueueBody body, CancellationToken cancellationToken) => _links[(int)kind].PublishAsync(body, cancellationToken);

    /// <summary>Closes its connections. Further calls wait for the first.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock) return new(_closing ??= Task.Run(CloseAsync));
    }

    /// <summary>Like <see cref="DisposeAsync"/>, but blocks the thread. Prefer <c>await using</c>.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    async Task CloseAsync()
    {
        if (_outbox is not null) await _outbox.DisposeAsync().ConfigureAwait(false);
        foreach (var link in _links) await link.DisposeAsync().ConfigureAwait(false);
        await _queue.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>The kinds of records in messages, each in a queue of its own.</summary>
enum QueuedKind
{
    Events,
    Profiles,
    Groups,
}
