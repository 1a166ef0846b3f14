namespace MixpanelConnector.Emulator.Reports;

/// <summary>What a report counts: events, unique users, or events per user.</summary>
enum CountType { General, Unique, Average }

/// <summary>Assigns numbers to the users of one report, so that sets of them are small.</summary>
sealed class Users
{
    public const int Nobody = -1;

    readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);

    public int NumberOf(string distinctId)
    {
        if (distinctId == "") return Nobody;
        if (!_numbers.TryGetValue(distinctId, out var number)) _numbers.Add(distinctId, number = _numbers.Count);
        return number;
    }
}

/// <summary>The counts of one segment, per bucket.</summary>
sealed class Tally(CountType type, int buckets)
{
    readonly long[] _events = new long[buckets];
    readonly HashSet<int>?[] _users = new HashSet<int>?[buckets];

    public void Add(int bucket, int user)
    {
        _events[bucket]++;
        if (type != CountType.General && user != Users.Nobody) (_users[bucket] ??= []).Add(user);
    }

    public double ValueOf(int bucket) => Of(_events[bucket], _users[bucket]?.Count ?? 0);

    /// <summary>The total by which segments are ranked, as if all buckets were one.</summary>
    public double Total()
    {
        if (type == CountType.General) return _events.Sum();
        var everyone = new HashSet<int>();
        foreach (var users in _users)
            everyone.UnionWith(users ?? []);
        return Of(_events.Sum(), everyone.Count);
    }

    double Of(long events, int users) => type switch
    {
        CountType.General => events,
        CountType.Unique => users,
        _ => users == 0 ? 0 : (double)events / users,
    };
}

/// <summary>The tallies of a report by segment.</summary>
sealed class Tallies(CountType type, Buckets buckets)
{
    readonly Dictionary<string, Tally> _segments = new(StringComparer.Ordinal);
    readonly Users _users = new();

    /// <summary>Counts the current event of a cursor.</summary>
    public void Add(string segment, EventCursor cursor) => Add(segment, buckets.IndexOf(cursor.Time), type == CountType.General ? "" : cursor.DistinctId);

    public void Add(string segment, int bucket, string distinctId)
    {
        if (!_segments.TryGetValue(segment, out var tally)) _segments.Add(segment, tally = new Tally(type, buckets.Count));
        tally.Add(bucket, type == CountType.General ? Users.Nobody : _users.NumberOf(distinctId));
    }

    /// <summary>Adds a segment that is shown even if nothing is counted in it.</summary>
    public void Ensure(string segment) => _segments.TryAdd(segment, new Tally(type, buckets.Count));

    /// <summary>The largest segments, largest first.</summary>
    public IReadOnlyList<KeyValuePair<string, Tally>> Top(int limit = int.MaxValue) =>
        [.. _segments.OrderByDescending(segment => segment.Value.Total()).ThenBy(segment => segment.Key, StringComparer.Ordinal).Take(limit)];
}
