using System.Text.Json.Nodes;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>The kind of a profile. The group key of a user profile is empty.</summary>
readonly record struct ProfileKind(int ProjectId, string GroupKey);

/// <summary>A stored profile.</summary>
readonly record struct ProfileRow(string Id, string Properties);

/// <summary>A profile whose id became another user's.</summary>
/// <param name="ProjectId">The project.</param>
/// <param name="Id">The id.</param>
/// <param name="To">The canonical id of that user.</param>
/// <param name="KeepsProperties">Whether the user gets the properties that they lack; otherwise these are lost.</param>
readonly record struct ProfileMove(int ProjectId, string Id, string To, bool KeepsProperties);

/// <summary>The profiles of users and groups.</summary>
sealed class ProfileStore(Database database)
{
    /// <summary>Applies the updates in order, all in one transaction.</summary>
    /// <returns>For each update, why it was rejected, or null.</returns>
    public Task<Fault?[]> UpdateAsync(IReadOnlyList<(int ProjectId, ProfileUpdate Update)> updates, CancellationToken cancellationToken) =>
        updates.Count == 0
            ? Task.FromResult<Fault?[]>([])
            : database.WriteAsync(
                connection =>
                {
                    var faults = new Fault?[updates.Count];
                    var kinds = Enumerable.Range(0, updates.Count).GroupBy(i => new ProfileKind(updates[i].ProjectId, updates[i].Update.GroupKey));
                    foreach (var kind in kinds)
                        Update(connection, kind.Key, [.. kind], updates, faults);
                    return faults;
                },
                cancellationToken);

    public IReadOnlyList<T> ReadAll<T>(bool ofGroups, Func<ProfileKind, ProfileRow, T> make)
    {
        using var connection = database.Connect();
        using var query = connection.Command(
            $"""
            SELECT project_id, group_key, id, properties
            FROM profiles
            WHERE group_key {(ofGroups ? "<>" : "=")} ''
            ORDER BY ALL
            """);
        using var row = query.ExecuteReader();
        var profiles = new List<T>();
        while (row.Read())
            profiles.Add(make(new ProfileKind(row.GetInt32(0), row.GetString(1)), new ProfileRow(row.GetString(2), row.GetString(3))));
        return profiles;
    }

    /// <summary>Streams all profiles of a kind.</summary>
    public IEnumerable<ProfileRow> Read(ProfileKind kind)
    {
        using var connection = database.Connect();
        using var query = connection.Command(
            "SELECT id, properties FROM profiles WHERE project_id = $project AND group_key = $group",
            ("project", kind.ProjectId), ("group", kind.GroupKey));
        query.UseStreamingMode = true;
        using var row = query.ExecuteReader();
        while (row.Read())
            yield return new ProfileRow(row.GetString(0), row.GetString(1));
    }

    /// <summary>Returns the existing profiles with these ids.</summary>
    public Dictionary<string, string> Find(ProfileKind kind, IReadOnlyCollection<string> ids)
    {
        using var connection = database.Connect();
        return Find(connection, kind, ids);
    }

    /// <summary>Moves the profiles of ids that became another user's: properties that the user lacks are copied, or everything is lost.</summary>
    public static void Move(DuckDBConnection connection, IReadOnlyList<ProfileMove> moves)
    {
        foreach (var ofProject in moves.GroupBy(move => move.ProjectId))
        {
            var kind = new ProfileKind(ofProject.Key, "");
            if (Find(connection, kind, [.. ofProject.Select(move => move.Id)]).Count == 0) continue;
            var ids = ofProject.SelectMany(move => new[] { move.Id, move.To }).ToHashSet(StringComparer.Ordinal);
            var profiles = Find(connection, kind, ids)
                .ToDictionary(profile => profile.Key, profile => (JsonObject?)ProfileText.Read(profile.Value), StringComparer.Ordinal);
            foreach (var move in ofProject)
            {
                if (profiles.Remove(move.Id, out var properties) && move.KeepsProperties)
                    profiles[move.To] = Fold(properties!, profiles.GetValueOrDefault(move.To));
            }
            Replace(connection, kind, ids, profiles);
        }
    }

    static JsonObject Fold(JsonObject properties, JsonObject? to)
    {
        foreach (var (name, value) in to ?? [])
            properties[name] = value?.DeepClone();
        return properties;
    }

    static void Update(
        DuckDBConnection connection, ProfileKind kind, int[] positions, IReadOnlyList<(int ProjectId, ProfileUpdate Update)> updates, Fault?[] faults)
    {
        var ids = positions.Select(i => updates[i].Update.Id).ToHashSet(StringComparer.Ordinal);
        var profiles = Find(connection, kind, ids)
            .ToDictionary(profile => profile.Key, profile => (JsonObject?)ProfileText.Read(profile.Value), StringComparer.Ordinal);
        foreach (var i in positions)
        {
            var update = updates[i].Update;
            profiles[update.Id] = ProfileChange.Apply(update, profiles.GetValueOrDefault(update.Id), out faults[i]);
        }

        Replace(connection, kind, ids, profiles);
    }

    static void Replace(DuckDBConnection connection, ProfileKind kind, HashSet<string> ids, Dictionary<string, JsonObject?> profiles)
    {
        connection.Execute(
            "DELETE FROM profiles WHERE project_id = $project AND group_key = $group AND id IN (SELECT unnest($ids))",
            ("project", kind.ProjectId), ("group", kind.GroupKey), ("ids", ids.ToList()));
        using var appender = connection.CreateAppender("profiles");
        foreach (var (id, properties) in profiles)
        {
            if (properties is not null)
                appender.CreateRow().AppendValue(kind.ProjectId).AppendValue(kind.GroupKey).AppendValue(id).AppendValue(ProfileText.Write(properties)).EndRow();
        }
    }

    static Dictionary<string, string> Find(DuckDBConnection connection, ProfileKind kind, IReadOnlyCollection<string> ids)
    {
        using var query = connection.Command(
            "SELECT id, properties FROM profiles WHERE project_id = $project AND group_key = $group AND id IN (SELECT unnest($ids))",
            ("project", kind.ProjectId), ("group", kind.GroupKey), ("ids", ids.ToList()));
        using var row = query.ExecuteReader();
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        while (row.Read())
            found.Add(row.GetString(0), row.GetString(1));
        return found;
    }
}
