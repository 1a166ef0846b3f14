using System.Collections.Concurrent;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

enum IdentityLinkKind
{
    /// <summary>Simplified: a device belongs to the user with whom it was first seen, permanently.</summary>
    Device,

    /// <summary>Original: <c>$identify</c>, for an anonymous id that does not belong to a user yet.</summary>
    Identify,

    /// <summary>Original: <c>$create_alias</c>, for an alias that does not belong to a user yet.</summary>
    Alias,

    /// <summary>Original: <c>$merge</c>, for any two ids.</summary>
    Merge,
}

/// <summary>Two ids that belong to the same user according to an event.</summary>
/// <param name="ProjectId">The project.</param>
/// <param name="Kind">The kind of the link.</param>
/// <param name="Id">The device, the anonymous id, the alias, or the second of two.</param>
/// <param name="Canonical">The user.</param>
readonly record struct IdentityLink(int ProjectId, IdentityLinkKind Kind, string Id, string Canonical)
{
    public string Id { get; } = StoredText.Of(Id);

    public string Canonical { get; } = StoredText.Of(Canonical);
}

/// <summary>Maps ids to users. Reports resolve ids through it, so that a link also applies to events that were stored before.</summary>
sealed class IdentityStore
{
    /// <summary>The maximum number of ids of one user; a link that would exceed it is ignored silently.</summary>
    public const int LargestCluster = 500;

    /// <summary>Maps an id to its canonical id. An id without an entry is its own canonical id.</summary>
    volatile ConcurrentDictionary<(int ProjectId, string Id), string> _canonical = new();

    /// <summary>The ids of each user who has several, including the canonical one. Used only by the thread that changes them.</summary>
    Dictionary<(int ProjectId, string Canonical), List<string>> _clusters = [];

    readonly SerialExecutor _changes = new();

    public static IdentityStore Load(Database database)
    {
        using var connection = database.Connect();
        var store = new IdentityStore();
        store.Take(Read(connection));
        return store;
    }

    public string Resolve(int projectId, string id)
    {
        var canonical = _canonical;
        return canonical.IsEmpty ? id : canonical.GetValueOrDefault((projectId, id), id);
    }

    /// <summary>All ids of the user that an id belongs to.</summary>
    public IReadOnlyList<string> IdsOf(int projectId, string id)
    {
        var canonical = Resolve(projectId, id);
        return
        [
            canonical,
            .. _canonical.Where(entry => entry.Key.ProjectId == projectId && entry.Value == canonical && entry.Key.Id != canonical)
                .Select(entry => entry.Key.Id),
        ];
    }

    /// <summary>
    /// Runs a transaction that may change identities. Its changes become visible in memory once it is committed; if it fails, they are discarded.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="work">The transaction.</param>
    /// <param name="committed">Called after the commit, before the next such transaction starts.</param>
    /// <param name="isDone">Called when it is the caller's turn: whether another caller has done the work meanwhile. Null: never.</param>
    /// <param name="cancellationToken">Cancels before the transaction.</param>
    public Task<T?> ChangeAsync<T>(Database database, Func<DuckDBConnection, IdentityChanges, T> work, Action committed, Func<bool>? isDone,
        CancellationToken cancellationToken) => _changes.RunAsync(async () =>
    {
        if (isDone?.Invoke() == true) return default;
        var changes = new IdentityChanges(this);
        var result = await database.WriteAsync(
            connection =>
            {
                var done = work(connection, changes);
                changes.Write(connection);
                return done;
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var ((project, id), canonical) in changes.Canonical)
            Set(project, id, canonical);
        foreach (var (user, members) in changes.Clusters)
            Set(user, members);
        committed();
        return (T?)result;
    });

    /// <summary>Runs a transaction that changes the store as a whole; afterwards, the state in memory is reloaded.</summary>
    /// <param name="transaction">The transaction; it must finally call the given function, which reads the identities.</param>
    /// <param name="committed">Called after the commit, before the next transaction that changes identities starts.</param>
    public Task<T> RewriteAsync<T>(Func<Action<DuckDBConnection>, Task<T>> transaction, Action committed) => _changes.RunAsync(async () =>
    {
        List<(int ProjectId, string Id, string Canonical)> rows = [];
        var result = await transaction(connection => rows = Read(connection)).ConfigureAwait(false);
        Take(rows);
        committed();
        return result;
    });

    internal bool TryGet((int ProjectId, string Id) id, out string? canonical) => _canonical.TryGetValue(id, out canonical);

    internal IReadOnlyList<string> MembersOf((int ProjectId, string Canonical) user) => _clusters.TryGetValue(user, out var members) ? members : [];

    void Set(int projectId, string id, string? canonical)
    {
        if (canonical is null) _canonical.TryRemove((projectId, id), out _);
        else _canonical[(projectId, id)] = canonical;
    }

    void Set((int ProjectId, string Canonical) user, List<string> members)
    {
        if (members.Count == 0) _clusters.Remove(user);
        else _clusters[user] = members;
    }

    static List<(int ProjectId, string Id, string Canonical)> Read(DuckDBConnection connection)
    {
        using var query = connection.Command("SELECT project_id, distinct_id, canonical_distinct_id FROM identities ORDER BY ALL");
        using var row = query.ExecuteReader();
        var rows = new List<(int, string, string)>();
        while (row.Read())
            rows.Add((row.GetInt32(0), row.GetString(1), row.GetString(2)));
        return rows;
    }

    void Take(List<(int ProjectId, string Id, string Canonical)> rows)
    {
        _canonical = new(rows.Select(row => KeyValuePair.Create((row.ProjectId, row.Id), row.Canonical)));
        _clusters = rows.GroupBy(row => (row.ProjectId, row.Canonical), row => row.Id).ToDictionary(user => user.Key, user => user.ToList());
    }
}
