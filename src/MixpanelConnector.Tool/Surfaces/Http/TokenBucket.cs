namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>Allows a number of requests per second, and a burst of twice as many after a pause.</summary>
sealed class TokenBucket(int perSecond, TimeProvider time)
{
    readonly Lock _lock = new();
    readonly double _most = 2.0 * perSecond;
    double _tokens = 2.0 * perSecond;
    long _filled = time.GetTimestamp();

    /// <summary>Takes a token; otherwise returns the number of whole seconds until there will be one.</summary>
    public bool TryTake(out int retryAfter)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            _tokens = Math.Min(_most, _tokens + (time.GetElapsedTime(_filled, now).TotalSeconds * perSecond));
            _filled = now;
            retryAfter = (int)Math.Max(1, Math.Ceiling((1 - _tokens) / perSecond));
            if (_tokens < 1) return false;
            _tokens--;
            return true;
        }
    }
}
