using System.Collections.Concurrent;
using DuckDB.NET.Data;

namespace MixpanelConnector.Emulator.Store;

enum IdentityLinkKind
{
    /// <summary>Simplified: a device becomes the user's that it was first seen with, and stays so.</summary>
    Device,

    /// <summary>Original: <c>$identify</c>, of an anonymous id that is nobody's yet.</summary>
    Identify,

    /// <summary>Original: <c>$create_alias</c>, of an alias that is nobody's yet.</summary>
    Alias,

    /// <summary>Original: <c>$merge</c>, of any two.</summary>
    Merge,
}

/// <summary>Two ids of which an event says that they are one user.</summary>
/// <param name="ProjectId">The project.</param>
/// <param name="Kind">How it says so.</param>
/// <param name="Id">The device, the anonymous id, the alias, or the second of two.</param>
/// <param name="Canonical">The user.</param>
readonly record struct IdentityLink(int ProjectId, IdentityLinkKind Kind, string Id, string Canonical);

/// <summary>Which ids are the same user. Reports read through it, so that a link holds for what was stored before.</summary>
sealed class IdentityStore
{
    /// <summary>How many ids one user may have; what would make it more is not linked, and nobody is told.</summary>
    public const int LargestCluster = 500;

    /// <summary>From an id to its canonical one. An id that leads nowhere is its own.</summary>
    readonly ConcurrentDictionary<(int ProjectId, string Id), string> _canonical = new();

    /// <summary>The ids of each user who has several, the canonical one among them. Only the one writer uses it.</summary>
    readonly Dictionary<(int ProjectId, string Canonical), List<string>> _clusters = [];

    public static IdentityStore Load(Database database)
    {
        var store = new IdentityStore();
        using var connection = database.Connect();
        using var query = connection.Command("SELECT project_id, distinct_id, canonical_distinct_id FROM identities ORDER BY ALL");
        using var row = query.ExecuteReader();
        while (row.Read())
            store.Put(row.GetInt32(0), row.GetString(1), row.GetString(2));
        return store;
    }

    public string Resolve(int projectId, string id) => _canonical.IsEmpty ? id : _canonical.GetValueOrDefault((projectId, id), id);

    /// <summary>All ids of the user that an id belongs to.</summary>
    public IReadOnlyList<string> IdsOf(int projectId, string id)
    {
        var canonical = Resolve(projectId, id);
        return [canonical, .. _canonical.Where(entry => entry.Key.ProjectId == projectId && entry.Value == canonical && entry.Key.Id != canonical).Select(entry => entry.Key.Id)];
    }

    /// <summary>Whether a link would change nothing, so that it need not be carried along.</summary>
    public bool Knows(in IdentityLink link) => link.Kind == IdentityLinkKind.Device && _canonical.ContainsKey((link.ProjectId, link.Id));

    /// <summary>Carries out the links in the writer's transaction.</summary>
    public void Apply(DuckDBConnection connection, IReadOnlyList<IdentityLink> links)
    {
        foreach (var link in links)
        {
            var (id, canonical) = (Resolve(link.ProjectId, link.Id), Resolve(link.ProjectId, link.Canonical));
            var isTaken = link.Kind != IdentityLinkKind.Merge && _canonical.ContainsKey((link.ProjectId, link.Id));
            if (isTaken || id == canonical || SizeOf(link.ProjectId, id) + SizeOf(link.ProjectId, canonical) > LargestCluster)
                continue;
            foreach (var member in MembersOf(link.ProjectId, id).ToList())
            {
                connection.Execute("DELETE FROM identities WHERE project_id = $project AND distinct_id = $id", ("project", link.ProjectId), ("id", member));
                connection.Execute("INSERT INTO identities VALUES ($project, $id, $canonical)", ("project", link.ProjectId), ("id", member), ("canonical", canonical));
                Put(link.ProjectId, member, canonical);
            }
            // The canonical one has a row too: it is no longer free to become the alias of somebody else.
            if (!_canonical.ContainsKey((link.ProjectId, canonical)) && link.Kind is IdentityLinkKind.Identify or IdentityLinkKind.Merge)
            {
                connection.Execute("INSERT INTO identities VALUES ($project, $id, $id)", ("project", link.ProjectId), ("id", canonical));
                Put(link.ProjectId, canonical, canonical);
            }
            _clusters.Remove((link.ProjectId, id));
        }
    }

    /// <summary>Forgets a user's ids.</summary>
    public void Remove(DuckDBConnection connection, int projectId, IReadOnlyList<string> ids)
    {
        foreach (var id in ids)
        {
            connection.Execute("DELETE FROM identities WHERE project_id = $project AND distinct_id = $id", ("project", projectId), ("id", id));
            _canonical.TryRemove((projectId, id), out _);
            _clusters.Remove((projectId, id));
        }
    }

    IEnumerable<string> MembersOf(int projectId, string canonical) =>
        _clusters.TryGetValue((projectId, canonical), out var members) ? members.Append(canonical).Distinct(StringComparer.Ordinal) : [canonical];

    int SizeOf(int projectId, string canonical) => MembersOf(projectId, canonical).Count();

    void Put(int projectId, string id, string canonical)
    {
        _canonical[(projectId, id)] = canonical;
        if (!_clusters.TryGetValue((projectId, canonical), out var members))
            _clusters.Add((projectId, canonical), members = []);
        members.Add(id);
    }
}
