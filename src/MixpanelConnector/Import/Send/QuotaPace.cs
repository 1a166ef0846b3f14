namespace MixpanelConnector.Import.Send;

/// <summary>Leave to send one request at a time that the quota allows.</summary>
/// <param name="Wave">How often the quota had opened or closed by then.</param>
/// <param name="Cost">What the request takes of the quota.</param>
/// <param name="IsProbe">Whether it asks if the quota is open again.</param>
readonly record struct QuotaShare(int Wave, double Cost, bool IsProbe);

/// <summary>
/// The pace that a quota allows, learned from what is taken and refused, whatever the quota's form: a rolling or fixed window, or a
/// bucket that refills, alone or beside others. Nothing is held back until something is refused. Then one request at a time probes,
/// and once it is taken, requests go at the rate that was taken so far. A rate that was refused is lowered, at most to the half; one
/// that is not refused grows, slowly near the last refusal and faster later. What the pace did not use is made up for, by a few seconds.
/// Not safe for several threads; times are seconds of one clock.
/// </summary>
/// <param name="firstWait">The first wait between tries: a probe waits for a part of it at first, and then for all of it.</param>
/// <param name="longestWait">How long a probe waits at last, once the quota has been used up for longer than any window.</param>
sealed class QuotaPace(double firstWait, double longestWait)
{
    /// <summary>The longest window that is known of Mixpanel's quotas, in seconds.</summary>
    const double Window = 60;

    /// <summary>A quota that is closed for longer has a window; it opens with all that had left it.</summary>
    const double WindowCloses = 8;

    /// <summary>Over so many seconds the rate is measured that was taken before a refusal.</summary>
    const double Recent = 8;

    /// <summary>So many requests, over a second or more, make a rate; fewer may all be what had been saved up.</summary>
    const double Enough = 4;

    /// <summary>So many seconds of a pace that was not used are made up for.</summary>
    const double MostUnused = 4;

    /// <summary>A rate may be so much above what was taken.</summary>
    const double Above = 1.02;

    /// <summary>What is left of a rate that was refused: after a while, soon, and before any rate has lasted.</summary>
    const double Lowered = 0.96, LoweredSoon = 0.9, LoweredAtFirst = 0.5;

    /// <summary>So many seconds, at least, are between two samples while requests are taken.</summary>
    const double SampleInterval = 1;

    /// <summary>What was taken in less time is measured as if it had been so long.</summary>
    const double Shortest = 0.05;

    /// <summary>A rate that has grown to so many times what was refused holds nothing back any more.</summary>
    const double Forgotten = 10;

    /// <summary>A window leaves at least this part of a rate.</summary>
    const double LeastLeft = 4;

    /// <summary>After so many seconds without a refusal a rate grows faster, and after as many again much faster.</summary>
    const double Calm = 15;

    /// <summary>The growth a second: near the last refusal, after a calm time, and after a long one or far below.</summary>
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

    /// <summary>What the quota seems to allow a second; null while nothing was refused.</summary>
    public double? Rate => _rate;

    /// <summary>Whether the last answer was that the quota is used up.</summary>
    public bool IsClosed => _closedSince is not null;

    /// <summary>For how many seconds nothing may be sent; infinitely long while a probe is under way, whose answer decides.</summary>
    public double Wait(double now)
    {
        if (IsClosed) return _isProbing ? double.PositiveInfinity : Math.Max(0, _probeAt - now);
        Grow(now);
        return _rate is null ? 0 : Math.Max(0, _next - now);
    }

    /// <summary>A request is sent.</summary>
    public QuotaShare Take(double now, double cost)
    {
        _openSince ??= now; // what came before was no sending
        if (IsClosed) _isProbing = true;
        else if (_rate is { } rate) _next = Math.Min(Math.Max(_next, now - MostUnused) + (cost / rate), now + Window); // however slow: a request in a window tells more
        return new(_wave, cost, IsClosed);
    }

    /// <summary>A request ended with no word of the quota.</summary>
    public void GiveUp(in QuotaShare share) => _isProbing &= !share.IsProbe;

    /// <summary>A request was taken.</summary>
    public void Accept(double now, in QuotaShare share)
    {
        GiveUp(in share);
        _taken += share.Cost;
        _takenSince += share.Cost;
        if (now - _lastSample.At >= SampleInterval) Sample(now);
        if (_closedSince is { } closedSince && share.Wave == _wave) Open(now, closedSince, share.Cost);
    }

    /// <summary>A request was refused for the quota.</summary>
    /// <param name="now">When.</param>
    /// <param name="share">Its share.</param>
    /// <param name="retryAfter">When the server wants to be asked again.</param>
    /// <param name="random">From 0 up to 1: keeps clients apart.</param>
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

        // The longest wait that was asked for holds, whichever answer comes last.
        if (retryAfter is { } asked) _probeAt = Math.Max(_probeAt, now + asked);
    }

    void Open(double now, double closedSince, double cost)
    {
        var openSince = _openSince!.Value;
        var lasted = closedSince - openSince;
        var refusedRate = _rate;
        if (now - closedSince > WindowCloses)
        {
            // What stays closed for longer than a window is something else: as it was taken before, it may be again.
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
            _next = Math.Max(closedSince + (2 * cost / _rate.Value), now - MostUnused); // the probe's own share, and the next one's
        }

        _wave++;
        _closedSince = null;
        (_rateAt, _openSince, _takenSince) = (now, now, 0);

        // Before a rate has lasted, the next one may be far too low: it grows fast to what was refused.
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
        if (_rate > Forgotten * _refusedRate) (_rate, _hasLasted, _openSince) = (null, false, now); // so much more than was refused is no pace: it is learned anew
    }

    void Sample(double now)
    {
        while (_samples.Count > 2 && _samples.Peek().At < _lastSample.At - (2 * Window)) _samples.Dequeue(); // by the last one: while the quota is closed none is added
        _samples.Enqueue(_lastSample = (now, _taken));
    }

    /// <summary>What was taken a second since the last sample before a time; idle time before that is none of it.</summary>
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
