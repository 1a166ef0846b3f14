using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>What a response means for the pace.</summary>
enum Answer
{
    /// <summary>Mixpanel accepted the request or rejected its content: it is up.</summary>
    Served,

    /// <summary>Too many requests.</summary>
    Busy,

    /// <summary>No response, or not one from Mixpanel.</summary>
    Down,

    /// <summary>The attempt was abandoned by the client.</summary>
    GivenUp,
}

/// <summary>A permit to send one request. If disposed without a response, it is returned as abandoned.</summary>
/// <param name="limiter">The limiter that issued it.</param>
/// <param name="pauses">The number of pauses before it was issued.</param>
/// <param name="share">Its share of the quota.</param>
/// <param name="began">When it was issued.</param>
sealed class Permit(ConcurrencyLimiter limiter, int pauses, QuotaShare share, long began) : IDisposable
{
    public int Pauses => pauses;

    public QuotaShare Share => share;

    public long Began => began;

    /// <summary>Whether it was returned.</summary>
    public bool IsReturned { get; set; }

    public void Dispose() => limiter.Return(this, Answer.GivenUp);
}

/// <summary>
/// The shared pace of all senders. An outage pauses all of them; after it, a single request probes. An exhausted quota sets the
/// pace of all (<see cref="QuotaPace"/>). The number of concurrent requests grows by one for each round that was served quickly.
/// </summary>
sealed class ConcurrencyLimiter(int most, int begin, MixpanelOptions options, TimeSpan maxOutage)
{
    // Even if the server asks for no wait at all, requests are not sent in a tight loop.
    static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    // Timers have millisecond resolution: anything less is no wait.
    const double ShortestTimer = 0.001;

    // The import quota: 2 GB of JSON or 1.8 million records per minute. If the records are larger than this on average, the bytes run out first.
    const double BytesOfARecord = 2e9 / 1.8e6;

    // Up to this time a response is quick regardless of others; above, it is not if it took twice as long as the fastest.
    static readonly TimeSpan AlwaysQuick = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    readonly TimeProvider _time = options.TimeProvider;
    readonly long _origin = options.TimeProvider.GetTimestamp();
    readonly QuotaPace _quota = new(options.BackoffMin.TotalSeconds, options.BackoffMax.TotalSeconds);
    double _recordsByCost = 1;
    int _limit = begin;
    int _pauses;
    TimeSpan _fastest = TimeSpan.MaxValue;
    int _active;
    int _retrying;
    int _served;
    int _failures;
    long? _failingSince;
    long _pauseBegan;
    TimeSpan _pause;
    TaskCompletionSource? _changed;

    public bool Waiting
    {
        get
        {
            lock (_lock) return _quota.IsClosed || Remaining() > TimeSpan.Zero;
        }
    }

    /// <summary>The records per second that the quota seems to allow; null until it was exhausted.</summary>
    public double? QuotaRate
    {
        get
        {
            lock (_lock) return _quota.Rate * _recordsByCost;
        }
    }

    /// <summary>How long nothing has been served; zero while there is no outage.</summary>
    public TimeSpan Outage
    {
        get
        {
            lock (_lock) return _failingSince is { } since ? _time.GetElapsedTime(since) : TimeSpan.Zero;
        }
    }

    /// <summary>Whether an outage has lasted for as long as it may.</summary>
    public bool IsDownTooLong => Outage >= maxOutage;

    /// <summary>Waits for a permit to send. Retries go first, so that what their responses show is learned with the fewest requests.</summary>
    public async ValueTask<Permit> EnterAsync(bool isRetry, int records, int bytes, CancellationToken cancellationToken)
    {
        if (!isRetry) return await WaitForPermitAsync(isRetry, records, bytes, cancellationToken).ConfigureAwait(false);
        lock (_lock) _retrying++;
        try
        {
            return await WaitForPermitAsync(isRetry, records, bytes, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            TaskCompletionSource? changed;
            lock (_lock)
            {
                _retrying--;
                (changed, _changed) = (_changed, null);
            }

            changed?.TrySetResult();
        }
    }

    async ValueTask<Permit> WaitForPermitAsync(bool isRetry, int records, int bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task wait;
            lock (_lock)
            {
                var pause = Remaining();
                var isFree = _active < _limit && (isRetry || _retrying == 0);
                if (pause <= TimeSpan.Zero && isFree && _quota.Wait(Now) is var closed)
                {
                    if (closed < ShortestTimer) return Permit(records, bytes);
                    isFree = double.IsFinite(closed);
                    if (isFree) pause = TimeSpan.FromSeconds(closed);
                }

                if (pause > TimeSpan.Zero)
                {
                    // Rounded up: a shorter wait would end immediately, again and again.
                    wait = Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(pause.TotalMilliseconds)), _time, cancellationToken);
                }
                else
                {
                    _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    wait = _changed.Task.WaitAsync(cancellationToken);
                }
            }

            await wait.ConfigureAwait(false);
        }
    }

    Permit Permit(int records, int bytes)
    {
        var cost = Math.Max(records, bytes / BytesOfARecord);
        _recordsByCost = records / cost;
        _active++;
        return new(this, _pauses, _quota.Take(Now, cost), _time.GetTimestamp());
    }

    double Now => _time.GetElapsedTime(_origin).TotalSeconds;

    /// <summary>Returns a permit with its result. Idempotent.</summary>
    public void Return(Permit permit, Answer answer, TimeSpan? retryAfter = null)
    {
        TaskCompletionSource? changed;
        lock (_lock)
        {
            if (permit.IsReturned) return;
            permit.IsReturned = true;
            _active--;
            switch (answer)
            {
                case Answer.Served:
                    _quota.Accept(Now, permit.Share);
                    (_failures, _failingSince) = (0, null);
                    if (IsQuick(_time.GetElapsedTime(permit.Began)) && ++_served >= _limit && _limit < most) (_limit, _served) = (_limit + 1, 0);
                    break;
                case Answer.Busy:
                    _failingSince ??= _time.GetTimestamp();
                    _quota.Refuse(Now, permit.Share, Asked(retryAfter)?.TotalSeconds, options.Randomizer());
                    break;
                case Answer.Down:
                    _quota.GiveUp(permit.Share);
                    _failingSince ??= _time.GetTimestamp();
                    _served = 0;
                    // Concurrent requests fail together: that is one failure, or a single outage would cost the longest wait.
                    if (permit.Pauses == _pauses)
                    {
                        _failures++;
                        _pauses++;
                    }

                    _limit = 1;
                    Pause(Backoff.Delay(Math.Max(1, _failures), options.BackoffMin, options.BackoffMax, retryAfter, options.Randomizer()));
                    break;
                default:
                    _quota.GiveUp(permit.Share);
                    break;
            }

            (changed, _changed) = (_changed, null);
        }

        changed?.TrySetResult();
    }

    /// <summary>Waits as after a number of failures, without pausing others.</summary>
    public Task WaitAsync(int failures, CancellationToken cancellationToken) =>
        Task.Delay(Backoff.Delay(failures, options.BackoffMin, options.BackoffMax, retryAfter: null, options.Randomizer()), _time, cancellationToken);

    bool IsQuick(TimeSpan took)
    {
        if (took < _fastest) _fastest = took;
        return took <= AlwaysQuick || took / 2 <= _fastest;
    }

    void Pause(TimeSpan pause)
    {
        pause = UntilLastTry(NotInALoop(pause));
        if (pause <= Remaining()) return;
        (_pauseBegan, _pause) = (_time.GetTimestamp(), pause);
    }

    TimeSpan? Asked(TimeSpan? retryAfter) =>
        retryAfter is { } asked ? UntilLastTry(NotInALoop(Backoff.Delay(1, options.BackoffMin, options.BackoffMax, asked, 0))) : null;

    /// <summary>Lengthens a pause that the server asked for, so that an answer of 0 does not lead to requests without pause.</summary>
    TimeSpan NotInALoop(TimeSpan pause)
    {
        var least = options.BackoffMin < ShortestPause ? options.BackoffMin : ShortestPause;
        return pause < least ? least : pause;
    }

    /// <summary>Limits a pause that the server asked for, so that the last attempt is made when the longest outage is over.</summary>
    TimeSpan UntilLastTry(TimeSpan pause) => _failingSince is { } since && maxOutage - _time.GetElapsedTime(since) is var left && pause > left ? left : pause;

    TimeSpan Remaining() => _pause == TimeSpan.Zero ? TimeSpan.Zero : _pause - _time.GetElapsedTime(_pauseBegan);
}
