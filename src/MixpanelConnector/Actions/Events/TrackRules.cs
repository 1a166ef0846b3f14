namespace MixpanelConnector;

/// <summary>What <c>/track</c> would drop without a word, found before it is sent.</summary>
static class TrackRules
{
    // "Events older than five days are not ingested": https://developer.mixpanel.com/reference/track-event.
    static readonly TimeSpan Oldest = TimeSpan.FromDays(5);

    /// <summary>Why the event would not be stored; null when nothing speaks against it.</summary>
    public static string? Fault(string name, long time, DateTimeOffset now)
    {
        if (string.IsNullOrWhiteSpace(name)) return "'event' must not be missing or blank";
        // Up to 2^32 - 1 a number means seconds, as in Mixpanel's own datetime(); larger ones milliseconds.
        var milliseconds = time is >= 0 and <= uint.MaxValue ? time * 1000 : time;
        if (milliseconds > now.AddHours(1).ToUnixTimeMilliseconds()) return "'properties.time' is invalid: must not be in the future";
        if (milliseconds < (now - Oldest).ToUnixTimeMilliseconds()) return "'properties.time' is older than five days: with a project token alone Mixpanel does not store such an event; configure a service account";
        return null;
    }
}
