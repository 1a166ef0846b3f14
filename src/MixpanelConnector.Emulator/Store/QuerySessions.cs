using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Emulator.Store;

/// <summary>The result of a profile query, so that its pages neither lose nor repeat a profile while others are added and deleted.</summary>
/// <param name="Id">Its id.</param>
/// <param name="ProfileIds">The ids of the profiles found.</param>
/// <param name="PageSize">The number of profiles on a page.</param>
/// <param name="Parameters">The hash of each parameter of the query, by name.</param>
sealed record QuerySession(string Id, IReadOnlyList<string> ProfileIds, int PageSize, IReadOnlyDictionary<string, string> Parameters)
{
    public static string Hash(string parameter) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(parameter)), 0, 16);
}

/// <summary>Stores the latest queries, so that any process can return a page; a new one replaces the oldest.</summary>
sealed class QuerySessions(Database database, TimeProvider time)
{
    const int Capacity = 32;

    public Task<QuerySession> OpenAsync(ProfileKind kind, IReadOnlyList<string> ids, int pageSize, IReadOnlyDictionary<string, string> parameters,
        CancellationToken cancellationToken)
    {
        var seconds = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var session = new QuerySession($"{seconds}-{RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 6)}", ids, pageSize, parameters);
        return database.WriteAsync(
            connection =>
            {
                connection.Execute(
                    """
                    INSERT INTO query_sessions (number, session_id, project_id, group_key, page_size, profile_ids, parameters)
                    VALUES (nextval('query_session_numbers'), $id, $project, $group, $size, $ids, $parameters)
                    """,
                    ("id", session.Id), ("project", kind.ProjectId), ("group", kind.GroupKey), ("size", pageSize),
                    ("ids", JsonSerializer.Serialize(ids, SessionJson.Default.IReadOnlyListString)),
                    ("parameters", JsonSerializer.Serialize(parameters, SessionJson.Default.IReadOnlyDictionaryStringString)));
                connection.Execute("DELETE FROM query_sessions WHERE number <= (SELECT max(number) FROM query_sessions) - $capacity", ("capacity", Capacity));
                return session;
            },
            cancellationToken);
    }

    public QuerySession? Find(string id, ProfileKind kind)
    {
        using var connection = database.Connect();
        using var query = connection.Command(
            "SELECT page_size, profile_ids, parameters FROM query_sessions WHERE session_id = $id AND project_id = $project AND group_key = $group AND "
            + "parameters IS NOT NULL",
            ("id", id), ("project", kind.ProjectId), ("group", kind.GroupKey));
        using var row = query.ExecuteReader();
        return !row.Read() ? null : new QuerySession(
            id, JsonSerializer.Deserialize(row.GetString(1), SessionJson.Default.IReadOnlyListString)!, row.GetInt32(0),
            JsonSerializer.Deserialize(row.GetString(2), SessionJson.Default.IReadOnlyDictionaryStringString)!);
    }
}

[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
sealed partial class SessionJson : JsonSerializerContext;
