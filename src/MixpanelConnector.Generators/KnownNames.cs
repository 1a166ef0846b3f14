namespace MixpanelConnector.Generators;

/// <summary>Names in the library, and names that Mixpanel reserves.</summary>
static class KnownNames
{
    public const string EventAttribute = "MixpanelConnector.MixpanelEventAttribute";
    public const string EventInterface = "MixpanelConnector.IMixpanelEvent`1";
    public const string TrackerExtensions = "MixpanelConnector.MixpanelTrackerExtensions";
    public const int MostProperties = 255, LongestName = 255;

    /// <summary>The properties that the tracker adds to an event that does not have them.</summary>
    public static readonly IReadOnlyList<string> Added = ["ip", "mp_lib", "$lib_version", "time", "distinct_id", "$insert_id"];

    static readonly HashSet<string> Reserved = new(StringComparer.Ordinal) { "distinct_id", "token", "bucket", "event_name" };

    // Mixpanel's own properties that servers are meant to set: ids, location, the campaign's page, the device.
    static readonly HashSet<string> Given = new(StringComparer.Ordinal)
    {
        "$insert_id", "$user_id", "$device_id", "$city", "$region", "mp_country_code", "$latitude", "$longitude", "$os", "$os_version", "$browser",
        "$browser_version",
        "$current_url", "$referrer", "$referring_domain", "$initial_referrer", "$initial_referring_domain", "$search_engine", "$device", "$brand",
        "$manufacturer", "$model",
        "$screen_height", "$screen_width", "$app_version_string", "$app_build_number", "$carrier", "$radio", "$wifi", "$user_agent", "$lib_version", "mp_lib",
        "$duration", "$source",
    };

    public static bool HasReservedPrefix(string name) => name.StartsWith("$", StringComparison.Ordinal) || name.StartsWith("mp_", StringComparison.Ordinal);

    public static bool IsReservedProperty(string name) => Reserved.Contains(name) || (HasReservedPrefix(name) && !Given.Contains(name));

    /// <summary>An allowed name to propose for a reserved one.</summary>
    public static string Allowed(string name)
    {
        var rest = name;
        while (HasReservedPrefix(rest)) rest = rest.Substring(rest[0] == '$' ? 1 : 3);
        if (rest.Length > LongestName) rest = rest.Substring(0, char.IsHighSurrogate(rest[LongestName - 1]) ? LongestName - 1 : LongestName);
        return Reserved.Contains(rest) || rest.Length == 0 ? $"event_{rest}".TrimEnd('_') : rest;
    }
}
