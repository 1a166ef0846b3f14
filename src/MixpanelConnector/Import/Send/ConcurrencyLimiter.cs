using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>What an answer says about the pace.</summary>
enum Answer
{
    /// <summary>Mixpanel took the request, or refused its content: it is there.</summary>
    Served,

    /// <summary>Too many requests.</summary>
    Busy,

    /// <summary>No answer, or none of Mixpanel's.</summary>
    Down,

    /// <summary>The try was given up from this side.</summary>
    GivenUp,
}

/// <summary>A permit to send one request. Disposed without an answer, it is given back as one that was given up.</summary>
/// <param name="limiter">Whose it is.</param>
/// <param name="pauses">How many pauses there had been when it was given.</param>
/// <param name="share">Its share of the quota.</param>
/// <param name="began">When it was given.</param>
sealed class Permit(ConcurrencyLimiter limiter, int pauses, QuotaShare share, long began) : IDisposable
{
    public int Pauses => pauses;

    public QuotaShare Share => share;

    public long Began => began;

    /// <summary>Whether it was given back.</summary>
    public bool IsReturned { get; set; }

    public void Dispose() => limiter.Return(this, Answer.GivenUp);
}

/// <summary>
/// The one pace of all senders. An outage pauses every one of them; after it a single request probes. A quota that is used up sets the
/// pace of all (<see cref="QuotaPace"/>). The number of concurrent requests grows by one for each round that was served quickly.
/// </summary>
sealed class ConcurrencyLimiter(int most, int begin, MixpanelOptions options, TimeSpan maxOutage)
{
    // A server that asks for no wait at all is still not asked in a loop.
    static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    // Timers know whole milliseconds: what is less is no wait.
    const double ShortestTimer = 0.001;

    // The quota of imports: 2 GB of JSON or 1.8 million records a minute. So many bytes count as a record; more in a record use the former up first.
    const double BytesOfARecord = 2e9 / 1.8e6;

    // Up to here an answer is quick however fast others were; above, one that took twice as long as the fastest is not.
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

    /// <summary>The records a second that the quota seems to allow; null while it was not met.</summary>
    public double? QuotaRate
    {
        get
        {
            lock (_lock) return _quota.Rate * _recordsByCost;
        }
    }

    /// <summary>How long nothing was served; zero while all is well.</summary>
    public TimeSpan Outage
    {
        get
        {
            lock (_lock) return _failingSince is { } since ? _time.GetElapsedTime(since) : TimeSpan.Zero;
        }
    }

    /// <summary>Waits for leave to send what was never sent.</summary>
    public ValueTask<Permit> EnterAsync(CancellationToken cancellationToken) => EnterAsync(isRetry: false, records: 1, bytes: 0, cancellationToken);

    /// <summary>Waits for leave to send. What is sent again goes first: what its answers tell is told with the fewest requests.</summary>
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
                    // A shorter wait would end at once, again and again.
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

    /// <summary>Gives the leave back, with what came of it; once is enough.</summary>
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
                    // Requests that were under way together fail together: that is one failure, or a single outage would cost the longest wait.
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

    /// <summary>Waits as after so many failures, but alone.</summary>
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

    TimeSpan? Asked(TimeSpan? retryAfter) => retryAfter is { } asked ? UntilLastTry(NotInALoop(Backoff.Delay(1, options.BackoffMin, options.BackoffMax, asked, 0))) : null;

    TimeSpan NotInALoop(TimeSpan pause) => pause < ShortestPause && options.BackoffMin >= ShortestPause ? ShortestPause : pause;

    /// <summary>However long the server asks to wait: the last try is made when the longest outage is over.</summary>
    TimeSpan UntilLastTry(TimeSpan pause) => _failingSince is { } since && maxOutage - _time.GetElapsedTime(since) is var left && pause > left ? left : pause;

    TimeSpan Remaining() => _pause == TimeSpan.Zero ? TimeSpan.Zero : _pause - _time.GetElapsedTime(_pauseBegan);
}
