using System.Globalization;

namespace MixpanelConnector.Flags.Logic;

/// <summary>
/// <c>datetime_compare</c>: compares an RFC 3339 time with milliseconds since 1970, both truncated to seconds. An invalid time always compares false, even as
/// unequal.
/// </summary>
static class Moments
{
    const int ToSeconds = 19; // yyyy-MM-ddTHH:mm:ss

    // Larger values are not times: other implementations store milliseconds as 64 bits.
    const double MostMilliseconds = 9223372036854775808;

    public static bool Hold(string actual, string how, double target) =>
        Math.Abs(target) < MostMilliseconds && SecondsOf(JavaScriptNumber.Trim(actual)) is { } seconds
            && Order.Holds(((double)seconds).CompareTo(Math.Truncate(target / 1000)), how);

    static long? SecondsOf(ReadOnlySpan<char> text)
    {
        if (text.Length <= ToSeconds || text[4] != '-' || text[7] != '-' || text[10] is not ('t' or 'T') || text[13] != ':' || text[16] != ':') return null;
        if (Number(text[..4]) is not { } year || Number(text[5..7]) is not { } month || Number(text[8..10]) is not { } day
            || Number(text[11..13]) is not { } hour
            || Number(text[14..16]) is not { } minute || Number(text[17..19]) is not { } second) return null;
        // Leap years repeat every 400 years; DateTime has no year 0.
        if (month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year == 0 ? 400 : year, month) || hour > 23 || minute > 59 || second > 59)
            return null;
        var rest = text[ToSeconds..];
        if (rest is ['.', .. var fraction])
        {
            var end = fraction.IndexOfAnyExceptInRange('0', '9');
            if (end <= 0) return null;
            rest = fraction[end..];
        }

        return Offset(rest) is { } offset ? (Days(year, month, day) * 86_400) + (hour * 3600) + (minute * 60) + second - offset : null;
    }

    static int? Offset(ReadOnlySpan<char> text)
    {
        if (text is "z" or "Z") return 0;
        return text is ['+' or '-', _, _, ':', _, _] && Number(text[1..3]) is { } hours and <= 23 && Number(text[4..]) is { } minutes and <= 59
            ? (text[0] == '-' ? -1 : 1) * ((hours * 3600) + (minutes * 60))
            : null;
    }

    /// <summary>Returns the days since 1970.</summary>
    static long Days(int year, int month, int day) =>
        year == 0 ? Days(400, month, day) - 146_097 : (new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).Days;

    static int? Number(ReadOnlySpan<char> digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
