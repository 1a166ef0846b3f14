using MixpanelConnector.Queues;
using RabbitMQ.Client;

namespace MixpanelConnector.RabbitMq;

/// <summary>A RabbitMQ queue. Each consumer and each publisher has its own connection: a broker that applies backpressure blocks publishers only.</summary>
sealed class RabbitMqQueue(QueueAddress address, QueueOptions options, TimeProvider time) : DeliveryQueue
{
    /// <summary>
    /// After this many deliveries the message itself is the cause of failures: an outage of Mixpanel uses up one delivery, and so does each killed process.
    /// </summary>
    const int DeliveryLimit = 1000;

    public override string Name => address.Path[^1];

    public override bool OrdersByKey => false;

    public override async Task<QueueConsumer> ConsumeAsync(ConsumeLimits limits, CancellationToken cancellationToken)
    {
        if (options.Declare) await DeclareAsync(Name, withDeadLetters: true, cancellationToken).ConfigureAwait(false);
        var connection = await RabbitMqConnection.OpenAsync(address, options, time, kind: null, cancellationToken).ConfigureAwait(false);
        return await RabbitMqConsumer.BeginAsync(connection, Name, address, limits, time, cancellationToken).ConfigureAwait(false);
    }

    public override async Task<QueuePublisher> PublishAsync(string name, bool isLast, CancellationToken cancellationToken)
    {
        if (options.Declare) await DeclareAsync(name, withDeadLetters: !isLast, cancellationToken).ConfigureAwait(false);
        var confirmed = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
        var connection = await RabbitMqConnection.OpenAsync(address, options, time, confirmed, cancellationToken).ConfigureAwait(false);
        try
        {
            await connection.CallAsync((channel, token) => channel.QueueDeclarePassiveAsync(name, token), cancellationToken).ConfigureAwait(false);
            return new RabbitMqPublisher(connection, name, string.Join(", ", address.Hosts), options.Timeout, time);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public override ValueTask DisposeAsync() => default;

    /// <summary>Declares a queue if it does not exist. An existing queue is left unchanged.</summary>
    async Task DeclareAsync(string name, bool withDeadLetters, CancellationToken cancellationToken)
    {
        if (await ExistsAsync(name, cancellationToken).ConfigureAwait(false)) return;
        var arguments = new Dictionary<string, object?>(StringComparer.Ordinal) { ["x-queue-type"] = "quorum" };
        if (withDeadLetters)
        {
            var dead = $"{name}.dead";
            await DeclareAsync(dead, withDeadLetters: false, cancellationToken).ConfigureAwait(false);
            arguments["x-delivery-limit"] = DeliveryLimit;
            arguments["x-dead-letter-exchange"] = "";
            arguments["x-dead-letter-routing-key"] = dead;
            arguments["x-dead-letter-strategy"] = "at-least-once";
            arguments["x-overflow"] = "reject-publish";
        }

        var connection = await RabbitMqConnection.OpenAsync(address, options, time, kind: null, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
            await connection.CallAsync(
                (channel, token) => channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, arguments, passive: false,
                    noWait: false, token),
                cancellationToken).ConfigureAwait(false);
    }

    async Task<bool> ExistsAsync(string name, CancellationToken cancellationToken)
    {
        var connection = await RabbitMqConnection.OpenAsync(address, options, time, kind: null, cancellationToken).ConfigureAwait(false);
        try
        {
            await using (connection.ConfigureAwait(false))
                await connection.CallAsync((channel, token) => channel.QueueDeclarePassiveAsync(name, token), cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (QueueException e) when (e.Fault is QueueFault.Missing)
        {
            return false;
        }
    }
}
