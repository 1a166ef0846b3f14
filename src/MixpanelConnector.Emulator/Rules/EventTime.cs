using System.Globalization;
using System.Runtime.InteropServices;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>When an event happened.</summary>
/// <param name="Value">The moment.</param>
/// <param name="Replacement">What to store as <c>time</c> in place of what was sent, in the same unit; null to keep it.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct EventTime(DateTimeOffset Value, long? Replacement)
{
    const int DayLength = 10;

    /// <summary>Reads seconds or milliseconds since 1970; null when there is no such moment.</summary>
    public static DateTimeOffset? Read(long time)
    {
        if (time <= EventLimits.LatestSecond)
            return time < DateTimeOffset.MinValue.ToUnixTimeSeconds() ? null : DateTimeOffset.FromUnixTimeSeconds(time);
        return time > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? null : DateTimeOffset.FromUnixTimeMilliseconds(time);
    }

    /// <summary>Reads a time as clients send it: seconds with a fraction, a number written as text, or a date by ISO 8601, which without a zone is in UTC.</summary>
    public static DateTimeOffset? Read(string time)
    {
        if (long.TryParse(time, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
            return Read(integer);
        if (time.Length >= DayLength && time[4] == '-' && DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
            return moment;
        if (!double.TryParse(time, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
            return null;
        var milliseconds = number <= EventLimits.LatestSecond ? number * 1000 : number;
        return Math.Abs(milliseconds) > EventLimits.LatestSecond * 1000d ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds);
    }

    /// <summary>The moment of receipt, in the unit in which <paramref name="sent"/> was.</summary>
    public static EventTime Now(DateTimeOffset now, long sent) =>
        sent > EventLimits.LatestSecond ? new(now, now.ToUnixTimeMilliseconds()) : new(now, now.ToUnixTimeSeconds());
}
