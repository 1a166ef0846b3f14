using MixpanelConnector.Queues;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace MixpanelConnector.RabbitMq;

/// <summary>Publishes with confirmations: for a quorum queue, a message is confirmed when a majority has it on disk.</summary>
sealed class RabbitMqPublisher(RabbitMqConnection connection, string name, string broker, TimeSpan timeout, TimeProvider time) : QueuePublisher
{
    public override bool IsOpen => connection.Channel.IsOpen;

    public override async Task PublishAsync(QueueBody body, CancellationToken cancellationToken)
    {
        var properties = new BasicProperties
        {
            ContentType = QueueBody.ContentType,
            ContentEncoding = body.ContentEncoding,
            DeliveryMode = DeliveryModes.Persistent,
            MessageId = body.Id,
            Headers = new Dictionary<string, object?>(StringComparer.Ordinal) { [QueueBody.VersionName] = QueueBody.CurrentVersion },
        };
        try
        {
            // Several publishers may wait for confirmations concurrently, so this does not queue for the channel.
            await connection.Channel.BasicPublishAsync("", name, mandatory: true, properties, body.Body, cancellationToken).AsTask()
                .WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (PublishException e) when (e.IsReturn)
        {
            throw new QueueException(QueueFault.Missing, $"RabbitMQ has no queue {name}.", e);
        }
        catch (PublishException e)
        {
            throw new QueueException(QueueFault.Full, $"The queue {name} accepts no more messages: it is full, or has lost its majority.", e);
        }
        catch (Exception e) when (RabbitMqConnection.IsBrokers(e, cancellationToken))
        {
            throw RabbitMqConnection.Translate(e, broker, connection.Words);
        }
    }

    public override ValueTask DisposeAsync() => connection.DisposeAsync();
}
