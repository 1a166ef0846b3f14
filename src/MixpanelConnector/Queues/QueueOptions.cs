namespace MixpanelConnector;

/// <summary>How to connect to a queue. Immutable: change a copy with <c>with</c>.</summary>
public sealed record QueueOptions
{
    /// <summary>The user name. Default: null, which means RabbitMQ's own <c>guest</c>, and Kafka without SASL.</summary>
    public string? Username { get; init; }

    /// <summary>The user's password. Default: null, as for the name.</summary>
    public MixpanelSecret? Password { get; init; }

    /// <summary>
    /// The SASL mechanism for Kafka: <c>plain</c>, <c>scram-sha-256</c> or <c>scram-sha-512</c>. Default: null, which means <c>plain</c> when there is a user
    /// name.
    /// </summary>
    public string? Sasl { get; init; }

    /// <summary>
    /// A PEM file with the certificates that the broker's certificate must chain to. Default: null, which means those that the system trusts.
    /// </summary>
    public string? CaFile { get; init; }

    /// <summary>Whether a broker on another machine may be reached without TLS. Default: false.</summary>
    public bool Plaintext { get; init; }

    /// <summary>The Kafka consumer group that shares a topic. Default: <c>mixpanel</c>.</summary>
    public string Group { get; init; } = "mixpanel";

    /// <summary>
    /// Whether a RabbitMQ queue that does not exist is created: a quorum queue with a delivery limit and a dead-letter queue of its own. Default: false.
    /// </summary>
    public bool Declare { get; init; }

    /// <summary>The timeout for an answer of the broker, such as to a connection or for a confirmation. Default: 30 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How messages refer to these settings. Default: by the names of this library.</summary>
    public MessageWords Words { get; init; } = MessageWords.Default;
}
