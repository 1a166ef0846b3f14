namespace MixpanelConnector;

/// <summary>How a queue is reached. Immutable: change a copy with <c>with</c>.</summary>
public sealed record QueueOptions
{
    /// <summary>The name of the user. Default: null, which means RabbitMQ's own <c>guest</c>, and Kafka without SASL.</summary>
    public string? Username { get; init; }

    /// <summary>The user's password. Default: null, as for the name.</summary>
    public Secret? Password { get; init; }

    /// <summary>How Kafka is told the password: <c>plain</c>, <c>scram-sha-256</c> or <c>scram-sha-512</c>. Default: null, which means <c>plain</c> where there is a name.</summary>
    public string? Sasl { get; init; }

    /// <summary>A file with the certificates, as PEM, that the broker's must come from. Default: null, which means those that the system trusts.</summary>
    public string? CaFile { get; init; }

    /// <summary>Whether a broker beyond this machine may be reached without TLS. Default: false.</summary>
    public bool Plaintext { get; init; }

    /// <summary>The group of consumers that share a topic of Kafka. Default: <c>mixpanel</c>.</summary>
    public string Group { get; init; } = "mixpanel";

    /// <summary>Whether a queue of RabbitMQ that does not exist is made: a quorum queue with a delivery limit and a dead-letter queue of its own. Default: false.</summary>
    public bool Declare { get; init; }

    /// <summary>How long the broker gets for an answer, such as to a connection or for a confirmation. Default: 30 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);
}
