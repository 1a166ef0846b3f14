using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace MixpanelConnector.Testing;

/// <summary>A clock that remembers each wait and is at its end at once, so that a test of waits takes no time. Longer timers, which are deadlines, run only when the test advances the clock.</summary>
/// <param name="now">The time at which it starts.</param>
/// <param name="longestWait">Up to here a timer is a wait; above it is a deadline.</param>
public sealed class ImpatientClock(DateTimeOffset now, TimeSpan longestWait) : FakeTimeProvider(now)
{
    readonly ConcurrentQueue<TimeSpan> _waits = new();

    /// <summary>A clock for calls whose deadlines are the usual ones, 120 seconds and more.</summary>
    public ImpatientClock() : this(Noon, TimeSpan.FromSeconds(100)) { }

    public static DateTimeOffset Noon { get; } = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The waits so far, in order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. _waits];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime <= TimeSpan.Zero || dueTime > longestWait) return timer;
        _waits.Enqueue(dueTime);
        Advance(dueTime);
        return timer;
    }
}
