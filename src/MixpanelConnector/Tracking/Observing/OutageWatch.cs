using Microsoft.Extensions.Logging;

namespace MixpanelConnector.Tracking.Observing;

/// <summary>
/// Tracks whether Mixpanel accepts records, for the log, the health check and a metric. A failure that the next try resolves is not an outage.
/// A failure that repeats is one, as is a missing answer, or an error that no retry can resolve.
/// </summary>
/// <param name="logger">Logs the beginning and the end of an outage.</param>
/// <param name="time">The clock.</param>
/// <param name="waiting">Returns the number of waiting records of a kind.</param>
sealed partial class OutageWatch(ILogger logger, TimeProvider time, Func<TrackedKind, long> waiting)
{
    // Limits the log lines when Mixpanel's availability changes by the second.
    static readonly TimeSpan BetweenAnnouncements = TimeSpan.FromMinutes(1);

    readonly TimeProvider _time = time;
    readonly Lock _lock = new();
    readonly Failing?[] _failing = new Failing?[3];
    volatile bool _isAnyFailing;
    long? _announcedAt;
    bool _isAnnounced;
    bool _isAnnouncedForGood;

    /// <summary>The last error of a kind that has waiting records; null while there is no outage.</summary>
    public MixpanelError? Error => Open().Select(failing => failing.Error).FirstOrDefault();

    /// <summary>Returns the time for which no record of the kind was accepted; zero while there is no outage, or nothing waits.</summary>
    public TimeSpan Lasts(TrackedKind kind)
    {
        Failing? failing;
        lock (_lock) failing = _failing[(int)kind];
        return failing is { IsOpen: true } && waiting(kind) > 0 ? _time.GetElapsedTime(failing.Since) : TimeSpan.Zero;
    }

    /// <summary>The duration of the longest outage of any kind.</summary>
    public TimeSpan Longest => Enum.GetValues<TrackedKind>().Max(Lasts);

    /// <summary>Expects an answer from now on, until the returned object is disposed. When none arrives in time, that is an outage.</summary>
    public Due Await(TrackedKind kind, TimeSpan patience, string host) => new(this, kind, patience, host);

    /// <summary>Notes a request that failed.</summary>
    /// <param name="kind">The kind of its records.</param>
    /// <param name="error">The error.</param>
    /// <param name="again">Whether it was a retry.</param>
    /// <param name="forGood">Whether no retry will help until somebody fixes the cause.</param>
    public void Failed(TrackedKind kind, MixpanelError error, bool again, bool forGood = false)
    {
        lock (_lock) Note(kind, error, _time.GetTimestamp(), again || forGood, forGood);
        Announce();
    }

    /// <summary>Notes a request that succeeded.</summary>
    public void Served(TrackedKind kind)
    {
        if (!_isAnyFailing) return;
        var waits = Enum.GetValues<TrackedKind>().Select(waiting).ToList();
        TimeSpan? lasted = null;
        lock (_lock)
        {
            var since = _failing.Min(failing => failing is { IsOpen: true } ? failing.Since : (long?)null);
            _failing[(int)kind] = null;
            for (var other = 0; other < _failing.Length; other++)
                if (waits[other] == 0) _failing[other] = null; // its records were given up, so nothing waits
            _isAnyFailing = _failing.Any(failing => failing is not null);
            if (_failing.Any(failing => failing is { IsOpen: true })) return;
            if (_isAnnounced && since is { } began) lasted = _time.GetElapsedTime(began);
            _isAnnounced = _isAnnouncedForGood = false;
        }

        if (lasted is { } span) LogEnded(span.TotalSeconds, waits.Sum());
    }

    List<Failing> Open()
    {
        if (!_isAnyFailing) return [];
        List<(TrackedKind Kind, Failing Failing)> open;
        lock (_lock)
            open = [.. Enum.GetValues<TrackedKind>().Where(kind => _failing[(int)kind] is { IsOpen: true }).Select(kind => (kind, _failing[(int)kind]!))];
        return [.. open.Where(each => waiting(each.Kind) > 0).OrderByDescending(each => each.Failing.IsForGood).Select(each => each.Failing)];
    }

    void Note(TrackedKind kind, MixpanelError error, long at, bool isOpen, bool isForGood)
    {
        var before = _failing[(int)kind];
        _failing[(int)kind] = new(error, before?.Since ?? at, isOpen || before is { IsOpen: true }, isForGood);
        _isAnyFailing = true;
    }

    void Announce()
    {
        MixpanelError error;
        bool forGood;
        lock (_lock)
        {
            if (_failing.Where(failing => failing is { IsOpen: true }).MaxBy(failing => failing!.IsForGood) is not { } worst) return;
            (error, forGood) = (worst.Error, worst.IsForGood);
            if (_isAnnounced && (_isAnnouncedForGood || !forGood)) return;
            if (!_isAnnounced && _announcedAt is { } at && _time.GetElapsedTime(at) < BetweenAnnouncements) return;
            (_isAnnounced, _isAnnouncedForGood, _announcedAt) = (true, forGood, _time.GetTimestamp());
        }

        if (forGood) LogRefused(error.Logged);
        else LogBegan(error.Logged);
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Mixpanel is not accepting records. They are kept while there is room, and sending is retried. {Message}")]
    partial void LogBegan(string message);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "Tracked records are not accepted. They are kept while there is room, until the cause is fixed. {Message}")]
    partial void LogRefused(string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mixpanel accepts records again, after {Seconds:0} seconds; {Count} were waiting")]
    partial void LogEnded(double seconds, long count);

    sealed record Failing(MixpanelError Error, long Since, bool IsOpen, bool IsForGood);

    /// <summary>An expected answer.</summary>
    public sealed class Due : IDisposable
    {
        readonly OutageWatch _outage;
        readonly ITimer _timer;
        bool _isOver;

        public Due(OutageWatch outage, TrackedKind kind, TimeSpan patience, string host)
        {
            _outage = outage;
            var asked = outage._time.GetTimestamp();
            _timer = outage._time.CreateTimer(
                _ => IsLate(kind, new(ErrorKind.Timeout, $"{host} has not responded for {patience.TotalSeconds:0} seconds."), asked), null, patience,
                Timeout.InfiniteTimeSpan);
        }

        public void Dispose()
        {
            lock (_outage._lock) _isOver = true;
            _timer.Dispose();
        }

        void IsLate(TrackedKind kind, MixpanelError error, long asked)
        {
            lock (_outage._lock)
            {
                if (_isOver) return;
                _outage.Note(kind, error, asked, isOpen: true, isForGood: false);
            }

            _outage.Announce();
        }
    }
}
