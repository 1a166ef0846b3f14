using System.Text;
using Confluent.Kafka;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Kafka;

/// <summary>Publishes idempotently; a message is confirmed when all in-sync replicas have it.</summary>
sealed class KafkaPublisher(IProducer<string?, byte[]> producer, string topic, KafkaErrors errors, TimeSpan timeout, TimeProvider time) : QueuePublisher
{
    public override bool IsOpen => errors.Fatal is null;

    public override async Task PublishAsync(QueueBody body, CancellationToken cancellationToken)
    {
        var headers = new Headers
        {
            { "content-type", Encoding.UTF8.GetBytes(QueueBody.ContentType) },
            { QueueBody.VersionName, Encoding.UTF8.GetBytes(QueueBody.CurrentVersion) },
        };
        if (body.ContentEncoding is { } encoding) headers.Add("content-encoding", Encoding.UTF8.GetBytes(encoding));
        if (body.Id is { } id) headers.Add("message-id", Encoding.UTF8.GetBytes(id));
        try
        {
            await producer.ProduceAsync(topic, new Message<string?, byte[]> { Key = body.Key, Value = body.Body.ToArray(), Headers = headers },
                cancellationToken)
                .WaitAsync(timeout * 2, time, cancellationToken).ConfigureAwait(false);
            errors.Clear();
        }
        catch (KafkaException e)
        {
            throw errors.Of(e.Error, e);
        }
        catch (TimeoutException e)
        {
            throw new QueueException(QueueFault.Unavailable, $"Kafka at {errors.Brokers} did not confirm in time.", e);
        }
    }

    public override async ValueTask DisposeAsync() => await Task.Run(producer.Dispose).ConfigureAwait(false);
}
