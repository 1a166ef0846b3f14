using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Live;

/// <summary>A reason why records were rejected, and their number.</summary>
readonly record struct Refusals(string Field, string Message, long Count);

/// <summary>The recent history of a project: counts per second for two minutes, and rejections by reason for a day.</summary>
sealed class Recent
{
    public const int Seconds = 120;

    /// <summary>
    /// The maximum number of reasons per quarter of an hour; further ones are combined, because a reason may contain an arbitrary property name.
    /// </summary>
    const int MostReasons = 200;

    /// <summary>The longest day has 25 hours.</summary>
    const int Quarters = 4 * 26;

    static readonly Fault Others = new("", "other reasons");

    readonly Queue<(long Second, long Accepted, long Rejected)> _seconds = new();
    readonly Queue<(long Quarter, Dictionary<Fault, long> Reasons)> _quarters = new();
    (long Second, long Accepted, long Rejected) _now;
    (long Quarter, Dictionary<Fault, long> Reasons) _quarter = (long.MinValue, []);

    public void Accept(DateTimeOffset at, long count)
    {
        Reach(at);
        _now.Accepted += count;
    }

    public void Reject(DateTimeOffset at, Rejection rejection)
    {
        Reach(at);
        _now.Rejected++;
        var quarter = QuarterOf(rejection.At);
        if (quarter != _quarter.Quarter)
        {
            if (_quarter.Reasons.Count > 0) _quarters.Enqueue(_quarter);
            _quarter = (quarter, []);
            while (_quarters.TryPeek(out var oldest) && oldest.Quarter <= quarter - Quarters)
                _quarters.Dequeue();
        }
        var fault = _quarter.Reasons.Count < MostReasons || _quarter.Reasons.ContainsKey(rejection.Fault) ? rejection.Fault : Others;
        _quarter.Reasons[fault] = _quarter.Reasons.GetValueOrDefault(fault) + 1;
    }

    /// <summary>The seconds of the last two minutes in which something was received.</summary>
    public IEnumerable<(long Second, long Accepted, long Rejected)> SecondsUntil(DateTimeOffset at) =>
        _seconds.Append(_now).Where(one => one.Second > at.ToUnixTimeSeconds() - Seconds && one.Accepted + one.Rejected > 0);

    /// <summary>The rejections by reason since a point in time.</summary>
    public IEnumerable<Refusals> RefusalsSince(DateTimeOffset start) =>
        from quarter in _quarters.Append(_quarter)
        where quarter.Quarter >= QuarterOf(start)
        from reason in quarter.Reasons
        select new Refusals(reason.Key.Where, reason.Key.Message, reason.Value);

    static long QuarterOf(DateTimeOffset at) => at.ToUnixTimeSeconds() / (15 * 60); // in every current time zone, days start at a multiple of a quarter

    void Reach(DateTimeOffset at)
    {
        var second = at.ToUnixTimeSeconds();
        if (second == _now.Second) return;
        _seconds.Enqueue(_now);
        _now = (second, 0, 0);
        while (_seconds.TryPeek(out var oldest) && oldest.Second <= second - Seconds)
            _seconds.Dequeue();
    }
}
