using System.Text;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Tool.Surfaces.Http.Imports;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// The catalogue over HTTP. A request passes, in this order: the error middleware (headers and problems), its source (host and origin), its caller (key and
/// scope), the limits (rate and turns), and then the handler of its route. Kestrel runs in isolation: without configuration files, environment variables,
/// logging or signal handlers.
/// </summary>
sealed class Gateway : IAsyncDisposable
{
    /// <summary>Far more than any request may have, so that a client that sends too much can still read the refusal.</summary>
    const long LargestBodyToDrain = 64 << 20;

    /// <summary>
    /// The read buffer of a connection: thousands of connections that are refused at once each allocate this much. Uploads are hardly slower than with a
    /// megabyte.
    /// </summary>
    const long MostReadAhead = 4 << 10;

    /// <summary>.NET accepts a sign in Content-Length, which another server may parse differently.</summary>
    static readonly Encoding Digits = new DigitsOnly();

    /// <summary>How long running requests may take to complete once the server stops, and then to send their responses.</summary>
    static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(10), TimeForAnswers = TimeSpan.FromSeconds(2);

    readonly WebApplication _application;
    readonly Services _services;
    readonly RequestGuard _guard;
    readonly AuditLog? _ownLog;
    readonly CancellationTokenSource _stopping;
    readonly CancellationTokenSource _ended;
    bool _isDisposed;

    Gateway(WebApplication application, Services services, RequestGuard guard, AuditLog? ownLog, CancellationTokenSource stopping,
        CancellationTokenSource ended, Uri address) =>
        (_application, _services, _guard, _ownLog, _stopping, _ended, Address) = (application, services, guard, ownLog, stopping, ended, address);

    public Uri Address { get; }

    public ServeDatabase Database => _services.Database;

    /// <summary>Method and path of every endpoint.</summary>
    public IEnumerable<string> Endpoints => _application.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .SelectMany(endpoint => endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Select(method =>
            $"{method} /{endpoint.RoutePattern.RawText!.TrimStart('/')}"));

    /// <summary>Starts serving; dispose to stop.</summary>
    /// <param name="options">How to serve.</param>
    /// <param name="client">The client for single requests; the caller disposes it.</param>
    /// <param name="newClient">Creates a client for an import.</param>
    /// <param name="log">The writer for denials and failures.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="MixpanelException">The options contradict each other, or another server uses the folder.</exception>
    /// <exception cref="IOException">The port is in use, or the disk failed.</exception>
    public static Task<Gateway> StartAsync(ServeOptions options, MixpanelClient client, Func<MixpanelClient> newClient, TextWriter log,
        CancellationToken cancellationToken) =>
        StartAsync(options, client, newClient, new AuditLog(log, options.TimeProvider), ownsLog: true, cancellationToken);

    /// <summary>Starts serving with a log that others write to as well, and that the caller disposes.</summary>
    /// <inheritdoc cref="StartAsync(ServeOptions, MixpanelClient, Func{MixpanelClient}, TextWriter, CancellationToken)"/>
    public static Task<Gateway> StartAsync(ServeOptions options, MixpanelClient client, Func<MixpanelClient> newClient, AuditLog log,
        CancellationToken cancellationToken) =>
        StartAsync(options, client, newClient, log, ownsLog: false, cancellationToken);

    static async Task<Gateway> StartAsync(ServeOptions options, MixpanelClient client, Func<MixpanelClient> newClient, AuditLog audit, bool ownsLog,
        CancellationToken cancellationToken)
    {
        options = options.Validated();
        var (stopping, ended) = (new CancellationTokenSource(), new CancellationTokenSource());
        var guard = new RequestGuard(options);
        ServeDatabase? database = null;
        ImportJobs? imports = null;
        LiveStream? live = null;
        WebApplication? application = null;
        try
        {
            try
            {
                database = ServeDatabase.Open(options.StateFolder);
                imports = new ImportJobs(options.StateFolder, new(options.Spool, options.LongestImport, options.Keys.HaveSeveralWriters), database,
                    CarryOut(newClient), audit, options.TimeProvider);
            }
            catch (Exception e) when (e is (IOException or UnauthorizedAccessException) and not ServeStateException)
            {
                throw new ServeStateException(e);
            }

            live = new LiveStream(options.LiveFeed, options.TimeProvider);
            var services = new Services(options, client, new Idempotency(database, options.Destination, audit, options.TimeProvider), database, imports, live,
                audit, stopping.Token, ended.Token);
            application = Build(options, services, guard);
            await application.StartAsync(cancellationToken);
            var address = new Uri(application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());
            guard.Listen(address.Port);
            if (options.Host is not null) options.Host.HostedApplication = Hosted(application);
            return new Gateway(application, services, guard, ownsLog ? audit : null, stopping, ended, address);
        }
        catch
        {
            if (application is not null) await application.DisposeAsync();
            if (imports is not null) await imports.DisposeAsync();
            live?.Dispose();
            database?.Dispose();
            if (ownsLog) await audit.DisposeAsync();
            guard.Dispose();
            stopping.Dispose();
            ended.Dispose();
            throw;
        }
    }

    /// <summary>Accepts no more requests, and lets the running ones end; meanwhile running imports stop at a checkpoint.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        if (_services.Options.Host is { } host) host.HostedApplication = null;
        var (streamsEnd, importsEnd) = (_stopping.CancelAsync(), _services.Imports.StopAsync());
        _ended.CancelAfter(LongestEnd);
        await _application.StopAsync();
        await streamsEnd;
        await importsEnd;
        await _application.DisposeAsync();
        await _services.Imports.DisposeAsync();
        _services.Live.Dispose();
        _services.Database.Dispose();
        if (_ownLog is not null) await _ownLog.DisposeAsync();
        _guard.Dispose();
        _stopping.Dispose();
        _ended.Dispose();
    }

    /// <summary>An import has its own client, which retries for as long as an import may.</summary>
    static CarryOut CarryOut(Func<MixpanelClient> newClient) => async (request, state, cancellationToken) =>
    {
        using var client = newClient();
        return await client.ImportAsync(request, state, cancellationToken);
    };

    static WebApplication Build(ServeOptions options, Services services, RequestGuard guard)
    {
        // Accepting other line terminators than a proxy in front allows request smuggling.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", isEnabled: true);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        if (options.Host is { } host) builder.WebHost.UseServer(new InProcessServer(host.Address));
        else builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.MaxReadBufferSize = MostReadAhead).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBodyToDrain;
            kestrel.Limits.MaxRequestBufferSize = 128 << 10; // per connection, so that many waiting ones do not use much memory
            kestrel.Limits.MaxResponseBufferSize = 64 << 10;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Limits.MaxRequestHeaderCount = 100;
            kestrel.Limits.MaxRequestLineSize = 32 << 10; // an import's mapping is a parameter
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(30);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
            kestrel.Limits.MinRequestBodyDataRate = Rate;
            kestrel.Limits.MinResponseDataRate = Rate;
            kestrel.RequestHeaderEncodingSelector = name => name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) ? Digits : null;
            kestrel.Listen(options.Address, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (options.Certificate is not null) listen.UseHttps(options.Certificate);
            });
        });
        if (options.Certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        if (options.Host is null)
        {
            builder.Services.AddSingleton<IConnectionListenerFactory>(services =>
                new Connections(new SocketTransportFactory(services.GetRequiredService<IOptions<SocketTransportOptions>>(), NullLoggerFactory.Instance),
                    options.Connections ?? Connections.Most(), keys: !options.Keys.Open));
        }

        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = LongestEnd + TimeForAnswers);
        Telemetry.AddTo(builder, options);
        McpRoute.AddTo(builder.Services, options, services.Client, services.Log);

        var application = builder.Build();
        var errors = new ErrorMiddleware(options, services.Log);
        application.Use(async (context, next) =>
        {
            var connection = Connections.Of(context);
            connection?.Begin();
            try
            {
                await errors.RunAsync(context, next);
            }
            finally
            {
                connection?.End();
                options.Keys.Memory.Clean();
            }
        });
        application.Use((context, next) =>
        {
            guard.CheckSource(context.Request);
            return next(context);
        });
        application.UseRouting();
        application.Use(async (context, next) =>
        {
            // Everything that is not public requires a caller, even a path that does not exist.
            var route = context.GetEndpoint()?.Metadata.GetMetadata<Route>();
            var caller = guard.Visitors;
            if (route is not { Scope: Scope.None })
            {
                caller = guard.Authenticate(context.Request);
                context.Features.Set(caller);
                if (Connections.Of(context) is { } connection) connection.HasShownKey = !options.Keys.Open;
                if (route is { Scope: Scope.Write } && caller.Scope is not Scope.Write) throw new RefusedException(Refusal.WriteScopeNeeded);
            }

            if (route is null)
            {
                await next(context);
                return;
            }

            SetPace(context, route);
            if (!route.IsLimited)
            {
                await next(context);
                return;
            }

            var refusal = RequestGuard.Take(caller);
            if (refusal is not null)
            {
                await errors.RefuseAsync(context, refusal);
                return;
            }

            // A turn is for processing: receiving the body happens before it, and sending the response after it.
            if (route.LargestBody > 0) Bodies.RequireJson(context.Request);
            using var body = route.LargestBody == 0 ? null : await Bodies.ReceiveAsync(context.Request, caller, route.LargestBody, context.RequestAborted);
            context.Features.Set(body);
            (var turn, refusal) = await guard.EnterAsync(caller, route.HasStreamedBody, context.RequestAborted);
            if (refusal is not null)
            {
                await errors.RefuseAsync(context, refusal);
                return;
            }

            using (turn)
            {
                if (!route.HasStreamedBody) context.Response.OnStarting(static state => EndTurn(state), turn!);
                await (route == McpRoute.Route ? McpRoute.AnswerAsync(context, () => next(context)) : next(context));
            }
        });
#pragma warning disable ASP0014 // the order of the steps is the point here
        application.UseEndpoints(endpoints =>
        {
            foreach (var route in Routes.All())
                endpoints.MapMethods(route.Pattern, [route.Method], context => route.Handler(services, context)).WithMetadata(route);
            endpoints.MapMcp(McpRoute.Path).WithMetadata(McpRoute.Route);
        });
#pragma warning restore ASP0014
        return application;
    }

    /// <summary>Handles the paths of this server in the embedded Mixpanel, which answers its own health check.</summary>
    static HostedApplication Hosted(WebApplication application)
    {
        var server = (InProcessServer)application.Services.GetRequiredService<IServer>();
        return new HostedApplication(TakesAsHosted, server.AnswerAsync);
    }

    /// <summary>Whether this server handles a path when another server hosts it.</summary>
    public static bool TakesAsHosted(PathString path) => HostedPaths.Value.Contains(FirstSegment(path.Value ?? ""));

    static readonly Lazy<HashSet<string>> HostedPaths = new(() =>
    {
        var own = Routes.All().Select(route => FirstSegment(route.Pattern)).Append(FirstSegment(McpRoute.Path)).ToHashSet(StringComparer.Ordinal);
        own.Remove("healthz");
        return own;
    });

    static string FirstSegment(string path) => path.TrimStart('/').Split('/', 2)[0];

    static Task EndTurn(object turn)
    {
        ((RateLimitLease)turn).Dispose();
        return Task.CompletedTask;
    }

    static readonly MinDataRate Rate = new(Limits.SlowestRate, Limits.LongestPause), RateOfStream = new(Limits.SlowestRateOfStream, Limits.LongestPause);

    /// <summary>
    /// Streams may be long, and may pause. Others have the usual rate, also where the embedded Mixpanel serves them, which sets none for its own clients.
    /// </summary>
    static void SetPace(HttpContext context, Route route)
    {
        if (route.HasStreamedBody && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (!HttpProtocol.IsHttp11(context.Request.Protocol) && !HttpProtocol.IsHttp10(context.Request.Protocol))
            return; // a connection that requests share has one rate
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } body) body.MinDataRate = route.HasStreamedBody ? RateOfStream : Rate;
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } answer) answer.MinDataRate = route.HasStreamedAnswer ? RateOfStream : Rate;
    }

    /// <summary>The default lifetime would handle Ctrl-C and SIGTERM instead of the program itself.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    sealed class DigitsOnly : ASCIIEncoding
    {
        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            if (!bytes.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return base.GetChars(bytes, chars);
            chars[0] = '?'; // not a number: the server rejects it
            return 1;
        }
    }
}
