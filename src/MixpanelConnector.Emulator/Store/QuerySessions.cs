using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Emulator.Store;

/// <summary>The result of a profile query, so that its pages neither lose nor repeat a profile while others are added and deleted.</summary>
sealed record QuerySession(string Id, IReadOnlyList<string> ProfileIds, int PageSize);

/// <summary>Stores the latest queries, so that any process can return a page; a new one replaces the oldest.</summary>
sealed class QuerySessions(Database database, TimeProvider time)
{
    const int Capacity = 32;

    public Task<QuerySession> OpenAsync(ProfileKind kind, IReadOnlyList<string> ids, int pageSize, CancellationToken cancellationToken)
    {
        var seconds = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var session = new QuerySession($"{seconds}-{RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 6)}", ids, pageSize);
        return database.WriteAsync(
            connection =>
            {
                connection.Execute(
                    "INSERT INTO query_sessions VALUES (nextval('query_session_numbers'), $id, $project, $group, $size, $ids)",
                    ("id", session.Id), ("project", kind.ProjectId), ("group", kind.GroupKey), ("size", pageSize), ("ids", JsonSerializer.Serialize(ids, SessionJson.Default.IReadOnlyListString)));
                connection.Execute("DELETE FROM query_sessions WHERE number <= (SELECT max(number) FROM query_sessions) - $capacity", ("capacity", Capacity));
                return session;
            },
            cancellationToken);
    }

    public QuerySession? Find(string id, ProfileKind kind)
    {
        using var connection = database.Connect();
        using var query = connection.Command(
            "SELECT page_size, profile_ids FROM query_sessions WHERE session_id = $id AND project_id = $project AND group_key = $group",
            ("id", id), ("project", kind.ProjectId), ("group", kind.GroupKey));
        using var row = query.ExecuteReader();
        return row.Read() ? new QuerySession(id, JsonSerializer.Deserialize(row.GetString(1), SessionJson.Default.IReadOnlyListString)!, row.GetInt32(0)) : null;
    }
}

[JsonSerializable(typeof(IReadOnlyList<string>))]
sealed partial class SessionJson : JsonSerializerContext;
