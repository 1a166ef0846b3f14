using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>Something that Mixpanel tells of, which may have more members than are known here.</summary>
public abstract record MixpanelObject
{
    private protected MixpanelObject() { }

    /// <summary>Whatever else Mixpanel tells of it, as it came.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement> Other { get; set; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
}
