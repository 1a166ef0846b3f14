using MixpanelConnector.Queues;

namespace MixpanelConnector.Kafka;

/// <summary>
/// Kafka for <see cref="ConsumeRequest.Schemes"/> and <see cref="TrackerOptions.Queue"/>. The client library is loaded only when a URL is used.
/// </summary>
public sealed class KafkaScheme : QueueScheme
{
    KafkaScheme()
        : base("kafka", port: 9092, securePort: 9093) { }

    /// <summary><c>kafka[s]://HOST:PORT[,HOST:PORT…]/TOPIC</c>: several hosts form one cluster.</summary>
    public static QueueScheme Instance { get; } = new KafkaScheme();

    internal override DeliveryQueue Open(QueueAddress address, QueueOptions options, TimeProvider time)
    {
        if (address.Path.Count > 1) throw new QueueException(QueueFault.Unconfigured, $"{address.Text} has more than a topic in its path.");
        if (options.Declare)
            throw new QueueException(QueueFault.Unconfigured,
                $"{options.Words[Setting.OfQueue(nameof(QueueOptions.Declare))]} creates queues of RabbitMQ: create a topic with Kafka's own tools, which set its partitions and replicas.");
        if (options.Sasl is not (null or "plain" or "scram-sha-256" or "scram-sha-512"))
            throw new QueueException(QueueFault.Unconfigured, "SASL must be plain, scram-sha-256 or scram-sha-512.");
        if (options.Sasl is not null && options.Username is null) throw new QueueException(QueueFault.Unconfigured, "SASL needs a user name.");
        return new KafkaQueue(address, options, time);
    }
}
