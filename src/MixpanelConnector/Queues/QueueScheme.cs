using MixpanelConnector.Queues;

namespace MixpanelConnector;

/// <summary>A scheme of queue addresses, such as <c>amqps://</c>. The packages MixpanelConnector.RabbitMq and MixpanelConnector.Kafka provide some.</summary>
public abstract class QueueScheme
{
    private protected QueueScheme(string name, int port, int securePort) => (Name, Port, SecurePort) = (name, port, securePort);

    /// <summary>The prefix of its addresses, such as <c>amqp</c>; with the suffix <c>s</c>, they mean TLS.</summary>
    public string Name { get; }

    internal int Port { get; }

    internal int SecurePort { get; }

    /// <summary>The scheme's name.</summary>
    public override string ToString() => Name;

    /// <summary>Creates the queue at an address. Does not connect yet.</summary>
    /// <exception cref="QueueException">The address or a setting is invalid.</exception>
    internal abstract DeliveryQueue Open(QueueAddress address, QueueOptions options, TimeProvider time);

    internal bool Holds(string address) =>
        address.StartsWith($"{Name}://", StringComparison.OrdinalIgnoreCase) || address.StartsWith($"{Name}s://", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="MixpanelException">No scheme supports the address, or a setting is invalid.</exception>
    internal static DeliveryQueue Open(string address, IReadOnlyList<QueueScheme> schemes, QueueOptions options, TimeProvider time, string field)
    {
        var scheme = schemes.FirstOrDefault(scheme => scheme.Holds(address))
            ?? throw MixpanelException.Invalid(field,
                $"The URL of a queue must begin with {string.Join(" or ", schemes.SelectMany(scheme => (string[])[$"{scheme.Name}://", $"{scheme.Name}s://"]))}.");
        try
        {
            var parsed = QueueAddress.Parse(address, scheme, options.Words);
            if (!parsed.IsSecure && !options.Plaintext && parsed.Hosts.Any(host => !host.IsLoopback))
                throw new QueueException(QueueFault.Unconfigured,
                    $"{parsed.Text} is on another machine and has no TLS: messages and the password could be read in transit. Use {scheme.Name}s://, "
                    + $"or allow it with {options.Words[Setting.OfQueue(nameof(QueueOptions.Plaintext))]}.");
            return scheme.Open(parsed, options, time);
        }
        catch (QueueException e) when (e.Fault is QueueFault.Unconfigured)
        {
            throw new MixpanelException(MixpanelError.Invalid(field, e.Message), e);
        }
    }
}
