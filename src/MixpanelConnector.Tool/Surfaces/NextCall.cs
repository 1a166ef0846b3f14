using System.Globalization;

namespace MixpanelConnector.Tool.Surfaces;

/// <summary>When a call is possible again that a rate limit does not allow now.</summary>
static class NextCall
{
    public static bool IsKnown(MixpanelError error) => error is { Kind: ErrorKind.RateLimited, RetryAfter: not null };

    public static string When(TimeSpan wait, TimeProvider time) =>
        string.Create(CultureInfo.InvariantCulture,
            $"at {time.GetUtcNow() + wait:yyyy-MM-dd'T'HH:mm:ss'Z'}, in {Math.Max(0, Math.Ceiling(wait.TotalSeconds))} s");

    /// <summary>Adds the time to the message of an error, if it is known.</summary>
    public static MixpanelError AddTo(MixpanelError error, TimeProvider time) =>
        IsKnown(error) ? error with { Message = $"{error.Message} The next call is possible {When(error.RetryAfter!.Value, time)}." } : error;
}
