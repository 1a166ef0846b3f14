using MixpanelConnector.Queues;

namespace MixpanelConnector.RabbitMq;

/// <summary>
/// RabbitMQ for <see cref="ConsumeRequest.Schemes"/> and <see cref="TrackerOptions.Queue"/>. The client library is loaded only when a URL is used.
/// </summary>
public sealed class RabbitMqScheme : QueueScheme
{
    RabbitMqScheme()
        : base("amqp", port: 5672, securePort: 5671) { }

    /// <summary>
    /// <c>amqp[s]://HOST[:PORT][,HOST[:PORT]…]/[VHOST/]QUEUE</c>: several hosts form one cluster and are tried in turn; names are percent-encoded.
    /// </summary>
    public static QueueScheme Instance { get; } = new RabbitMqScheme();

    internal override DeliveryQueue Open(QueueAddress address, QueueOptions options, TimeProvider time)
    {
        if (address.Path.Count > 2)
            throw new QueueException(QueueFault.Unconfigured,
                $"{address.Text} has more than a virtual host and a queue in its path: write a slash in a name as %2F.");
        return new RabbitMqQueue(address, options, time);
    }
}
