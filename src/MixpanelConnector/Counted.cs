using System.Globalization;

namespace MixpanelConnector;

/// <summary>Formats a count with its noun in the singular or plural: 1 event, 2 events. A duration, too: 1 hour, 90 seconds.</summary>
static class Counted
{
    /// <param name="count">The count.</param>
    /// <param name="one">The noun in the singular.</param>
    /// <param name="many">The noun in the plural; null when it is the singular with an s.</param>
    public static string Of(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? $"{one}s")}");

    /// <summary>A duration in the largest unit of which it is a whole number.</summary>
    public static string Of(TimeSpan duration) =>
        duration.Ticks % TimeSpan.TicksPerHour == 0 && duration > TimeSpan.Zero ? Of(duration.Ticks / TimeSpan.TicksPerHour, "hour")
        : duration.Ticks % TimeSpan.TicksPerMinute == 0 && duration > TimeSpan.Zero ? Of(duration.Ticks / TimeSpan.TicksPerMinute, "minute")
        : duration == TimeSpan.FromSeconds(1) ? "1 second"
        : string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.###} seconds");
}
