using System.Globalization;

namespace MixpanelConnector.Emulator.Reports;

enum TimeUnit { Minute, Hour, Day, Week, Month }

/// <summary>Days and hours in a project's time zone.</summary>
sealed class Calendar(TimeZoneInfo zone)
{
    public TimeZoneInfo Zone { get; } = zone;

    /// <summary>The first point in time with this local time; if daylight saving time skips it, the first one after the gap.</summary>
    public DateTimeOffset MomentOf(DateTime time)
    {
        var (local, offset) = Rules.LocalTime.Resolve(time, Zone);
        // The first and last days of the calendar have nothing beyond them.
        return local.Ticks < offset.Ticks ? DateTimeOffset.MinValue
            : local.Ticks - offset.Ticks > DateTime.MaxValue.Ticks ? DateTimeOffset.MaxValue
            : new DateTimeOffset(local, offset).ToUniversalTime();
    }

    /// <summary>A local time with its offset.</summary>
    public DateTimeOffset At(DateTime local) => TimeZoneInfo.ConvertTime(MomentOf(local), Zone);

    public DateTimeOffset StartOf(DateOnly day) => MomentOf(day.ToDateTime(TimeOnly.MinValue));

    public DateTimeOffset EndOf(DateOnly day) => day == DateOnly.MaxValue ? DateTimeOffset.MaxValue : StartOf(day.AddDays(1));

    public DateTime LocalTime(DateTimeOffset moment) => TimeZoneInfo.ConvertTime(moment, Zone).DateTime;

    public DateOnly DayOf(DateTimeOffset moment) => DateOnly.FromDateTime(LocalTime(moment));

    /// <summary>The start of the unit that contains a local time; weeks start on Monday.</summary>
    public static DateTime Floor(DateTime local, TimeUnit unit) => unit switch
    {
        TimeUnit.Minute => new DateTime(local.Year, local.Month, local.Day, local.Hour, local.Minute, 0, DateTimeKind.Unspecified),
        TimeUnit.Hour => new DateTime(local.Year, local.Month, local.Day, local.Hour, 0, 0, DateTimeKind.Unspecified),
        TimeUnit.Day => local.Date,
        TimeUnit.Week => local.Date.AddDays(-(((int)local.DayOfWeek + 6) % 7)),
        _ => new DateTime(local.Year, local.Month, 1, 0, 0, 0, DateTimeKind.Unspecified),
    };

    public static DateTime Add(DateTime local, TimeUnit unit, int count) => unit switch
    {
        TimeUnit.Minute => local.AddMinutes(count),
        TimeUnit.Hour => local.AddHours(count),
        TimeUnit.Day => local.AddDays(count),
        TimeUnit.Week => local.AddDays(7 * count),
        _ => local.AddMonths(count),
    };

    public static string Label(DateTime local, TimeUnit unit) =>
        local.ToString(unit is TimeUnit.Minute or TimeUnit.Hour ? "yyyy-MM-dd HH:mm:ss" : "yyyy-MM-dd", CultureInfo.InvariantCulture);
}
