using MixpanelConnector.Queues;

namespace MixpanelConnector;

/// <summary>Addresses of queues that others run, such as those that begin with <c>amqps://</c>. The packages MixpanelConnector.RabbitMq and MixpanelConnector.Kafka hold some.</summary>
public abstract class QueueScheme
{
    private protected QueueScheme(string name, int port, int securePort) => (Name, Port, SecurePort) = (name, port, securePort);

    /// <summary>What its addresses begin with, such as <c>amqp</c>; with an <c>s</c> behind it, they mean TLS.</summary>
    public string Name { get; }

    internal int Port { get; }

    internal int SecurePort { get; }

    /// <summary>The scheme's name.</summary>
    public override string ToString() => Name;

    /// <summary>The queue at an address. Nothing is connected yet.</summary>
    /// <exception cref="QueueException">The address or a setting does not fit.</exception>
    internal abstract DeliveryQueue Open(QueueAddress address, QueueOptions options, TimeProvider time);

    internal bool Holds(string address) => address.StartsWith($"{Name}://", StringComparison.OrdinalIgnoreCase) || address.StartsWith($"{Name}s://", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="MixpanelException">There is no queue at such an address, or a setting does not fit.</exception>
    internal static DeliveryQueue Open(string address, IReadOnlyList<QueueScheme> schemes, QueueOptions options, TimeProvider time, string field)
    {
        var scheme = schemes.FirstOrDefault(scheme => scheme.Holds(address))
            ?? throw MixpanelException.Invalid(field, $"The address of a queue begins with {string.Join(" or ", schemes.SelectMany(scheme => (string[])[$"{scheme.Name}://", $"{scheme.Name}s://"]))}.");
        try
        {
            var parsed = QueueAddress.Parse(address, scheme);
            if (!parsed.IsSecure && !options.Plaintext && parsed.Hosts.Any(host => !host.IsLoopback))
                throw new QueueException(QueueFault.Unconfigured, $"{parsed.Text} is not on this machine, and has no TLS: what is sent, and the password, could be read on the way. Use {scheme.Name}s://, or allow it with --plaintext.");
            return scheme.Open(parsed, options, time);
        }
        catch (QueueException e) when (e.Fault is QueueFault.Unconfigured)
        {
            throw new MixpanelException(MixpanelError.Invalid(field, e.Message), e);
        }
    }
}
