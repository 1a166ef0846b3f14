using System.Globalization;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The settings that point a process at the test's embedded Mixpanel.</summary>
static class Credentials
{
    public static IReadOnlyDictionary<string, string> For(EmulatedMixpanel mixpanel) => At(mixpanel.Address.AbsoluteUri.TrimEnd('/'));

    public static IReadOnlyDictionary<string, string> At(string endpoint) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["MIXPANEL_ENDPOINT"] = endpoint,
        ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = DevelopmentCredentials.ServiceAccountUsername,
        ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = DevelopmentCredentials.ServiceAccountSecret,
        ["MIXPANEL_PROJECT_ID"] = DevelopmentCredentials.ProjectId.ToString(CultureInfo.InvariantCulture),
        ["MIXPANEL_TOKEN"] = DevelopmentCredentials.ProjectToken,
        ["MIXPANEL_OAUTH_TOKEN"] = DevelopmentCredentials.OAuthToken,
    };
}
