using MixpanelConnector.Import.Validate;

namespace MixpanelConnector;

/// <summary>Finds events that <c>/track</c> would silently drop, before they are sent.</summary>
static class TrackRules
{
    // "Events older than five days are not ingested": https://developer.mixpanel.com/reference/track-event.
    static readonly TimeSpan Oldest = TimeSpan.FromDays(5);

    /// <summary>Returns why the event would not be stored; null when there is no reason.</summary>
    /// <param name="written">The event as it would be sent.</param>
    /// <param name="time">Its time, in seconds or milliseconds.</param>
    /// <param name="strict">Whether to apply the validation rules of <c>/import</c>, since <c>/track</c> does not report errors.</param>
    /// <param name="now">The current time.</param>
    public static string? Fault(ReadOnlySpan<byte> written, long time, bool strict, DateTimeOffset now)
    {
        if (strict)
        {
            var rules = new EventRules(SharedProperties.Parse(null));
            rules.Reset(now.ToUnixTimeSeconds());
            if ((new JsonScanner().Check(written, rules) ?? rules.Missing()) is { } rejection)
                return rejection.Field is null ? rejection.Message.ToString() : $"{rejection.Field}: {rejection.Message}";
        }

        // Numbers up to 2^32 - 1 are seconds, as in Mixpanel's own datetime(); larger ones are milliseconds.
        var milliseconds = time is >= 0 and <= uint.MaxValue ? time * 1000 : time;
        return milliseconds < (now - Oldest).ToUnixTimeMilliseconds()
            ? "properties.time: the event is older than five days: with a project token alone Mixpanel does not store it; configure a service account"
            : null;
    }
}
