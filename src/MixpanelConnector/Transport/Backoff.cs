namespace MixpanelConnector.Transport;

/// <summary>The time to wait before the next attempt: a pure function of the attempt, the limits and a random number.</summary>
static class Backoff
{
    /// <summary>The longest wait that a <c>Retry-After</c> may request.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(300);

    /// <param name="tries">The number of failed attempts so far, from 1.</param>
    /// <param name="min">The first wait.</param>
    /// <param name="max">The longest wait.</param>
    /// <param name="retryAfter">The server's request; it takes precedence over the doubling.</param>
    /// <param name="random">A random number from 0 up to 1.</param>
    public static TimeSpan Delay(int tries, TimeSpan min, TimeSpan max, TimeSpan? retryAfter, double random)
    {
        if (retryAfter is { } asked) return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > LongestRetryAfter ? LongestRetryAfter : asked;

        // Doubles from min up to max. The jitter of up to half the first wait (Mixpanel advises 1 to 5 s on 2 s) spreads out clients.
        var doubled = min.Ticks * Math.Pow(2, tries - 1); // a double, whose range is far larger than that of a time span
        return (doubled < max.Ticks ? TimeSpan.FromTicks((long)doubled) : max) + (min / 2 * random);
    }
}
