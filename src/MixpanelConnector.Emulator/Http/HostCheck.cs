using System.Net;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http.Tls;

namespace MixpanelConnector.Emulator.Http;

/// <summary>
/// Answers only requests for loopback names and allowed names, so that no web page can reach this server under a name of its own (DNS rebinding). IP addresses
/// are not subject to this attack.
/// </summary>
sealed class HostCheck(IReadOnlyList<string> allowed, bool anyAddress)
{
    public Task RunAsync(HttpContext context, RequestDelegate next) =>
        (ConnectTunnel.IsUnder(context) ? Regions.IsMixpanel(context.Request.Host.Host) : IsKnown(context.Request.Host.Host.ToLowerInvariant()))
            ? next(context)
            : context.ErrorAsync(ErrorShapes.App, 421,
                anyAddress
                    ? "this server accepts localhost, IP addresses, names allowed with --host, and Mixpanel's hosts through its proxy"
                    : "this server accepts only loopback, and Mixpanel's hosts through its proxy");

    bool IsKnown(string host) =>
        host == "localhost" || (IPAddress.TryParse(host, out var address) && (anyAddress || IPAddress.IsLoopback(address)))
            || allowed.Contains(host, StringComparer.OrdinalIgnoreCase);
}
