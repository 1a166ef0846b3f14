using System.Net;

namespace MixpanelConnector.Transport;

/// <summary>The API families of Mixpanel; each has hosts of its own.</summary>
enum Api
{
    Ingestion,
    Query,
    App,
    Export,
}

/// <summary>Resolves the address of a request.</summary>
static class Hosts
{
    /// <summary>
    /// Whether an address is on this machine. <see cref="Uri.IsLoopback"/> can be wrong on an instance that another thread is using for the first time.
    /// </summary>
    public static bool IsLoopback(Uri address) =>
        address.IdnHost.TrimEnd('.') is var host
            && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.Equals("loopback", StringComparison.OrdinalIgnoreCase)
                || (IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip)));

    public static Uri BaseAddress(MixpanelOptions options, Api api)
    {
        if (options.Endpoint is { } endpoint) return endpoint;

        var (api1, web, data) = options.Region switch
        {
            MixpanelRegion.Eu => ("api-eu", "eu.mixpanel.com", "data-eu"),
            MixpanelRegion.In => ("api-in", "in.mixpanel.com", "data-in"),
            _ => ("api", "mixpanel.com", "data"),
        };
        return new Uri(api switch
        {
            Api.Ingestion => $"https://{api1}.mixpanel.com",
            Api.Export => $"https://{data}.mixpanel.com",
            _ => $"https://{web}",
        });
    }

    /// <summary>Returns the URL of a path below the base address, which may itself have a path, as with a proxy.</summary>
    public static Uri Resolve(MixpanelOptions options, MixpanelRequest request)
    {
        var address = BaseAddress(options, request.Api).AbsoluteUri.TrimEnd('/') + request.Path;
        if (request.Query.Count == 0) return new Uri(address);
        return new Uri(address + "?" + string.Join('&', request.Query.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}")));
    }
}
