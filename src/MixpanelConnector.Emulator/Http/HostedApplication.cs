using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http.Tls;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Another application under this server's address.</summary>
/// <param name="Takes">Whether a path belongs to the guest.</param>
/// <param name="Answer">Handles its requests, before anything else here sees them.</param>
sealed record Guest(Func<PathString, bool> Takes, RequestDelegate Answer);

/// <summary>Holds the guest, which can be set and removed while the server runs.</summary>
sealed class GuestRoom
{
    volatile Guest? _guest;

    public Guest? Guest
    {
        get => _guest;
        set => _guest = value;
    }

    public Task RunAsync(HttpContext context, RequestDelegate next) =>
        _guest is { } guest && guest.Takes(context.Request.Path) && !IsForUs(context) ? guest.Answer(context) : next(context);

    /// <summary>Whether a request is for Mixpanel: it was sent to a host of Mixpanel's, or it asks for the root and not for a web page.</summary>
    static bool IsForUs(HttpContext context) =>
        ConnectTunnel.IsUnder(context)
            || (context.Request.Path == "/" && !context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase));
}
