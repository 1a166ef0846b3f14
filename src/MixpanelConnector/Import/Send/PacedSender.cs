using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>The response to one attempt: what it means for the records and for the pace, and why the same bytes must not be sent again, if so.</summary>
readonly record struct SendAttempt(Reply Reply, ImportVerdict Verdict, Answer Answer, bool IsForeign, bool IsDownTooLong)
{
    /// <summary>Whether the response settles nothing, and the same bytes can be sent again.</summary>
    public bool IsOpen => Verdict.Kind is VerdictKind.Retry or VerdictKind.Untrusted && !IsForeign && !IsDownTooLong;
}

/// <summary>
/// Sends requests at a shared pace, one attempt at a time, and decides whether the response allows another. What is sent, and what becomes of its records, is
/// up to the caller.
/// </summary>
/// <param name="limiter">The pace of all senders.</param>
/// <param name="limits">What all senders have learned from responses.</param>
/// <param name="counts">Counts the requests.</param>
/// <param name="probesQuota">Whether requests probe how much of an exhausted quota is available again. If not, it is like an outage.</param>
sealed class PacedSender(ConcurrencyLimiter limiter, SendLimits limits, ImportCounts counts, bool probesQuota = true)
{
    /// <summary>The number of consecutive responses that are not Mixpanel's after which something else is assumed to respond in its place.</summary>
    public const int UntrustedConfirmations = 3;

    /// <summary>The number of wrong counts of the same bytes after which no count is trusted.</summary>
    public const int MiscountConfirmations = 2;

    public async Task<SendAttempt> TryAsync(bool isRetry, int records, int bytes, Func<Task<Reply>> send, Func<Reply, ImportVerdict> read,
        CancellationToken stop)
    {
        using var permit = await limiter.EnterAsync(isRetry, records, bytes, stop).ConfigureAwait(false);
        counts.Requested(isRetry);
        var reply = await send().ConfigureAwait(false);
        var verdict = read(reply);
        var settlesNothing = verdict.Kind is VerdictKind.Retry or VerdictKind.Untrusted;
        var answer = reply.IsRateLimit ? Answer.Busy : settlesNothing || verdict.Kind is VerdictKind.Miscounted ? Answer.Down : Answer.Served;
        limiter.Return(permit, answer is Answer.Busy && !probesQuota ? Answer.Down : answer, reply.RetryAfter);
        if (answer is not Answer.Down && !verdict.IsForeign) limits.Trusted();

        // A truncated response indicates a bad connection; any other untrusted response, something else in Mixpanel's place.
        var isNotMixpanel = settlesNothing && !reply.IsCut && (verdict.Kind is VerdictKind.Untrusted || verdict.Error is { Kind: ErrorKind.Protocol });
        return new(reply, verdict, answer, IsForeign: isNotMixpanel && limits.Untrusted() >= UntrustedConfirmations,
            IsDownTooLong: settlesNothing && limiter.IsDownTooLong);
    }
}
