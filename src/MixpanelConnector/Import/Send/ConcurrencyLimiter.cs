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
/// <param name="began">When that was.</param>
sealed class Permit(ConcurrencyLimiter limiter, int pauses, long began) : IDisposable
{
    public int Pauses => pauses;

    public long Began => began;

    /// <summary>Whether it was given back.</summary>
    public bool IsReturned { get; set; }

    public void Dispose() => limiter.Return(this, Answer.GivenUp);
}

/// <summary>
/// The one pace of all senders. A rate limit or an outage pauses every one of them; after an outage a single request probes.
/// The number of concurrent requests grows by one for each round that was served quickly, and halves on a rate limit.
/// </summary>
sealed class ConcurrencyLimiter(int most, int begin, MixpanelOptions options, TimeSpan maxOutage)
{
    // A server that asks for no wait at all is still not asked in a loop.
    static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    // Up to here an answer is quick however fast others were; above, one that took twice as long as the fastest is not.
    static readonly TimeSpan AlwaysQuick = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    readonly TimeProvider _time = options.TimeProvider;
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
            lock (_lock) return Remaining() > TimeSpan.Zero;
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
    public ValueTask<Permit> EnterAsync(CancellationToken cancellationToken) => EnterAsync(isRetry: false, cancellationToken);

    /// <summary>Waits for leave to send. What is sent again goes first: what its answers tell is told with the fewest requests.</summary>
    public async ValueTask<Permit> EnterAsync(bool isRetry, CancellationToken cancellationToken)
    {
        if (!isRetry) return await WaitForPermitAsync(isRetry, cancellationToken).ConfigureAwait(false);
        lock (_lock) _retrying++;
        try
        {
            return await WaitForPermitAsync(isRetry, cancellationToken).ConfigureAwait(false);
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

    async ValueTask<Permit> WaitForPermitAsync(bool isRetry, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task wait;
            lock (_lock)
            {
                if (Remaining() is { Ticks: > 0 } pause)
                {
                    // Timers know whole milliseconds: a shorter wait would end at once, again and again.
                    wait = Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(pause.TotalMilliseconds)), _time, cancellationToken);
                }
                else if (_active < _limit && (isRetry || _retrying == 0))
                {
                    _active++;
                    return new(this, _pauses, _time.GetTimestamp());
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
                    (_failures, _failingSince) = (0, null);
                    if (IsQuick(_time.GetElapsedTime(permit.Began)) && ++_served >= _limit && _limit < most) (_limit, _served) = (_limit + 1, 0);
                    break;
                case Answer.Busy or Answer.Down:
                    _failingSince ??= _time.GetTimestamp();
                    _served = 0;
                    // Requests that were under way together fail together: that is one failure, or a single limit would cost the longest wait.
                    if (permit.Pauses == _pauses)
                    {
                        _failures++;
                        _pauses++;
                        _limit = Math.Max(1, _limit / 2);
                    }

                    if (answer is Answer.Down) _limit = 1;
                    Pause(Backoff.Delay(Math.Max(1, _failures), options.BackoffMin, options.BackoffMax, retryAfter, options.Randomizer()));
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
        if (pause < ShortestPause && options.BackoffMin >= ShortestPause) pause = ShortestPause;
        // However long the server asks to wait: the last try is made when the longest outage is over.
        if (_failingSince is { } since && maxOutage - _time.GetElapsedTime(since) is var left && pause > left) pause = left;
        if (pause <= Remaining()) return;
        (_pauseBegan, _pause) = (_time.GetTimestamp(), pause);
    }

    TimeSpan Remaining() => _pause == TimeSpan.Zero ? TimeSpan.Zero : _pause - _time.GetElapsedTime(_pauseBegan);
}
