using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>What each project has used of its quotas. Without limits everything passes.</summary>
sealed class Quota(EmulatorRateLimits? limits, TimeProvider time)
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    readonly Lock _lock = new();
    readonly Dictionary<int, Usage> _usages = [];

    public static RefusedException Exceeded() => new(429, "Project exceeded rate limits. Please retry the request with exponential backoff.");

    public bool TakeIngestion(int project, int events, long bytes)
    {
        if (limits is null)
            return true;
        lock (_lock)
        {
            var usage = UsageOf(project);
            if (!usage.Bytes.HasRoom(bytes, limits.IngestedBytesPerMinute) || !usage.Events.HasRoom(events, limits.IngestedEventsPerMinute))
                return false;
            usage.Bytes.Add(bytes);
            usage.Events.Add(events);
            return true;
        }
    }

    /// <summary>Begins a query; disposing of the result ends it.</summary>
    public IDisposable BeginQuery(int project)
    {
        if (limits is null)
            return new RunningQuery(null, null);
        lock (_lock)
        {
            var usage = UsageOf(project);
            if (usage.RunningQueries >= limits.ConcurrentQueries || !usage.Queries.HasRoom(1, limits.QueriesPerHour))
                throw Exceeded();
            usage.Queries.Add(1);
            usage.RunningQueries++;
            return new RunningQuery(_lock, usage);
        }
    }

    public void TakeExport(int project)
    {
        if (limits is null)
            return;
        lock (_lock)
        {
            var usage = UsageOf(project);
            if (!usage.Exports.HasRoom(1, limits.ExportsPerHour))
                throw Exceeded();
            usage.Exports.Add(1);
        }
    }

    Usage UsageOf(int project)
    {
        if (!_usages.TryGetValue(project, out var usage))
            _usages.Add(project, usage = new Usage(time));
        return usage;
    }

    sealed class Usage(TimeProvider time)
    {
        public RollingSum Bytes { get; } = new(Minute, time);

        public RollingSum Events { get; } = new(Minute, time);

        public RollingSum Queries { get; } = new(Hour, time);

        public RollingSum Exports { get; } = new(Hour, time);

        public int RunningQueries { get; set; }
    }

    /// <summary>A sum over the last minute or hour.</summary>
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

    sealed class RunningQuery(Lock? quotaLock, Usage? usage) : IDisposable
    {
        public void Dispose()
        {
            if (usage is null)
                return;
            lock (quotaLock!)
                usage.RunningQueries--;
        }
    }
}
