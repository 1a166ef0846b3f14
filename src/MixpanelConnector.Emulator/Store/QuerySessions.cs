using System.Globalization;
using System.Security.Cryptography;

namespace MixpanelConnector.Emulator.Store;

/// <summary>What a profile query found, so that its pages neither lose nor repeat a profile while others come and go.</summary>
sealed record QuerySession(string Id, ProfileKind Kind, IReadOnlyList<string> ProfileIds, int PageSize);

/// <summary>The latest queries; the oldest one is forgotten for a new one, and all of them at the end of the process.</summary>
sealed class QuerySessions(TimeProvider time)
{
    const int Capacity = 32;

    readonly Lock _lock = new();
    readonly List<QuerySession> _sessions = [];

    public QuerySession Open(ProfileKind kind, IReadOnlyList<string> ids, int pageSize)
    {
        var seconds = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var session = new QuerySession($"{seconds}-{RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 6)}", kind, ids, pageSize);
        lock (_lock)
        {
            if (_sessions.Count == Capacity)
                _sessions.RemoveAt(0);
            _sessions.Add(session);
        }
        return session;
    }

    public QuerySession? Find(string id, ProfileKind kind)
    {
        lock (_lock)
            return _sessions.Find(session => session.Id == id && session.Kind == kind);
    }
}
