namespace MixpanelConnector.Emulator;

/// <summary>
/// A clock that can be set and stopped, based on another one. Timers use the other clock: code that sets a timer from this clock must handle
/// <see cref="Adjusted"/>.
/// </summary>
sealed class AdjustableClock(TimeProvider inner) : TimeProvider
{
    readonly Lock _lock = new();
    TimeSpan _offset;
    DateTimeOffset? _heldAt;

    /// <summary>Called when the clock was set, stopped or released.</summary>
    public Action Adjusted { get; set; } = () => { };

    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <summary>Whether it is stopped.</summary>
    public bool IsHeld
    {
        get
        {
            lock (_lock)
                return _heldAt is not null;
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _heldAt ?? (inner.GetUtcNow() + _offset);
    }

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);

    /// <summary>Sets the time, and stops the clock there or lets it run on.</summary>
    public void Set(DateTimeOffset now, bool hold)
    {
        lock (_lock)
        {
            _offset = now - inner.GetUtcNow();
            _heldAt = hold ? now : null;
        }
        Adjusted();
    }

    /// <summary>Restores the time of the other clock.</summary>
    public void Release()
    {
        lock (_lock)
            (_offset, _heldAt) = (default, null);
        Adjusted();
    }
}
