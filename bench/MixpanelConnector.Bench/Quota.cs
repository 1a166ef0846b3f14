using System.Globalization;

namespace MixpanelConnector.Bench;

/// <summary>
/// A quota as servers enforce it: <c>rolling EVENTS</c> or <c>fixed EVENTS</c> per minute, or a token bucket <c>bucket EVENTS</c> per second. The bucket holds
/// the events of a second, or with <c>saved-up</c> those of a minute. With <c>halves</c> the quota is halved after 150 seconds.
/// </summary>
sealed class Quota
{
    const double Window = 60;

    readonly double _limit;
    readonly double _most;
    readonly bool _halves;
    readonly Func<double, int, double> _admit;
    readonly Queue<(double At, int Events)> _taken = new();
    double _sum;
    double _last;

    public Quota(string quota)
    {
        var words = quota.Split(' ');
        _limit = double.Parse(words[1], CultureInfo.InvariantCulture);
        _halves = words.Contains("halves");
        _most = words.Contains("saved-up") ? Window * _limit : _limit;
        _admit = words[0] switch
        {
            "rolling" => Rolling,
            "fixed" => Fixed,
            "bucket" => Bucket,
            _ => throw new ArgumentException("Say rolling, fixed or bucket.", nameof(quota)),
        };
        _sum = words[0] is "bucket" ? _most : 0;
    }

    /// <summary>Admits events and returns 0, or returns the seconds until they could be admitted.</summary>
    /// <param name="now">The seconds since the start.</param>
    /// <param name="events">The number of events.</param>
    public double Admit(double now, int events) => _admit(now, events);

    double Limit(double now) => _halves && now > 150 ? _limit / 2 : _limit;

    double Rolling(double now, int events)
    {
        while (_taken.TryPeek(out var oldest) && oldest.At <= now - Window) _sum -= _taken.Dequeue().Events;
        var over = _sum + events - Limit(now);
        if (over <= 0)
        {
            _taken.Enqueue((now, events));
            _sum += events;
            return 0;
        }

        foreach (var (at, each) in _taken)
            if ((over -= each) <= 0) return at + Window - now;

        return Window;
    }

    double Fixed(double now, int events)
    {
        const double Begun = 17; // the first window is already in progress
        var window = Math.Floor((now + Begun) / Window);
        if (window != _last) (_last, _sum) = (window, 0);
        if (_sum + events > Limit(now)) return ((window + 1) * Window) - now - Begun;
        _sum += events;
        return 0;
    }

    double Bucket(double now, int events)
    {
        _sum = Math.Min(_most, _sum + ((now - _last) * Limit(now)));
        _last = now;
        if (_sum < events) return (events - _sum) / Limit(now);
        _sum -= events;
        return 0;
    }
}
