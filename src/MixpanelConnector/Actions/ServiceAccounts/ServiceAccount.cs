using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>A service account as Mixpanel lists it. See https://developer.mixpanel.com/reference/service-accounts-api.</summary>
public sealed record ServiceAccount
{
    /// <summary>The id of the account.</summary>
    public required long Id { get; init; }

    /// <summary>The name to log in with.</summary>
    public required string Username { get; init; }

    /// <summary>When the account was last used, as RFC 3339 text; null when never.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? LastUsed { get; init; }

    /// <summary>When the account expires, as RFC 3339 text; null when never.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Expires { get; init; }

    /// <summary>All other members that Mixpanel returned, such as <c>creator</c> and <c>created</c>, unchanged.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement> Other { get; set; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
}
