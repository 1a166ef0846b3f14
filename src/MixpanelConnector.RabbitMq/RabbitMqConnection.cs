using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MixpanelConnector.Queues;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace MixpanelConnector.RabbitMq;

/// <summary>A connection with one channel. Each call has a timeout: a broker that has lost its majority, or hangs, reports no error.</summary>
sealed class RabbitMqConnection : IAsyncDisposable
{
    const ushort NotAllowed = 530, AccessRefused = 403, NotFound = 404, PreconditionFailed = 406;

    static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    readonly IConnection _connection;
    readonly SemaphoreSlim _turn = new(1, 1); // a channel supports one call at a time
    readonly TimeSpan _timeout;
    readonly TimeProvider _time;
    readonly string _broker;

    RabbitMqConnection(IConnection connection, IChannel channel, TimeSpan timeout, TimeProvider time, string broker, MessageWords words) =>
        (_connection, Channel, _timeout, _time, _broker, Words) = (connection, channel, timeout, time, broker, words);

    public IChannel Channel { get; }

    public MessageWords Words { get; }

    /// <exception cref="QueueException">The connection failed.</exception>
    public static async Task<RabbitMqConnection> OpenAsync(QueueAddress address, QueueOptions options, TimeProvider time, CreateChannelOptions? kind,
        CancellationToken cancellationToken)
    {
        var authorities = Authorities(options);
        var factory = new ConnectionFactory
        {
            UserName = options.Username ?? ConnectionFactory.DefaultUser,
#pragma warning disable RS0030 // it is handed to the broker, and nobody else
            Password = options.Password?.Reveal() ?? ConnectionFactory.DefaultPass,
#pragma warning restore RS0030
            VirtualHost = address.Path.Count > 1 ? address.Path[0] : ConnectionFactory.DefaultVHost,
            ClientProvidedName = "mixpanel",
            AutomaticRecoveryEnabled = false, // what was received over a lost connection cannot be settled over the next, so the loss must be visible
            TopologyRecoveryEnabled = false,
            RequestedConnectionTimeout = options.Timeout,
            HandshakeContinuationTimeout = options.Timeout,
            ContinuationTimeout = options.Timeout,
            SocketReadTimeout = options.Timeout,
            SocketWriteTimeout = options.Timeout,
            RequestedHeartbeat = Heartbeat,
            MaxInboundMessageBodySize = 512 << 20, // above the broker's own limit: a message that is too large is a dead letter
        };
        var endpoints = address.Hosts.Select(host => new AmqpTcpEndpoint(host.Name, host.Port, Tls(address, host, authorities),
            factory.MaxInboundMessageBodySize)).ToList();
        var broker = string.Join(", ", address.Hosts);
        IConnection? connection = null;
        try
        {
            // The timeout covers an attempt per broker, plus one for the broker that responds.
            using var late = new CancellationTokenSource(options.Timeout * (endpoints.Count + 1), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
            connection = await factory.CreateConnectionAsync(endpoints, either.Token).ConfigureAwait(false);
            var channel = await connection.CreateChannelAsync(kind, either.Token).ConfigureAwait(false);
            return new(connection, channel, options.Timeout, time, broker, options.Words);
        }
        catch (Exception e)
        {
            if (connection is not null) await connection.DisposeAsync().ConfigureAwait(false);
            if (IsBrokers(e, cancellationToken)) throw Translate(e, broker, options.Words);
            throw;
        }
    }

    /// <summary>Makes one call.</summary>
    /// <exception cref="QueueException">The broker rejects it, or does not respond in time.</exception>
    public async Task<T> CallAsync<T>(Func<IChannel, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await call(Channel, cancellationToken).WaitAsync(_timeout, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsBrokers(e, cancellationToken))
        {
            throw Translate(e, _broker, Words);
        }
        finally
        {
            _turn.Release();
        }
    }

    public Task CallAsync(Func<IChannel, CancellationToken, Task> call, CancellationToken cancellationToken) => CallAsync(
        async (channel, token) =>
        {
            await call(channel, token).ConfigureAwait(false);
            return true;
        },
        cancellationToken);

    /// <summary>Closes the connection. The broker takes back what is held over it.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _connection.CloseAsync(Constants.ReplySuccess, "", TimeSpan.FromSeconds(2), abort: true, CancellationToken.None)
                .WaitAsync(TimeSpan.FromSeconds(4), _time).ConfigureAwait(false);
        }
        catch (Exception e) when (IsBrokers(e, CancellationToken.None))
        {
            // It is already gone.
        }

        // A broker that hangs would block anyone who waits for a clean close.
        _ = Task.Run(async () => await Channel.DisposeAsync().ConfigureAwait(false), CancellationToken.None)
            .ContinueWith(static ended => _ = ended.Exception, CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _turn.Dispose();
    }

    /// <summary>Whether an exception is a failure of the broker or the connection rather than a defect in this code.</summary>
    public static bool IsBrokers(Exception e, CancellationToken cancellationToken) =>
        e is RabbitMQClientException or IOException or TimeoutException or AuthenticationException or ObjectDisposedException
            or System.Net.Sockets.SocketException or InvalidOperationException
        || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    public static QueueException Translate(Exception e, string broker, MessageWords words)
    {
        if (e is QueueException known) return known;
        for (var cause = e; cause is not null; cause = cause is AggregateException { InnerExceptions: [.., var last] } ? last : cause.InnerException)
        {
            switch (cause)
            {
                case AuthenticationFailureException:
                    return new(QueueFault.Forbidden, $"RabbitMQ at {broker} does not accept the user name or the password.", e);
                case PossibleAuthenticationFailureException:
                    return new(QueueFault.Forbidden,
                        $"RabbitMQ at {broker} closed the connection during authentication: the user name or the password may be wrong.", e);
                case AuthenticationException:
                    return new(QueueFault.Unconfigured,
                        $"The certificate of {broker} is not trusted: {cause.Message.TrimEnd('.')}. Name its certificate authority with {words[Setting.OfQueue(nameof(QueueOptions.CaFile))]}.", e);
                case OperationInterruptedException { ShutdownReason: { } reason }:
                    return Of(reason, broker, words, e);
                default:
                    continue;
            }
        }

        var why = e is TimeoutException or OperationCanceledException ? "did not respond in time" : "cannot be reached, or the connection to it was lost";
        return new(QueueFault.Unavailable, $"RabbitMQ at {broker} {why}.", e);
    }

    public static QueueException Of(ShutdownEventArgs reason, string broker, MessageWords words, Exception? cause = null)
    {
        var said = reason.ReplyText.Length > 200 ? reason.ReplyText[..200] : reason.ReplyText;
        return reason.ReplyCode switch
        {
            NotFound => new(QueueFault.Missing, $"RabbitMQ at {broker} has no such queue ({said}). Create it, or have it created with {words[Setting.OfQueue(nameof(QueueOptions.Declare))]}.", cause),
            NotAllowed => new(QueueFault.Missing, $"RabbitMQ at {broker} has no such virtual host, or denies this user access to it ({said}).", cause),
            AccessRefused => new(QueueFault.Forbidden, $"RabbitMQ at {broker} denies this user access ({said}).", cause),
            PreconditionFailed when said.Contains("timed out", StringComparison.Ordinal) => new(QueueFault.Unavailable,
                $"RabbitMQ at {broker} took back messages that were not acknowledged in time ({said}). Set {words[Setting.OfConsumer(nameof(ConsumeRequest.ConsumerTimeout))]} to the broker's own limit.",
                cause),
            PreconditionFailed => new(QueueFault.Refused, $"RabbitMQ at {broker} rejects it ({said}).", cause),
            _ => new(QueueFault.Unavailable, $"The connection to RabbitMQ at {broker} was lost ({said}).", cause),
        };
    }

    static X509Certificate2Collection? Authorities(QueueOptions options)
    {
        if (options.CaFile is not { } path) return null;
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new QueueException(QueueFault.Unconfigured, $"The certificates in {path} cannot be read: {e.Message}", e);
        }

        return authorities.Count > 0 ? authorities : throw new QueueException(QueueFault.Unconfigured, $"{path} contains no PEM certificate.");
    }

    static SslOption Tls(QueueAddress address, QueueHost host, X509Certificate2Collection? authorities)
    {
        if (!address.IsSecure) return new SslOption { Enabled = false };
        var tls = new SslOption { Enabled = true, ServerName = host.Name };
        if (authorities is not null) tls.CertificateValidationCallback = (_, certificate, _, errors) => IsFrom(certificate, authorities, errors);
        return tls;
    }

    static bool IsFrom(X509Certificate? certificate, X509Certificate2Collection authorities, SslPolicyErrors errors)
    {
        if (certificate is not X509Certificate2 own || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(own);
    }
}
