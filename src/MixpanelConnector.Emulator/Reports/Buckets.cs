using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Reports;

/// <summary>The stretches of time into which a report counts, one after the other without a gap.</summary>
sealed class Buckets
{
    const int Most = 20_000;

    readonly long[] _starts;

    Buckets(Calendar calendar, TimeUnit unit, DateTime[] locals, long[] starts, DateTimeOffset end)
    {
        Calendar = calendar;
        Unit = unit;
        Locals = locals;
        _starts = starts;
        End = end;
        Labels = Array.ConvertAll(locals, local => Calendar.Label(local, unit));
    }

    public Calendar Calendar { get; }

    public TimeUnit Unit { get; }

    /// <summary>The local time at which each begins.</summary>
    public DateTime[] Locals { get; }

    public string[] Labels { get; }

    public int Count => _starts.Length;

    public DateTimeOffset Start => StartOf(0);

    /// <summary>The first moment after the last one.</summary>
    public DateTimeOffset End { get; }

    public DateTimeOffset StartOf(int index) => new(_starts[index], TimeSpan.Zero);

    /// <summary>From one day to another, both included. The first bucket begins with the unit that the first day lies in, but holds nothing before that day.</summary>
    public static Buckets Of(Calendar calendar, DateOnly from, DateOnly to, TimeUnit unit, int length = 1) =>
        Of(calendar, calendar.StartOf(from), calendar.EndOf(to), Calendar.Floor(from.ToDateTime(TimeOnly.MinValue), unit), unit, length);

    /// <summary>The current unit and those before it.</summary>
    public static Buckets Latest(Calendar calendar, DateTimeOffset now, TimeUnit unit, int count)
    {
        var current = Calendar.Floor(calendar.LocalTime(now), unit);
        var first = Calendar.Add(current, unit, 1 - count);
        return Of(calendar, calendar.MomentOf(first), calendar.MomentOf(Calendar.Add(current, unit, 1)), first, unit, 1);
    }

    /// <summary>The bucket of a moment; -1 for none.</summary>
    public int IndexOf(DateTimeOffset moment)
    {
        var ticks = moment.UtcTicks;
        if (ticks < _starts[0] || ticks >= End.UtcTicks)
            return -1;
        var index = Array.BinarySearch(_starts, ticks);
        return index >= 0 ? index : ~index - 1;
    }

    static Buckets Of(Calendar calendar, DateTimeOffset start, DateTimeOffset end, DateTime first, TimeUnit unit, int length)
    {
        List<DateTime> locals = [];
        List<long> starts = [];
        for (var local = first; ; local = Calendar.Add(local, unit, length))
        {
            // An hour that summer time skips is no hour.
            if (unit is TimeUnit.Minute or TimeUnit.Hour && calendar.Zone.IsInvalidTime(local))
                continue;
            var moment = calendar.MomentOf(local);
            if (moment >= end)
                break;
            if (moment < start)
                moment = start;
            if (starts.Count == Most)
                throw new RefusedException(400, $"the range has more than {Most} units: choose a larger unit or a shorter range");
            locals.Add(local);
            starts.Add(moment.UtcTicks);
            if (local > DateTime.MaxValue.AddYears(-1))
                break;
        }
        return new Buckets(calendar, unit, [.. locals], [.. starts], end);
    }
}
