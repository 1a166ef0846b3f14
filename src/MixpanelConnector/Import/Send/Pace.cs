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

/// <summary>
/// The one pace of all senders. A rate limit or an outage pauses every one of them; after an outage a single request probes.
/// The number of concurrent requests grows by one for each round that was served, and halves on a rate limit.
/// </summary>
sealed class Pace(int most, int begin, MixpanelOptions options, TimeSpan maxOutage)
{
    // A server that asks for no wait at all is still not asked in a loop.
    static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    readonly TimeProvider _time = options.TimeProvider;
    int _limit = begin;
    int _active;
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

    /// <summary>Waits for leave to send.</summary>
    public async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task wait;
            lock (_lock)
            {
                if (Remaining() is { Ticks: > 0 } pause)
                {
                    wait = Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(pause.TotalMilliseconds)), _time, cancellationToken); // a part of a millisecond would be no wait
                }
                else if (_active < _limit)
                {
                    _active++;
                    return;
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

    /// <summary>Gives the leave back, with what came of it.</summary>
    public void Leave(Answer answer, TimeSpan? retryAfter = null)
    {
        TaskCompletionSource? changed;
        lock (_lock)
        {
            _active--;
            switch (answer)
            {
                case Answer.Served:
                    (_failures, _failingSince) = (0, null);
                    if (++_served >= _limit && _limit < most) (_limit, _served) = (_limit + 1, 0);
                    break;
                case Answer.Busy or Answer.Down:
                    _failingSince ??= _time.GetTimestamp();
                    _failures++;
                    _limit = answer is Answer.Down ? 1 : Math.Max(1, _limit / 2);
                    _served = 0;
                    Pause(Backoff.Delay(_failures, options.BackoffMin, options.BackoffMax, retryAfter, options.Randomizer()));
                    break;
            }

            (changed, _changed) = (_changed, null);
        }

        changed?.TrySetResult();
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
