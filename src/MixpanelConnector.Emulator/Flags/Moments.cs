using System.Globalization;

namespace MixpanelConnector.Emulator.Flags;

/// <summary>
/// <c>datetime_compare</c>: compares an RFC 3339 timestamp with milliseconds since 1970, both truncated to seconds. An invalid timestamp compares false.
/// </summary>
static class Moments
{
    const int ToSeconds = 19; // yyyy-MM-ddTHH:mm:ss
    const double TwoToThe63 = 9223372036854775808; // a value beyond 64 bits is not a time

    public static bool Hold(object? actual, object? operation, object? target) =>
        SecondsOf(actual) is { } one && target is double other && Math.Abs(other) < TwoToThe63
            && Comparison.Holds(one.CompareTo(Math.Truncate(other / 1000)), operation);

    static double? SecondsOf(object? value)
    {
        if (value is not string given || JavaScript.Trim(given) is not { Length: > ToSeconds } text) return null;
        // The calendar repeats every 400 years, and DateTime starts at year 1.
        var isYear0 = text.StartsWith("0000", StringComparison.Ordinal);
        text = isYear0 ? string.Concat("0400", text.AsSpan(4)) : text;
        if (!DateTime.TryParseExact(text.AsSpan(0, ToSeconds), ["yyyy-MM-dd't'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss"], CultureInfo.InvariantCulture,
            DateTimeStyles.None, out var local))
            return null;
        var rest = text.AsSpan(ToSeconds);
        if (rest[0] == '.')
        {
            var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0) return null;
            rest = rest[(1 + digits)..];
        }
        const int DaysOf400Years = 146_097;
        return OffsetOf(rest) is { } offset ? (local - DateTime.UnixEpoch).TotalSeconds - (isYear0 ? DaysOf400Years * 86_400.0 : 0) - offset : null;
    }

    static int? OffsetOf(ReadOnlySpan<char> text)
    {
        if (text is "z" or "Z") return 0;
        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':'
            || !int.TryParse(text[1..3], NumberStyles.None, CultureInfo.InvariantCulture, out var hours) || hours > 23
            || !int.TryParse(text[4..], NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) || minutes > 59)
            return null;
        return (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    }
}
