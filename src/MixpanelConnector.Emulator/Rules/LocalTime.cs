namespace MixpanelConnector.Emulator.Rules;

/// <summary>What a local time means where daylight saving time skips or repeats it.</summary>
static class LocalTime
{
    /// <summary>The first point in time with this local time, as a local time and its offset; if it is skipped, the first one after the gap.</summary>
    public static (DateTime Local, TimeSpan Offset) Resolve(DateTime local, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(local))
            local = local.AddTicks(TimeSpan.TicksPerMinute - (local.Ticks % TimeSpan.TicksPerMinute));
        return (local, zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local));
    }
}
