using System.Globalization;

namespace MixpanelConnector.Emulator.Flags;

/// <summary><c>datetime_compare</c>: a moment of RFC 3339 with milliseconds since 1970, both cut to seconds. What is none compares false.</summary>
static class Moments
{
    const int ToSeconds = 19; // yyyy-MM-ddTHH:mm:ss

    public static bool Hold(object? actual, object? operation, object? target) =>
        SecondsOf(actual) is { } one && target is double other && double.IsFinite(other) && Comparison.Holds(one.CompareTo(Math.Floor(other / 1000)), operation);

    static double? SecondsOf(object? value)
    {
        if (value is not string { Length: > ToSeconds } text
            || !DateTime.TryParseExact(text.AsSpan(0, ToSeconds), ["yyyy-MM-dd't'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
            return null;
        var rest = text.AsSpan(ToSeconds);
        if (rest[0] == '.')
        {
            var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0)
                return null;
            rest = rest[(1 + digits)..];
        }
        return OffsetOf(rest) is { } offset ? (local - DateTime.UnixEpoch).TotalSeconds - offset : null;
    }

    static int? OffsetOf(ReadOnlySpan<char> text)
    {
        if (text is "z" or "Z")
            return 0;
        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':'
            || !int.TryParse(text[1..3], NumberStyles.None, CultureInfo.InvariantCulture, out var hours) || hours > 23
            || !int.TryParse(text[4..], NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) || minutes > 59)
            return null;
        return (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    }
}
