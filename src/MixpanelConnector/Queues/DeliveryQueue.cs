namespace MixpanelConnector.Queues;

/// <summary>A queue that others run: messages that were published are delivered until they are settled.</summary>
abstract class DeliveryQueue : IAsyncDisposable
{
    /// <summary>Begins to take messages.</summary>
    /// <exception cref="QueueException">It cannot be done.</exception>
    public abstract Task<QueueConsumer> ConsumeAsync(ConsumeLimits limits, CancellationToken cancellationToken);

    /// <summary>The queue's own name.</summary>
    public abstract string Name { get; }

    /// <summary>Whether messages of one key keep their order, and others need not.</summary>
    public abstract bool OrdersByKey { get; }

    /// <summary>Begins to publish, to the queue itself or to another of the same broker.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isLast">Whether what lies there goes nowhere else, so that it needs no dead letters of its own where it is made.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="QueueException">It cannot be done.</exception>
    public abstract Task<QueuePublisher> PublishAsync(string name, bool isLast, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>How much a consumer holds ahead of what is settled.</summary>
/// <param name="Bytes">The most bytes of bodies, but for one message.</param>
/// <param name="Messages">The most messages.</param>
/// <param name="UntilEmpty">Whether it ends when nothing is left.</param>
sealed record ConsumeLimits(long Bytes, int Messages, bool UntilEmpty);

/// <summary>One connection over which messages are taken. What it still holds when it is disposed is given back.</summary>
abstract class QueueConsumer : IAsyncDisposable
{
    /// <summary>How long the oldest message is held that is neither settled nor given back.</summary>
    public abstract TimeSpan OldestHeld { get; }

    /// <summary>How many are held, those included that nobody has received yet.</summary>
    public abstract int Held { get; }

    /// <summary>Whether no other message comes before one of those that are held is settled.</summary>
    public abstract bool IsFull { get; }

    /// <summary>The next message; null when nothing is left, where it is to end then.</summary>
    /// <exception cref="QueueException">The connection is gone: what was received over it cannot be settled any more.</exception>
    public abstract ValueTask<QueueMessage?> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>Tells the broker that messages are done with.</summary>
    /// <exception cref="QueueException">The connection is gone: they may be delivered again.</exception>
    public abstract Task SettleAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken);

    /// <summary>Has the broker remember, where it does not by itself, that messages may have been sent, before they are.</summary>
    /// <exception cref="QueueException">It does not.</exception>
    public virtual Task MarkSentAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Takes nothing more, and gives back what is not settled.</summary>
    public abstract Task GiveBackAsync(CancellationToken cancellationToken);

    /// <summary>The messages that are left in the queue.</summary>
    /// <exception cref="QueueException">The broker does not tell.</exception>
    public abstract Task<long> LagAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>One connection over which messages are published. May be used by several at a time.</summary>
abstract class QueuePublisher : IAsyncDisposable
{
    /// <summary>Whether more can be published over it.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>Publishes a message. Completes when the broker has it for certain, on as many of its machines as it promises.</summary>
    /// <exception cref="QueueException">The broker does not take it, or did not say in time that it has it: then it may have it.</exception>
    public abstract Task PublishAsync(QueueBody body, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
