using DuckDB.NET.Data;

namespace MixpanelConnector.Emulator.Store;

/// <summary>The identity changes of one transaction, relative to the committed state.</summary>
sealed class IdentityChanges(IdentityStore committed)
{
    readonly List<ProfileMove> _moves = [];

    /// <summary>The new canonical ids; null for an id that was removed.</summary>
    public Dictionary<(int ProjectId, string Id), string?> Canonical { get; } = [];

    /// <summary>The ids of the users whose ids changed; empty for a user who was merged into another.</summary>
    public Dictionary<(int ProjectId, string Canonical), List<string>> Clusters { get; } = [];

    /// <summary>Applies links in order.</summary>
    public void Apply(IReadOnlyList<IdentityLink> links)
    {
        foreach (var link in links)
        {
            var (project, id, canonical) = (link.ProjectId, Resolve(link.ProjectId, link.Id), Resolve(link.ProjectId, link.Canonical));
            var isTaken = link.Kind != IdentityLinkKind.Merge && IsKnown(project, link.Id);
            if (isTaken || id == canonical) continue;
            var (moved, stay) = (WithItself(project, id), WithItself(project, canonical));
            if (moved.Count + stay.Count > IdentityStore.LargestCluster) continue;
            var members = MembersOf(project, canonical).ToList();
            foreach (var member in moved)
            {
                Canonical[(project, member)] = canonical;
                members.Add(member);
                _moves.Add(new ProfileMove(project, member, canonical, KeepsProperties: link.Kind != IdentityLinkKind.Device));
            }
            // The canonical id has a row too: it can no longer become the alias of another user.
            if (!IsKnown(project, canonical) && link.Kind is IdentityLinkKind.Identify or IdentityLinkKind.Merge)
            {
                Canonical[(project, canonical)] = canonical;
                members.Add(canonical);
            }
            Clusters[(project, canonical)] = members;
            Clusters[(project, id)] = [];
        }
    }

    /// <summary>Removes a user's ids.</summary>
    public void Forget(int projectId, IReadOnlyList<string> ids)
    {
        foreach (var id in ids)
        {
            Canonical[(projectId, id)] = null;
            Clusters[(projectId, id)] = [];
        }
    }

    /// <summary>Stores the changes, and moves the profiles of ids that became another user's.</summary>
    public void Write(DuckDBConnection connection)
    {
        if (Canonical.Count == 0) return;
        foreach (var project in Canonical.GroupBy(entry => entry.Key.ProjectId, entry => entry.Key.Id))
        {
            connection.Execute(
                "DELETE FROM identities WHERE project_id = $project AND distinct_id IN (SELECT unnest($ids))", ("project", project.Key),
                ("ids", project.ToList()));
        }
        using (var appender = connection.CreateAppender("identities"))
        {
            foreach (var ((project, id), canonical) in Canonical)
            {
                if (canonical is not null) appender.CreateRow().AppendValue(project).AppendValue(id).AppendValue(canonical).EndRow();
            }
        }
        ProfileStore.Move(connection, _moves);
    }

    string Resolve(int projectId, string id) =>
        Canonical.TryGetValue((projectId, id), out var canonical) ? canonical ?? id : committed.Resolve(projectId, id);

    bool IsKnown(int projectId, string id) =>
        Canonical.TryGetValue((projectId, id), out var canonical) ? canonical is not null : committed.TryGet((projectId, id), out _);

    IReadOnlyList<string> MembersOf(int projectId, string canonical) =>
        Clusters.TryGetValue((projectId, canonical), out var members) ? members : committed.MembersOf((projectId, canonical));

    List<string> WithItself(int projectId, string canonical) => [.. MembersOf(projectId, canonical).Append(canonical).Distinct(StringComparer.Ordinal)];
}
