namespace MixpanelConnector.Tracking.Records;

/// <summary>
/// The properties that say whose event it is and which one: the call determines them, or the event's own properties. Added to every event, they would make
/// one person or one event of all.
/// </summary>
static class FixedProperties
{
    public static readonly IReadOnlyList<string> Names = ["distinct_id", "$user_id", "$device_id", "time", "$insert_id", "token"];

    /// <summary>Returns the first of the names that must not be added to every event; null when there is none.</summary>
    public static string? In(IEnumerable<string> names) => names.FirstOrDefault(Contains);

    public static bool Contains(string name) => Names.Contains(name, StringComparer.Ordinal);

    public static string Refusal(string name) =>
        $"The property {name} cannot be added to every event: it is fixed by each call. Pass the user to Track, the time with At, "
        + $"or set it on the event itself.";
}
