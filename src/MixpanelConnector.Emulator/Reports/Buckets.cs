using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Reports;

/// <summary>The consecutive time intervals into which a report counts, without gaps.</summary>
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

    /// <summary>The local start time of each interval.</summary>
    public DateTime[] Locals { get; }

    public string[] Labels { get; }

    public int Count => _starts.Length;

    public DateTimeOffset Start => StartOf(0);

    /// <summary>The end of the last interval, exclusive.</summary>
    public DateTimeOffset End { get; }

    public DateTimeOffset StartOf(int index) => new(_starts[index], TimeSpan.Zero);

    /// <summary>
    /// The intervals from one day to another, both inclusive. The first one starts with the unit that contains the first day, but counts nothing before that
    /// day.
    /// </summary>
    public static Buckets Of(Calendar calendar, DateOnly from, DateOnly to, TimeUnit unit, int length = 1) =>
        Of(calendar, calendar.StartOf(from), calendar.EndOf(to), Calendar.Floor(from.ToDateTime(TimeOnly.MinValue), unit), unit, length);

    /// <summary>The current unit and those before it.</summary>
    public static Buckets Latest(Calendar calendar, DateTimeOffset now, TimeUnit unit, int count)
    {
        var current = Calendar.Floor(calendar.LocalTime(now), unit);
        var first = Calendar.Add(current, unit, 1 - count);
        return Of(calendar, calendar.MomentOf(first), calendar.MomentOf(Calendar.Add(current, unit, 1)), first, unit, 1);
    }

    /// <summary>The index of the interval that contains a time; -1 if there is none.</summary>
    public int IndexOf(DateTimeOffset moment)
    {
        var ticks = moment.UtcTicks;
        if (ticks < _starts[0] || ticks >= End.UtcTicks) return -1;
        var index = Array.BinarySearch(_starts, ticks);
        return index >= 0 ? index : ~index - 1;
    }

    static Buckets Of(Calendar calendar, DateTimeOffset start, DateTimeOffset end, DateTime first, TimeUnit unit, int length)
    {
        List<DateTime> locals = [];
        List<long> starts = [];
        for (var local = first; ; local = Calendar.Add(local, unit, length))
        {
            // An hour that is skipped by daylight saving time does not exist.
            if (unit is TimeUnit.Minute or TimeUnit.Hour && calendar.Zone.IsInvalidTime(local)) continue;
            var moment = calendar.MomentOf(local);
            if (moment >= end) break;
            if (moment < start) moment = start;
            if (starts.Count == Most) throw new RefusedException(400, $"the range has more than {Most} units: choose a larger unit or a shorter range");
            locals.Add(local);
            starts.Add(moment.UtcTicks);
            if (local > DateTime.MaxValue.AddYears(-1)) break;
        }
        return new Buckets(calendar, unit, [.. locals], [.. starts], end);
    }
}
