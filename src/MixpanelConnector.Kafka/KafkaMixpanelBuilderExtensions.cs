namespace MixpanelConnector.Kafka;

/// <summary>Makes an application's tracker publish to Kafka.</summary>
public static class KafkaMixpanelBuilderExtensions
{
    /// <summary>
    /// Publishes tracked records to a topic instead of sending them; <c>mixpanel consume</c> reads them from there. With <c>UseSqliteOutbox</c>, they are
    /// stored on disk while the broker is unavailable.
    /// </summary>
    /// <param name="builder">The result of <c>AddMixpanel</c>.</param>
    /// <param name="address">The URL of the topic for events, such as <c>kafkas://host/topic</c>. User updates go to a topic with the suffix <c>.profiles</c>,
    /// group updates to one with <c>.groups</c>. It must not contain a password. An invalid URL is reported when the host starts.</param>
    /// <param name="options">How to connect. Default: without authentication.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">The address is empty.</exception>
    public static MixpanelBuilder UseKafka(this MixpanelBuilder builder, string address, QueueOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(address);
        return builder.UseQueue(_ => new MixpanelQueue(address, [KafkaScheme.Instance], options));
    }
}
