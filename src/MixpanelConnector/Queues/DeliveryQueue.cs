namespace MixpanelConnector.Queues;

/// <summary>A queue of a message broker: published messages are delivered until they are acknowledged.</summary>
abstract class DeliveryQueue : IAsyncDisposable
{
    /// <summary>Starts consuming.</summary>
    /// <exception cref="QueueException">The broker refuses it or cannot be reached.</exception>
    public abstract Task<QueueConsumer> ConsumeAsync(ConsumeLimits limits, CancellationToken cancellationToken);

    /// <summary>The name of the queue.</summary>
    public abstract string Name { get; }

    /// <summary>Whether order is kept only among messages with the same key.</summary>
    public abstract bool OrdersByKey { get; }

    /// <summary>Connects for publishing, to the queue itself or to another of the same broker.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isLast">Whether its messages go nowhere else, so that it needs no dead-letter queue of its own when it is created.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="QueueException">The broker refuses it or cannot be reached.</exception>
    public abstract Task<QueuePublisher> PublishAsync(string name, bool isLast, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>The limits for messages that a consumer holds unacknowledged.</summary>
/// <param name="Bytes">The maximum size of their bodies in bytes; a single message may exceed it.</param>
/// <param name="Messages">The maximum number of messages.</param>
/// <param name="UntilEmpty">Whether to stop when nothing is left.</param>
sealed record ConsumeLimits(long Bytes, int Messages, bool UntilEmpty);

/// <summary>A connection for receiving messages. Messages that it still holds when it is disposed are returned to the queue.</summary>
abstract class QueueConsumer : IAsyncDisposable
{
    /// <summary>How long the oldest message has been held that is neither acknowledged nor returned.</summary>
    public abstract TimeSpan OldestHeld { get; }

    /// <summary>The number of held messages, including those not received by the caller yet.</summary>
    public abstract int Held { get; }

    /// <summary>Whether no other message arrives before one of the held messages is acknowledged.</summary>
    public abstract bool IsFull { get; }

    /// <summary>Returns the next message; null when nothing is left and the consumer is to stop then.</summary>
    /// <exception cref="QueueException">The connection is lost: messages received over it cannot be acknowledged any more.</exception>
    public abstract ValueTask<QueueMessage?> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>Acknowledges messages.</summary>
    /// <exception cref="QueueException">The connection is lost: they may be redelivered.</exception>
    public abstract Task SettleAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken);

    /// <summary>Makes the broker remember that messages may have been sent, before they are; not needed where it does so by itself.</summary>
    /// <exception cref="QueueException">The broker failed to remember it.</exception>
    public virtual Task MarkSentAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Stops receiving, and returns the messages that are not acknowledged.</summary>
    public abstract Task GiveBackAsync(CancellationToken cancellationToken);

    /// <summary>Returns the number of messages that are left in the queue.</summary>
    /// <exception cref="QueueException">The broker does not report it.</exception>
    public abstract Task<long> LagAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>A connection for publishing messages. Thread-safe.</summary>
abstract class QueuePublisher : IAsyncDisposable
{
    /// <summary>Whether it can still be used to publish.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>Publishes a message. Completes when the broker has confirmed it, on as many of its nodes as it promises.</summary>
    /// <exception cref="QueueException">The broker refuses it, or did not confirm it in time: then it may have arrived.</exception>
    public abstract Task PublishAsync(QueueBody body, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
