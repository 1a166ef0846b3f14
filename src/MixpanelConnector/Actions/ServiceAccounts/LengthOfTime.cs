using System.Globalization;

namespace MixpanelConnector;

/// <summary>Parses a duration as people write it.</summary>
static class LengthOfTime
{
    /// <summary>Parses a duration in hours, days or weeks, such as 12h, 30d or 4w; returns null for anything else, including a zero duration.</summary>
    public static TimeSpan? Parse(string text)
    {
        if (text.Length < 2 || !int.TryParse(text.AsSpan()[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count == 0) return null;
        return text[^1] switch
        {
            'h' when count <= (int)TimeSpan.MaxValue.TotalHours => TimeSpan.FromHours(count),
            'd' when count <= TimeSpan.MaxValue.Days => TimeSpan.FromDays(count),
            'w' when count <= TimeSpan.MaxValue.Days / 7 => TimeSpan.FromDays(7 * count),
            _ => null,
        };
    }
}
