using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace MixpanelConnector.Kafka.Tests;

/// <summary>The three mock brokers of librdkafka: in memory, some megabytes per partition, four partitions per topic. No real Kafka broker is tested.</summary>
public sealed class Cluster : IDisposable
{
    readonly IProducer<string?, byte[]> _producer = new ProducerBuilder<string?, byte[]>(new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["test.mock.num.brokers"] = "3",
        ["bootstrap.servers"] = "127.0.0.1:1",
    }).SetLogHandler(static (_, _) => { }).Build();

    static int s_topics;

    /// <summary>Creates a topic and returns its address.</summary>
    public string NewTopic(out string topic)
    {
        topic = string.Create(CultureInfo.InvariantCulture, $"t{Interlocked.Increment(ref s_topics)}");
        using var admin = new DependentAdminClientBuilder(_producer.Handle).Build();
        while (true)
        {
            var metadata = admin.GetMetadata(topic, TimeSpan.FromMinutes(1));
            if (metadata.Topics[0].Partitions.Count > 0 && metadata.Topics[0].Partitions.TrueForAll(partition => partition.Leader >= 0))
                return $"kafka://{string.Join(',', metadata.Brokers.Select(broker => string.Create(CultureInfo.InvariantCulture, $"{broker.Host}:{broker.Port}")))}/{topic}";
        }
    }

    public async Task PublishAsync(string topic, IEnumerable<(string? Key, string Body)> messages) =>
        await Task.WhenAll(messages.Select(message => _producer.ProduceAsync(topic,
            new Message<string?, byte[]> { Key = message.Key, Value = Encoding.UTF8.GetBytes(message.Body) })));

    public void Dispose() => _producer.Dispose();
}
