namespace MixpanelConnector.Testing;

/// <summary>A clock on which every wait ends at once and moves the time on by as much. Waits of an hour or more, such as deadlines, never end.</summary>
public sealed class JumpingTime(DateTimeOffset start) : TimeProvider
{
    static readonly TimeSpan Never = TimeSpan.FromHours(1);

    long _ticks = start.UtcTicks;

    public JumpingTime()
        : this(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero)) { }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public void Advance(TimeSpan span) => Interlocked.Add(ref _ticks, span.Ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new JumpingTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    void JumpTo(long ticks)
    {
        for (var now = Interlocked.Read(ref _ticks); now < ticks; now = Interlocked.Read(ref _ticks))
            if (Interlocked.CompareExchange(ref _ticks, ticks, now) == now) return;
    }

    sealed class JumpingTimer(JumpingTime time, TimerCallback callback, object? state) : ITimer
    {
        int _generation;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var generation = Interlocked.Increment(ref _generation);
            if (dueTime < TimeSpan.Zero || dueTime >= Never) return true;
            var due = time.GetTimestamp() + dueTime.Ticks;
            ThreadPool.QueueUserWorkItem(_ =>
            {
                if (Volatile.Read(ref _generation) != generation) return;
                time.JumpTo(due);
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
}
