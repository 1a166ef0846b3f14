using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>The used quotas of each project. Without limits, everything is allowed.</summary>
sealed class Quota(EmulatorRateLimits? limits, TimeProvider time)
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    static readonly TimeSpan Day = TimeSpan.FromDays(1);

    readonly Lock _lock = new();
    readonly Dictionary<(int Owner, string What), RollingSum> _sums = [];
    readonly Dictionary<(int Owner, string What), int> _running = [];

    public static RefusedException Exceeded() => new(429, "Project exceeded rate limits. Please retry the request with exponential backoff.");

    public bool TakeIngestion(int project, int events, long bytes) => limits is null || TryTake(
        project, new Use("ingested bytes", bytes, Minute, limits.IngestedBytesPerMinute),
        new Use("ingested events", events, Minute, limits.IngestedEventsPerMinute));

    /// <summary>Resets the used quotas: of all, or of one project.</summary>
    public void Forget(int? project = null)
    {
        lock (_lock)
        {
            foreach (var key in _sums.Keys.Where(key => project is null || key.Owner == project).ToList())
                _sums.Remove(key);
        }
    }

    /// <summary>Starts a query; dispose the result to end it.</summary>
    public IDisposable BeginQuery(int project) => limits is null
        ? new Running(null)
        : Begin(project, "queries", limits.ConcurrentQueries, new Use("queries", 1, Hour, limits.QueriesPerHour));

    /// <summary>Starts an export; dispose the result to end it.</summary>
    public IDisposable BeginExport(int project) => limits is null
        ? new Running(null)
        : Begin(
            project, "exports", limits.ConcurrentExports,
            new Use("exports", 1, Hour, limits.ExportsPerHour), new Use("exports in a second", 1, Second, limits.ExportsPerSecond));

    public void TakeTableReplacement(int project)
    {
        if (limits is not null && !TryTake(project, new Use("table replacements", 1, Day, limits.LookupTableReplacementsPerDay))) throw Exceeded();
    }

    public void TakeDeletionRequest(int project)
    {
        if (limits is not null && !TryTake(project, new Use("GDPR requests", 1, Second, limits.GdprRequestsPerSecond))) throw Exceeded();
    }

    /// <summary>The quotas of schemas are per organization.</summary>
    public void TakeSchemas(int organization, int entries)
    {
        if (limits is not null && !TryTake(
            -organization, new Use("schema requests", 1, Minute, limits.SchemaRequestsPerMinute),
            new Use("schema entries", entries, Minute, limits.SchemaEntriesPerMinute)))
            throw Exceeded();
    }

    Running Begin(int owner, string what, int most, params ReadOnlySpan<Use> uses)
    {
        lock (_lock)
        {
            var key = (owner, what);
            if (_running.GetValueOrDefault(key) >= most || !TryTake(owner, uses)) throw Exceeded();
            _running[key] = _running.GetValueOrDefault(key) + 1;
            return new Running(() =>
            {
                lock (_lock)
                    _running[key]--;
            });
        }
    }

    /// <summary>Takes all of them, or none.</summary>
    bool TryTake(int owner, params ReadOnlySpan<Use> uses)
    {
        lock (_lock)
        {
            foreach (var use in uses)
            {
                if (!SumOf(owner, use).HasRoom(use.Amount, use.Limit)) return false;
            }
            foreach (var use in uses)
                SumOf(owner, use).Add(use.Amount);
            return true;
        }
    }

    RollingSum SumOf(int owner, in Use use)
    {
        if (!_sums.TryGetValue((owner, use.What), out var sum)) _sums.Add((owner, use.What), sum = new RollingSum(use.Window, time));
        return sum;
    }

    readonly record struct Use(string What, long Amount, TimeSpan Window, long Limit);

    /// <summary>A sum over the last second, minute, hour or day.</summary>
    sealed class RollingSum(TimeSpan window, TimeProvider time)
    {
        readonly Queue<(DateTimeOffset At, long Amount)> _entries = new();
        long _sum;

        public bool HasRoom(long amount, long limit)
        {
            var oldest = time.GetUtcNow() - window;
            while (_entries.TryPeek(out var entry) && entry.At <= oldest)
                _sum -= _entries.Dequeue().Amount;
            return _sum + amount <= limit;
        }

        public void Add(long amount)
        {
            _entries.Enqueue((time.GetUtcNow(), amount));
            _sum += amount;
        }
    }

    sealed class Running(Action? end) : IDisposable
    {
        public void Dispose() => end?.Invoke();
    }
}
