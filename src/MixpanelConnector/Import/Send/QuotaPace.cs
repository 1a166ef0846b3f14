namespace MixpanelConnector.Import.Send;

/// <summary>A permit of the quota to send one request.</summary>
/// <param name="Wave">How often the quota had opened or closed by then.</param>
/// <param name="Cost">The share of the quota that the request uses.</param>
/// <param name="IsProbe">Whether it probes if the quota is open again.</param>
readonly record struct QuotaShare(int Wave, double Cost, bool IsProbe);

/// <summary>
/// The pace that a quota allows, learned from what is accepted and throttled. Works for any kind of quota: a rolling or fixed window, or a
/// token bucket, alone or shared with other clients. Nothing is held back until a request is throttled. Then one request at a time probes,
/// and once it is accepted, requests are sent at the rate accepted so far. A throttled rate is lowered, at most by half. A rate
/// that is not throttled grows, slowly near the last refusal and faster later. Up to a few seconds of unused quota are caught up on.
/// Not thread-safe; times are in seconds of one clock.
/// </summary>
/// <param name="firstWait">The initial backoff: a probe waits for part of it at first, and later for all of it.</param>
/// <param name="longestWait">The maximum wait of a probe, once the quota has been exhausted for longer than any window.</param>
sealed class QuotaPace(double firstWait, double longestWait)
{
    /// <summary>The longest known window of Mixpanel's quotas, in seconds.</summary>
    const double Window = 60;

    /// <summary>A quota that is closed for more seconds than this has a window, and opens with everything that has left the window.</summary>
    const double WindowCloses = 8;

    /// <summary>The number of seconds before a refusal over which the accepted rate is measured.</summary>
    const double Recent = 8;

    /// <summary>The number of requests, over a second or more, that make a rate; fewer may all be unused quota.</summary>
    const double Enough = 4;

    /// <summary>The number of seconds of unused pace that may be caught up on.</summary>
    const double MostUnused = 4;

    /// <summary>The factor by which a rate may exceed what was accepted.</summary>
    const double Above = 1.02;

    /// <summary>The factor applied to a throttled rate: after a while, soon, and before any rate has lasted.</summary>
    const double Lowered = 0.96, LoweredSoon = 0.9, LoweredAtFirst = 0.5;

    /// <summary>The minimum number of seconds between two samples while requests are accepted.</summary>
    const double SampleInterval = 1;

    /// <summary>The minimum duration in seconds for measuring a rate; shorter ones count as this.</summary>
    const double Shortest = 0.05;

    /// <summary>A rate that has grown to this multiple of the throttled rate no longer holds anything back.</summary>
    const double Forgotten = 10;

    /// <summary>A window reduces a rate at most by this divisor.</summary>
    const double LeastLeft = 4;

    /// <summary>The number of seconds without a refusal after which a rate grows faster, and after twice as many much faster.</summary>
    const double Calm = 15;

    /// <summary>The growth per second: near the last refusal, after a calm time, and after a long one or far below.</summary>
    const double Slow = 0.005, Faster = 0.01, Fast = 0.06;

    readonly double _shortestProbe = firstWait * 0.15, _shortProbe = firstWait * 0.75, _longProbe = firstWait, _mostJitter = firstWait / 2;
    readonly Queue<(double At, double Taken)> _samples = new([(0, 0)]);
    double _taken;
    (double At, double Taken) _lastSample;
    double? _rate;
    double _rateAt;
    double _refusedRate;
    double _refusedAt;
    bool _hasLasted;
    double _next;
    int _wave;
    double? _openSince;
    double _takenSince;
    double? _closedSince;
    double _probeAt;
    double _probeWait;
    bool _isProbing;

    /// <summary>The rate per second that the quota seems to allow; null as long as nothing was throttled.</summary>
    public double? Rate => _rate;

    /// <summary>Whether the last response was that the quota is exhausted.</summary>
    public bool IsClosed => _closedSince is not null;

    /// <summary>The number of seconds for which nothing may be sent; infinite while a probe is in flight, whose response decides.</summary>
    public double Wait(double now)
    {
        if (IsClosed) return _isProbing ? double.PositiveInfinity : Math.Max(0, _probeAt - now);
        Grow(now);
        return _rate is null ? 0 : Math.Max(0, _next - now);
    }

    /// <summary>Called when a request is sent.</summary>
    public QuotaShare Take(double now, double cost)
    {
        _openSince ??= now; // nothing was sent before
        if (IsClosed) _isProbing = true;
        else if (_rate is { } rate) _next = Math.Min(Math.Max(_next, now - MostUnused) + (cost / rate), now + Window); // one request per window tells more
        return new(_wave, cost, IsClosed);
    }

    /// <summary>Called when a request ended without a result for the quota.</summary>
    public void GiveUp(in QuotaShare share) => _isProbing &= !share.IsProbe;

    /// <summary>Called when a request was accepted.</summary>
    public void Accept(double now, in QuotaShare share)
    {
        GiveUp(in share);
        _taken += share.Cost;
        _takenSince += share.Cost;
        if (now - _lastSample.At >= SampleInterval) Sample(now);
        if (_closedSince is { } closedSince && share.Wave == _wave) Open(now, closedSince, share.Cost);
    }

    /// <summary>Called when a request was throttled.</summary>
    /// <param name="now">The current time.</param>
    /// <param name="share">The share of the request.</param>
    /// <param name="retryAfter">The wait that the server asked for.</param>
    /// <param name="random">From 0 up to 1: jitter, so that clients do not act in step.</param>
    public void Refuse(double now, in QuotaShare share, double? retryAfter, double random)
    {
        GiveUp(in share);
        if (share.Wave == _wave)
        {
            _wave++;
            if (_closedSince is not { } since)
            {
                Grow(now);
                _closedSince = now;
                _probeWait = _rate is { } rate ? Math.Clamp(share.Cost / rate, _shortestProbe, _shortProbe) : _shortestProbe;
                (_refusedRate, _refusedAt) = (_rate ?? 0, now);
            }
            else
            {
                _probeWait = now - since <= Window ? Math.Min(_probeWait * 1.5, _longProbe) : Math.Min(_probeWait * 2, longestWait);
            }

            _probeAt = now + _probeWait + (Math.Min(_probeWait / 4, _mostJitter) * random);
        }

        // The longest requested wait applies, regardless of which response arrives last.
        if (retryAfter is { } asked) _probeAt = Math.Max(_probeAt, now + asked);
    }

    void Open(double now, double closedSince, double cost)
    {
        var openSince = _openSince!.Value;
        var lasted = closedSince - openSince;
        var refusedRate = _rate;
        if (now - closedSince > WindowCloses)
        {
            // What stays closed for longer than a window is not the quota: the rate accepted before may be accepted again.
            var before = (_taken - cost - SampleAt(closedSince - Window).Taken) / Window;
            _rate = now - closedSince > Window ? Math.Max(before, cost / Window) : Math.Max(TakenSince(now - Window, now), before / LeastLeft);
            _hasLasted = true;
            _next = now + (cost / _rate.Value);
        }
        else if (_rate is not { } rate)
        {
            _rate = TakenSince(Math.Max(openSince, now - Window), now);
            _next = now + (cost / _rate.Value);
        }
        else
        {
            var enough = Math.Max(1, Enough * cost / rate);
            _hasLasted |= lasted > enough;
            var lowered = rate * (lasted > enough ? Lowered : _hasLasted ? LoweredSoon : LoweredAtFirst);
            if (_takenSince >= Enough * cost) lowered = Math.Min(lowered, Above * TakenSince(Math.Max(openSince, now - Math.Max(Recent, enough)), now));
            _rate = Math.Max(lowered, rate / 2);
            _next = Math.Max(closedSince + (2 * cost / _rate.Value), now - MostUnused); // the share of the probe, and that of the next request
        }

        _wave++;
        _closedSince = null;
        (_rateAt, _openSince, _takenSince) = (now, now, 0);

        // Before a rate has lasted, the next one may be far too low: it grows quickly up to the throttled rate.
        (_refusedRate, _refusedAt) = (_hasLasted ? _rate.Value : refusedRate ?? _rate.Value, now);
        Sample(now);
    }

    void Grow(double now)
    {
        if (_rate is not { } rate) return;
        var calm = now - _refusedAt;
        var growth = rate < 0.9 * _refusedRate || calm > 2 * Calm ? Fast : calm > Calm ? Faster : Slow;
        _rate = rate * Math.Pow(1 + growth, now - _rateAt);
        _rateAt = now;
        if (_rate > Forgotten * _refusedRate) (_rate, _hasLasted, _openSince) = (null, false, now); // too far above the throttled rate: learn it again
    }

    void Sample(double now)
    {
        while (_samples.Count > 2 && _samples.Peek().At < _lastSample.At - (2 * Window)) _samples.Dequeue(); // none is added while the quota is closed
        _samples.Enqueue(_lastSample = (now, _taken));
    }

    /// <summary>The rate accepted since the last sample before a time, excluding idle time before it.</summary>
    double TakenSince(double since, double now)
    {
        var from = SampleAt(since);
        return (_taken - from.Taken) / Math.Max(now - Math.Max(from.At, since - SampleInterval), Shortest);
    }

    (double At, double Taken) SampleAt(double time)
    {
        var last = _samples.Peek();
        foreach (var sample in _samples)
        {
            if (sample.At > time) break;
            last = sample;
        }

        return last;
    }
}
