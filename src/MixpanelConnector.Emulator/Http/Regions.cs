using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Mixpanel's regions, distinguished by the hosts that clients send to. Requests to a loopback address have no region.</summary>
static class Regions
{
    const string Domain = "mixpanel.com";

    public static readonly string[] All = ["us", "eu", "in"];

    /// <summary>The region of the requested host; null if it is not a host of Mixpanel's.</summary>
    public static string? Region(this HttpContext context) => OfHost(context.Request.Host.Host);

    /// <summary>Whether it is a host of Mixpanel's, such as <c>api-eu.mixpanel.com</c>, including a fully qualified name with a trailing dot.</summary>
    public static bool IsMixpanel(string host) => IsName(WithoutRoot(host));

    public static string? OfHost(string host)
    {
        host = WithoutRoot(host);
        if (!IsName(host)) return null;
        var name = host.AsSpan(0, Math.Max(0, host.Length - Domain.Length - 1));
        return Is(name, "eu") ? "eu" : Is(name, "in") ? "in" : "us";
    }

    static string WithoutRoot(string host) => host.EndsWith('.') ? host[..^1] : host;

    static bool IsName(string host) =>
        host.Equals(Domain, StringComparison.OrdinalIgnoreCase)
            || (host.Length > Domain.Length && host[^(Domain.Length + 1)] == '.' && host.EndsWith(Domain, StringComparison.OrdinalIgnoreCase));

    static bool Is(ReadOnlySpan<char> name, string region) =>
        name.Equals(region, StringComparison.OrdinalIgnoreCase)
            || (name.Length > region.Length && name[^(region.Length + 1)] == '-' && name.EndsWith(region, StringComparison.OrdinalIgnoreCase));
}
