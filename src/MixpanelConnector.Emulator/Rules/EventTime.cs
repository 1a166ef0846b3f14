using System.Globalization;
using System.Runtime.InteropServices;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>The time of an event.</summary>
/// <param name="Value">The time.</param>
/// <param name="Replacement">The value to store as <c>time</c> instead of the sent one, in the same unit; null to keep it.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct EventTime(DateTimeOffset Value, long? Replacement)
{
    const int DayLength = 10;

    /// <summary>Parses seconds or milliseconds since 1970; null if out of range.</summary>
    public static DateTimeOffset? Read(long time)
    {
        if (time <= EventLimits.LatestSecond) return time < DateTimeOffset.MinValue.ToUnixTimeSeconds() ? null : DateTimeOffset.FromUnixTimeSeconds(time);
        return time > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? null : DateTimeOffset.FromUnixTimeMilliseconds(time);
    }

    /// <summary>
    /// Parses a time as clients send it: seconds with a fraction, a number written as a string, or an ISO 8601 date, which is in UTC if it has no time zone.
    /// </summary>
    public static DateTimeOffset? Read(string time)
    {
        if (long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) return Read(integer);
        if (time.Length >= DayLength && time[4] == '-'
            && DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
            return moment;
        if (!double.TryParse(time, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number)) return null;
        var milliseconds = number <= EventLimits.LatestSecond ? number * 1000 : number;
        return Math.Abs(milliseconds) > EventLimits.LatestSecond * 1000d ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds);
    }

    /// <summary>The time of receipt, in the unit of <paramref name="sent"/>.</summary>
    public static EventTime Now(DateTimeOffset now, long sent) =>
        sent > EventLimits.LatestSecond ? new(now, now.ToUnixTimeMilliseconds()) : new(now, now.ToUnixTimeSeconds());
}
