using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>An object returned by Mixpanel, which may have more members than are known here.</summary>
public abstract record MixpanelObject
{
    private protected MixpanelObject() { }

    /// <summary>All other members that Mixpanel returned, unchanged.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement> Other { get; set; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
}
