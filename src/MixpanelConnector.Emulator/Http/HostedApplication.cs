using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http.Tls;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Another application under this server's address.</summary>
/// <param name="Takes">Whether a path belongs to it.</param>
/// <param name="Answer">Handles its requests, before anything else here sees them.</param>
sealed record HostedApplication(Func<PathString, bool> Takes, RequestDelegate Answer);

/// <summary>Holds the hosted application, which can be set and removed while the server runs.</summary>
sealed class ApplicationSlot
{
    volatile HostedApplication? _application;

    public HostedApplication? HostedApplication
    {
        get => _application;
        set => _application = value;
    }

    public Task RunAsync(HttpContext context, RequestDelegate next) =>
        _application is { } hosted && hosted.Takes(context.Request.Path) && !IsForUs(context) ? hosted.Answer(context) : next(context);

    /// <summary>Whether a request is for Mixpanel: it was sent to a host of Mixpanel's, or it asks for the root and not for a web page.</summary>
    static bool IsForUs(HttpContext context) =>
        ConnectTunnel.IsUnder(context)
            || (context.Request.Path == "/" && !context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase));
}
