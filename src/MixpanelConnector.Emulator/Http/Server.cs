using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MixpanelConnector.Emulator.Http.Tls;
using MixpanelConnector.Emulator.Operations;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// Kestrel on loopback, or on all addresses if requested, in isolation: without configuration files, environment variables, logging or signal handlers of the
/// process that hosts it.
/// </summary>
static class Server
{
    /// <summary>Far more than any request may have, so that a client that sends too much can still read the refusal.</summary>
    const long LargestBodyToDrain = 128L * 1024 * 1024;

    static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <param name="options">The options, which contain the addresses to listen on.</param>
    /// <param name="authority">The authority that signs certificates for TLS and the proxy; null if neither is used.</param>
    /// <param name="mapRoutes">Maps the routes.</param>
    /// <param name="before">Middleware that runs before the routes.</param>
    /// <param name="hosted">Middleware that runs before everything else.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<(WebApplication Application, Addresses Addresses)> StartAsync(
        EmulatorOptions options, CertificateAuthority? authority, Action<IEndpointRouteBuilder> mapRoutes, Func<HttpContext, RequestDelegate, Task> before,
        Func<HttpContext, RequestDelegate, Task> hosted, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        if (authority is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBodyToDrain;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            // A GET request of a browser's tracker carries its data in the request line.
            kestrel.Limits.MaxRequestLineSize = 64 * 1024;
            kestrel.Limits.MaxConcurrentConnections = 1024;
            if (!options.AnyAddress)
            {
                // By default, a client that pauses for five seconds gets a 408. On loopback that only means that the machine is slow.
                kestrel.Limits.MinRequestBodyDataRate = null;
                kestrel.Limits.MinResponseDataRate = null;
            }
            var address = options.AnyAddress ? IPAddress.Any : IPAddress.Loopback;
            kestrel.Listen(address, options.Port);
            if (options.ProxyPort is { } proxy)
            {
                kestrel.Listen(address, proxy, listen =>
                {
                    ConnectionDelegate? http = null;
                    listen.Use(tls => ConnectTunnel.Before(tls, () => http!));
                    listen.UseHttps(authority!.Server);
                    listen.Use(next => http = next);
                });
            }
            if (options.TlsPort is { } tls) kestrel.Listen(address, tls, listen => listen.UseHttps(authority!.Server));
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);

        var application = builder.Build();
        application.Use(new HostCheck(options.HostNames, options.AnyAddress).RunAsync);
        application.Use(hosted);
        application.Use(MethodCheck.RunAsync);
        application.Use(before);
        application.UseRouting();
#pragma warning disable ASP0014 // endpoints must come before the answer to everything else
        application.UseEndpoints(mapRoutes);
#pragma warning restore ASP0014
        application.Run(NotEmulated.AnswerAsync);
        try
        {
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
            Uri[] all =
            [
                .. application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address =>
                    new UriBuilder(address) { Host = IPAddress.Loopback.ToString() }.Uri),
            ]; // in the order of listening
            return (application, new Addresses(
                all[0],
                options.ProxyPort is null ? null : new UriBuilder(all[1]) { Scheme = Uri.UriSchemeHttp }.Uri, // clients talk to a proxy without TLS
                options.TlsPort is null ? null : all[^1]));
        }
        catch
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public sealed record Addresses(Uri Plain, Uri? Proxy, Uri? Tls);

    /// <summary>The default lifetime would handle Ctrl-C and SIGTERM instead of the host program.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
