using System.Globalization;

namespace MixpanelConnector.Tracking.Values;

/// <summary>Times as Mixpanel reads them in properties: UTC, to the second.</summary>
static class MixpanelTime
{
    /// <summary>Returns the milliseconds since 1970; a time of unspecified kind is taken as UTC.</summary>
    public static long MillisecondsOf(DateTime time) =>
        new DateTimeOffset(time.Kind is DateTimeKind.Local ? time.ToUniversalTime() : DateTime.SpecifyKind(time, DateTimeKind.Utc)).ToUnixTimeMilliseconds();

    public static string Of(DateTime time) =>
        (time.Kind is DateTimeKind.Local ? time.ToUniversalTime() : time).ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
}
