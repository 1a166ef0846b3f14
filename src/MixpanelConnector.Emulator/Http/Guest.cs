using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http.Tls;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Somebody else under this server's address.</summary>
/// <param name="Takes">Which paths are the guest's.</param>
/// <param name="Answer">Answers them, before anything else here sees the request.</param>
sealed record Guest(Func<PathString, bool> Takes, RequestDelegate Answer);

/// <summary>Where a guest comes and goes while the server runs.</summary>
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

    /// <summary>Who comes to Mixpanel's hosts means Mixpanel; and at the root, who does not ask for a page asks what this is.</summary>
    static bool IsForUs(HttpContext context) =>
        ConnectTunnel.IsUnder(context) || (context.Request.Path == "/" && !context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase));
}
