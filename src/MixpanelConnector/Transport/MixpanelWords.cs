using System.Collections.Frozen;

namespace MixpanelConnector.Transport;

/// <summary>What Mixpanel is known to say of a refused record or request, without quoting it: this may be shown anywhere. See https://developer.mixpanel.com/reference/import-events.</summary>
static class MixpanelWords
{
    public static readonly FrozenSet<string> Messages = FrozenSet.ToFrozenSet(
        [
            "'event' must not be missing or blank",
            "'properties' is invalid: must not be missing",
            "'properties.time' is invalid: must not be missing",
            "'properties.time' is invalid: must be specified as seconds since epoch",
            "'properties.time' is invalid: must not be in the future",
            "'properties.distinct_id' is invalid: must not be missing",
            "'properties.$insert_id' is invalid: must not be missing",
            "'$insert_id' is invalid: must only contain alphanumeric or hyphen '-' characters",
            "some data points in the request failed validation",
            "Invalid credentials",
            "Invalid service account credentials",
            "Your plan does not allow API calls. Upgrade at mixpanel.com/pricing",
        ],
        StringComparer.Ordinal);

    public static readonly FrozenSet<string> Fields = FrozenSet.ToFrozenSet(
        ["event", "properties", "properties.time", "properties.distinct_id", "properties.$insert_id", "$insert_id", "$distinct_id", "$group_id", "$group_key", "$token"],
        StringComparer.Ordinal);
}
