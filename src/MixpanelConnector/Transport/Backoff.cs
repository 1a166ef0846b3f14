namespace MixpanelConnector.Transport;

/// <summary>How long to wait before the next try: a pure function of the try, the limits and a random number.</summary>
static class Backoff
{
    /// <summary>The longest wait that a Retry-After may ask for.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(300);

    /// <param name="tries">How many tries have failed so far, from 1.</param>
    /// <param name="min">The first wait.</param>
    /// <param name="max">The longest wait.</param>
    /// <param name="retryAfter">What the server asked for; it wins over the doubling.</param>
    /// <param name="random">From 0 up to 1.</param>
    public static TimeSpan Delay(int tries, TimeSpan min, TimeSpan max, TimeSpan? retryAfter, double random)
    {
        if (retryAfter is { } asked) return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > LongestRetryAfter ? LongestRetryAfter : asked;

        // Doubling from min up to max; the jitter of up to half the first wait (Mixpanel advises 1 to 5 s on 2 s) keeps clients apart.
        var doubled = min.Ticks * Math.Pow(2, tries - 1); // a double: its limit lies far beyond that of a time span
        return (doubled < max.Ticks ? TimeSpan.FromTicks((long)doubled) : max) + (min / 2 * random);
    }
}
