namespace MixpanelConnector.Emulator;

/// <summary>A clock that can be set and held, over another one. Timers run by the other one: whoever set one by this clock listens to <see cref="Adjusted"/>.</summary>
sealed class AdjustableClock(TimeProvider inner) : TimeProvider
{
    readonly Lock _lock = new();
    TimeSpan _offset;
    DateTimeOffset? _heldAt;

    /// <summary>Told that it was set, held, or let go.</summary>
    public Action Adjusted { get; set; } = () => { };

    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <summary>Whether it stands still.</summary>
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

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(callback, state, dueTime, period);

    /// <summary>Sets it, and holds it there or lets it run from there.</summary>
    public void Set(DateTimeOffset now, bool hold)
    {
        lock (_lock)
        {
            _offset = now - inner.GetUtcNow();
            _heldAt = hold ? now : null;
        }
        Adjusted();
    }

    /// <summary>Lets it be the other one again.</summary>
    public void Release()
    {
        lock (_lock)
            (_offset, _heldAt) = (default, null);
        Adjusted();
    }
}
