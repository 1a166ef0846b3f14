using System.Net;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Answers only to loopback names and to those that were allowed, so that no web page reaches this server under a name of its own (DNS rebinding).</summary>
sealed class HostCheck(IReadOnlyList<string> allowed)
{
    public Task RunAsync(HttpContext context, RequestDelegate next) =>
        IsKnown(context.Request.Host.Host.ToLowerInvariant())
            ? next(context)
            : context.ErrorAsync(ErrorShapes.App, 421, "this server answers on loopback only");

    bool IsKnown(string host) => host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)) || allowed.Contains(host, StringComparer.OrdinalIgnoreCase);
}
