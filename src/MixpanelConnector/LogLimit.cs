namespace MixpanelConnector;

/// <summary>Lets so many lines of a kind into the log in a minute. What is not said is counted, and told with the next.</summary>
sealed class LogLimit(TimeProvider time, int lines)
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    readonly Lock _lock = new();
    long? _began;
    int _written;
    long _untold;

    /// <param name="count">How many things there are to tell.</param>
    /// <param name="all">These, and those that were not told before.</param>
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

    /// <summary>What was never told.</summary>
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
