namespace MixpanelConnector.Kafka;

/// <summary>Has an application's tracker publish to Kafka.</summary>
public static class KafkaMixpanelBuilderExtensions
{
    /// <summary>Publishes what is tracked to a topic in place of sending it; <c>mixpanel consume</c> takes it from there. With <c>UseSqliteOutbox</c> it is kept on the disk while the broker is away.</summary>
    /// <param name="builder">What <c>AddMixpanel</c> gave.</param>
    /// <param name="address">The address of the topic for events, such as <c>kafkas://host/topic</c>; updates of users go to one of its name with <c>.profiles</c> behind it, those of groups to one with <c>.groups</c>. It holds no password. One that does not fit is told when the host starts.</param>
    /// <param name="options">How it is reached. Default: with the broker's own credentials.</param>
    public static MixpanelBuilder UseKafka(this MixpanelBuilder builder, string address, QueueOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(address);
        return builder.UseQueue(_ => new MixpanelQueue(address, [KafkaScheme.Instance], options));
    }
}
