using Microsoft.Extensions.Logging;
using MixpanelConnector.Kafka;
using MixpanelConnector.RabbitMq;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>How this program connects to external message queues.</summary>
static class QueueSettings
{
    public const string Address = "MIXPANEL_QUEUE", Username = "MIXPANEL_QUEUE_USERNAME", Password = "MIXPANEL_QUEUE_PASSWORD";

    /// <summary>The supported address schemes. A broker's client library is loaded only when it is used.</summary>
    public static IReadOnlyList<QueueScheme> Schemes { get; } = [RabbitMqScheme.Instance, KafkaScheme.Instance];

    /// <summary>The queue that events and updates are published to; null if none is specified.</summary>
    /// <param name="host">The environment of the program.</param>
    /// <param name="log">The log for messages that cannot be published.</param>
    /// <param name="address">The address from an option.</param>
    /// <param name="declare">Whether queues that do not exist are created.</param>
    /// <param name="outbox">The folder in which messages wait while the broker does not accept any; null if they are not stored.</param>
    public static MixpanelQueue? Of(HostEnvironment host, ILoggerFactory log, string? address, bool declare, string? outbox)
    {
        if ((address ?? host.Environment(Address)) is not { Length: > 0 } named) return null;
        var options = Credentials(host) with { Declare = declare };
        if (outbox is null) return new MixpanelQueue(named, Schemes, options);
        try
        {
            return new MixpanelQueue(named, Schemes, options, SqliteOutbox.Open(outbox), log);
        }
        catch (OutboxException e)
        {
            throw new LocalFolderException(e.Message, e);
        }
    }

    /// <summary>The credentials, from the options, otherwise from the environment.</summary>
    /// <param name="host">The environment of the program.</param>
    /// <param name="username">The user name from an option.</param>
    /// <param name="secretFile">The file from an option that contains the password.</param>
    public static QueueOptions Credentials(HostEnvironment host, string? username = null, string? secretFile = null)
    {
        var password = secretFile is null ? host.Environment(Password) : Secrets.Read(secretFile, host, "queue_secret_file");
        var options = new QueueOptions
        {
            Words = CommandWords.Instance,
            Username = username ?? (host.Environment(Username) is { Length: > 0 } name ? name : null),
            Password = password is { Length: > 0 } ? new MixpanelSecret(password) : null,
        };
        return options.Username is null == options.Password is null
            ? options
            : throw Configuration.Invalid(options.Username is null ? "queue_username" : "queue_secret_file",
                $"The queue needs both a user name and a password: {Username} or --queue-username, and {Password} or --queue-secret-file.");
    }
}
