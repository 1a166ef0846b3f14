using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace MixpanelConnector.Testing;

/// <summary>
/// A clock that records each wait and advances to its end at once, so that testing waits takes no time. Longer timers, which are deadlines, fire only when the
/// test advances the clock.
/// </summary>
/// <param name="now">The initial time.</param>
/// <param name="longestWait">Timers up to this duration are waits; longer ones are deadlines.</param>
public sealed class ImpatientClock(DateTimeOffset now, TimeSpan longestWait) : TimeProvider
{
    readonly ConcurrentQueue<TimeSpan> _waits = new();
    readonly FakeTimeProvider _deadlines = new(now);
    long _ticks = now.UtcTicks;

    /// <summary>A clock for calls with the usual deadlines of 120 seconds and more.</summary>
    public ImpatientClock() : this(Noon, TimeSpan.FromSeconds(100)) { }

    /// <summary>A clock for imports, which wait for minutes, with deadlines of an hour and more.</summary>
    public static ImpatientClock ForImports() => new(new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero), TimeSpan.FromMinutes(59));

    public static DateTimeOffset Noon { get; } = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The waits so far, in order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. _waits];

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public void Advance(TimeSpan span)
    {
        Interlocked.Add(ref _ticks, span.Ticks);
        _deadlines.Advance(span);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > longestWait) return _deadlines.CreateTimer(callback, state, dueTime, period);
        var wait = new Wait(this, callback, state);
        wait.Change(dueTime, period);
        return wait;
    }

    void JumpTo(long ticks)
    {
        for (var current = Interlocked.Read(ref _ticks); current < ticks; current = Interlocked.Read(ref _ticks))
            if (Interlocked.CompareExchange(ref _ticks, ticks, current) == current) return;
    }

    sealed class Wait(ImpatientClock clock, TimerCallback callback, object? state) : ITimer
    {
        int _generation;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var generation = Interlocked.Increment(ref _generation);
            if (dueTime < TimeSpan.Zero || dueTime > clock.LongestWait) return true;
            if (dueTime > TimeSpan.Zero) clock._waits.Enqueue(dueTime);
            var due = clock.GetTimestamp() + dueTime.Ticks;
            ThreadPool.QueueUserWorkItem(_ =>
            {
                if (Volatile.Read(ref _generation) != generation) return;
                clock.JumpTo(due);
                callback(state);
            });
            return true;
        }

        public void Dispose() => Interlocked.Increment(ref _generation);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }

    TimeSpan LongestWait => longestWait;
}
