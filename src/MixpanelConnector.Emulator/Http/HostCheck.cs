using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Answers only to loopback names, so that no web page reaches this server under a name of its own (DNS rebinding).</summary>
static class HostCheck
{
    public static Task RunAsync(HttpContext context, RequestDelegate next) =>
        context.Request.Host.Host.ToLowerInvariant() is "127.0.0.1" or "localhost" or "[::1]"
            ? next(context)
            : context.ErrorAsync(ErrorShapes.App, 421, "this server answers on loopback only");
}
