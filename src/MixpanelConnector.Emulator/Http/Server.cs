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
/// Kestrel on loopback, or on all addresses where that is asked for, with nothing taken from the surroundings: no configuration files, no environment variables, no
/// logging, and no hand on the signals of the process that it lives in.
/// </summary>
static class Server
{
    /// <summary>Far more than any request may have, so that the sender of too much can still read the refusal.</summary>
    const long LargestBodyToDrain = 128L * 1024 * 1024;

    static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <param name="options">Where to listen.</param>
    /// <param name="authority">Who signs for TLS and the proxy; null where neither is asked for.</param>
    /// <param name="mapRoutes">Maps what is answered.</param>
    /// <param name="before">Comes before that.</param>
    /// <param name="guests">Comes before everything.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    public static async Task<(WebApplication Application, Addresses Addresses)> StartAsync(
        EmulatorOptions options, CertificateAuthority? authority, Action<IEndpointRouteBuilder> mapRoutes, Func<HttpContext, RequestDelegate, Task> before, Func<HttpContext, RequestDelegate, Task> guests, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        if (authority is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBodyToDrain;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            // A GET of a browser's tracker carries its data in the request line.
            kestrel.Limits.MaxRequestLineSize = 64 * 1024;
            kestrel.Limits.MaxConcurrentConnections = 1024;
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
            if (options.TlsPort is { } tls)
                kestrel.Listen(address, tls, listen => listen.UseHttps(authority!.Server));
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);

        var application = builder.Build();
        application.Use(new HostCheck(options.HostNames, options.AnyAddress).RunAsync);
        application.Use(guests);
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
            Uri[] all = [.. application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(address => new UriBuilder(address) { Host = IPAddress.Loopback.ToString() }.Uri)]; // in the order of listening
            return (application, new Addresses(
                all[0],
                options.ProxyPort is null ? null : new UriBuilder(all[1]) { Scheme = Uri.UriSchemeHttp }.Uri, // a proxy is spoken to in the clear
                options.TlsPort is null ? null : all[^1]));
        }
        catch
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public sealed record Addresses(Uri Plain, Uri? Proxy, Uri? Tls);

    /// <summary>The default one would answer Ctrl-C and SIGTERM in place of the program around it.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
