using MixpanelConnector.Import.Validate;

namespace MixpanelConnector;

/// <summary>What <c>/track</c> would drop without a word, found before it is sent.</summary>
static class TrackRules
{
    // "Events older than five days are not ingested": https://developer.mixpanel.com/reference/track-event.
    static readonly TimeSpan Oldest = TimeSpan.FromDays(5);

    /// <summary>Why the event would not be stored; null when nothing speaks against it.</summary>
    /// <param name="written">The event as it would be sent.</param>
    /// <param name="time">Its time, in seconds or milliseconds.</param>
    /// <param name="strict">Whether to hold it against the rules that <c>/import</c> has for it, since <c>/track</c> does not tell.</param>
    /// <param name="now">The present.</param>
    public static string? Fault(ReadOnlySpan<byte> written, long time, bool strict, DateTimeOffset now)
    {
        if (strict)
        {
            var rules = new EventRules(SharedProperties.Parse(null));
            rules.Reset(now.ToUnixTimeSeconds());
            if ((new JsonScanner().Check(written, rules) ?? rules.Missing()) is { } rejection)
                return rejection.Field is null ? rejection.Message : $"{rejection.Field}: {rejection.Message}";
        }

        // Up to 2^32 - 1 a number means seconds, as in Mixpanel's own datetime(); larger ones milliseconds.
        var milliseconds = time is >= 0 and <= uint.MaxValue ? time * 1000 : time;
        return milliseconds < (now - Oldest).ToUnixTimeMilliseconds()
            ? "properties.time: the event is older than five days: with a project token alone Mixpanel does not store it; configure a service account"
            : null;
    }
}
