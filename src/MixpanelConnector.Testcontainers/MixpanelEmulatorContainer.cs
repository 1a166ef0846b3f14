using System.Collections.Frozen;
using DotNet.Testcontainers.Containers;

namespace MixpanelConnector.Testcontainers;

/// <summary>The embedded Mixpanel in a container, with the well-known development credentials.</summary>
public sealed class MixpanelEmulatorContainer : DockerContainer
{
    internal MixpanelEmulatorContainer(MixpanelEmulatorConfiguration configuration)
        : base(configuration)
    {
    }

    /// <summary>Returns the one base address for all of Mixpanel's hosts. The container must have been started.</summary>
    public Uri GetConnectionAddress() => new UriBuilder(Uri.UriSchemeHttp, Hostname, GetMappedPublicPort(MixpanelEmulatorBuilder.Port)).Uri;

    /// <summary>
    /// Returns the environment variables by which the Mixpanel Connector connects to the container, including <c>MIXPANEL_ENDPOINT</c> and
    /// <c>MIXPANEL_TOKEN</c>. The container must have been started.
    /// </summary>
    public IReadOnlyDictionary<string, string> GetConnectionEnvironment() => EnvironmentOf(GetConnectionAddress());

    internal static FrozenDictionary<string, string> EnvironmentOf(Uri address) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["MIXPANEL_ENDPOINT"] = address.AbsoluteUri.TrimEnd('/'),
        ["MIXPANEL_TOKEN"] = "local",
        ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "local",
        ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "local",
        ["MIXPANEL_OAUTH_TOKEN"] = "local",
        ["MIXPANEL_PROJECT_ID"] = "1",
        ["MIXPANEL_ORGANIZATION_ID"] = "1",
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
