namespace MixpanelConnector;

/// <summary>Limits the log lines of one kind per minute. Suppressed lines are counted, and the next line reports their number.</summary>
sealed class LogLimit(TimeProvider time, int lines)
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    readonly Lock _lock = new();
    long? _began;
    int _written;
    long _untold;

    /// <param name="count">The number of occurrences to report.</param>
    /// <param name="all">These, and those that were not reported before.</param>
    /// <returns>Whether to write a line.</returns>
    public bool Allows(long count, out long all)
    {
        lock (_lock)
        {
            all = _untold += count;
            if (_began is not { } began || time.GetElapsedTime(began) >= Minute) (_began, _written) = (time.GetTimestamp(), 0);
            if (_written == lines) return false;
            _written++;
            _untold = 0;
            return true;
        }
    }

    /// <summary>Returns and resets the number of occurrences that were not reported.</summary>
    public long TakeUntold()
    {
        lock (_lock)
        {
            var untold = _untold;
            _untold = 0;
            return untold;
        }
    }
}
