using System.Text;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Live;

/// <summary>An event as watchers see it.</summary>
readonly record struct SeenEvent(string Name, DateTimeOffset Time, string DistinctId, string InsertId, string Properties)
{
    /// <summary>The maximum length of properties that is shown: an event may have a megabyte.</summary>
    public const int MostProperties = 8192;

    public static string Shown(ReadOnlySpan<byte> properties) =>
        Encoding.UTF8.GetString(properties[..Math.Min(properties.Length, MostProperties)]) + (properties.Length > MostProperties ? "…" : "");
}

/// <summary>
/// The live feed of received records, for watchers. The latest rejections are kept for watchers that connect later; they are stored nowhere else.
/// </summary>
/// <param name="screens">The clock of the watchers: the real one, whatever clock the events use.</param>
sealed class Feed(TimeProvider screens)
{
    const int KeptRejections = 500;

    readonly Lock _lock = new();
    readonly List<Watcher> _watchers = [];
    readonly Queue<Rejection> _rejections = new();
    readonly Dictionary<int, Recent> _recent = [];
    readonly Recent _ofNoProject = new();

    /// <summary>Reports events that have been stored.</summary>
    public void Stored(EventBatch batch)
    {
        lock (_lock)
        {
            foreach (var own in batch.Rows.CountBy(row => row.ProjectId))
                RecentOf(own.Key).Accept(Now, own.Value);
            foreach (var watcher in _watchers)
                watcher.Add(batch);
        }
    }

    public void Rejected(IEnumerable<Rejection> rejections)
    {
        lock (_lock)
        {
            foreach (var rejection in rejections)
            {
                if (_rejections.Count == KeptRejections) _rejections.Dequeue();
                _rejections.Enqueue(rejection);
                RecentOf(rejection.ProjectId).Reject(Now, rejection);
                foreach (var watcher in _watchers)
                    watcher.Add(rejection);
            }
        }
    }

    /// <summary>Discards the kept rejections: all, or those of a project.</summary>
    public void Forget(int? projectId = null)
    {
        lock (_lock)
        {
            var others = _rejections.Where(rejection => projectId is not null && rejection.ProjectId != projectId).ToList();
            _rejections.Clear();
            others.ForEach(_rejections.Enqueue);
            if (projectId is { } id) _recent.Remove(id);
            else _recent.Clear();
        }
    }

    DateTimeOffset Now => screens.GetUtcNow();

    Recent RecentOf(int? projectId)
    {
        if (projectId is not { } id) return _ofNoProject;
        if (!_recent.TryGetValue(id, out var recent)) _recent[id] = recent = new Recent();
        return recent;
    }

    /// <summary>Starts to watch a project, beginning with the kept rejections.</summary>
    public Watcher Watch(int projectId)
    {
        var watcher = new Watcher(this, projectId);
        lock (_lock)
        {
            watcher.AddKept(_rejections);
            _watchers.Add(watcher);
        }
        return watcher;
    }

    /// <summary>What one project received since the last call: all of it counted, and part of it shown.</summary>
    public sealed class Watcher(Feed feed, int projectId) : IDisposable
    {
        /// <summary>More than anybody can read at once.</summary>
        public const int MostShown = 50;

        readonly SemaphoreSlim _something = new(0, 1);
        Seen _seen = new();

        /// <summary>Waits until there is something to show; returns false on timeout.</summary>
        public Task<bool> WaitAsync(TimeSpan longest, CancellationToken cancellationToken) => _something.WaitAsync(longest, cancellationToken);

        /// <summary>Takes what has accumulated.</summary>
        public Seen Take()
        {
            lock (feed._lock)
            {
                _something.Wait(0, CancellationToken.None);
                (var seen, _seen) = (_seen, new Seen());
                return seen;
            }
        }

        /// <summary>The counts for each second of the last two minutes.</summary>
        public IReadOnlyList<(long Second, long Accepted, long Rejected)> Seconds()
        {
            lock (feed._lock)
            {
                var now = feed.Now;
                return [.. feed.RecentOf(projectId).SecondsUntil(now).Concat(feed._ofNoProject.SecondsUntil(now)).OrderBy(one => one.Second)];
            }
        }

        /// <summary>The rejections since a point in time, by reason, the most frequent first.</summary>
        public IReadOnlyList<Refusals> RefusalsSince(DateTimeOffset start)
        {
            lock (feed._lock)
            {
                return
                [
                    .. feed.RecentOf(projectId).RefusalsSince(start).Concat(feed._ofNoProject.RefusalsSince(start))
                        .GroupBy(one => (one.Field, one.Message), (reason, all) => new Refusals(reason.Field, reason.Message, all.Sum(one => one.Count)))
                        .OrderByDescending(one => one.Count),
                ];
            }
        }

        public void Dispose()
        {
            lock (feed._lock)
                feed._watchers.Remove(this);
            _something.Dispose();
        }

        internal void Add(EventBatch batch)
        {
            var own = batch.Rows.Count(row => row.ProjectId == projectId);
            if (own == 0) return;
            _seen.Accepted += own;
            foreach (var row in batch.Rows.Where(row => row.ProjectId == projectId))
                (_seen.First, _seen.Last) = (row.Time < _seen.First ? row.Time : _seen.First, row.Time > _seen.Last ? row.Time : _seen.Last);
            foreach (var row in batch.Rows.Where(row => row.ProjectId == projectId).Skip(own - MostShown))
            {
                if (_seen.Events.Count == MostShown) _seen.Events.Dequeue();
                _seen.Events.Enqueue(new SeenEvent(row.Name, row.Time, row.DistinctId, row.InsertId, SeenEvent.Shown(batch.TextOf(row))));
            }
            Wake();
        }

        internal void Add(Rejection rejection)
        {
            if (rejection.ProjectId is { } id && id != projectId) return;
            _seen.Rejected++;
            if (_seen.Rejections.Count == MostShown) _seen.Rejections.Dequeue();
            _seen.Rejections.Enqueue(rejection);
            Wake();
        }

        /// <summary>Adds rejections without counting them, because they were counted when they arrived.</summary>
        internal void AddKept(IEnumerable<Rejection> rejections)
        {
            foreach (var rejection in rejections.Where(rejection => rejection.ProjectId is null || rejection.ProjectId == projectId))
                _seen.Rejections.Enqueue(rejection);
        }

        void Wake()
        {
            if (_something.CurrentCount == 0) _something.Release();
        }
    }

    /// <summary>What was received in a period: the counts include everything, the lists contain the latest.</summary>
    public sealed class Seen
    {
        public long Accepted { get; set; }

        public long Rejected { get; set; }

        /// <summary>The times of the earliest and the latest event; the first is after the last if there is no event.</summary>
        public DateTimeOffset First { get; set; } = DateTimeOffset.MaxValue;

        public DateTimeOffset Last { get; set; } = DateTimeOffset.MinValue;

        public Queue<SeenEvent> Events { get; } = new();

        public Queue<Rejection> Rejections { get; } = new();
    }
}
