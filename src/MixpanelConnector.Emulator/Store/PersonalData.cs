using System.Buffers;
using System.Text.Json;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Operations;

namespace MixpanelConnector.Emulator.Store;

/// <summary>Everything that is stored about some users, under all of their ids.</summary>
sealed class PersonalData(Database database, IdentityStore identities, ProfileStore profiles)
{
    /// <summary>Writes the users' profiles and events, one a line.</summary>
    public void Write(int projectId, IReadOnlyList<string> users, ArrayBufferWriter<byte> output)
    {
        var ids = IdsOf(projectId, users);
        foreach (var (id, properties) in profiles.Find(new ProfileKind(projectId, ""), ids))
        {
            using (var json = new Utf8JsonWriter(output, Replies.Readable))
            {
                json.WriteStartObject();
                json.WriteString("$distinct_id", id);
                json.WritePropertyName("$properties");
                json.WriteRawValue(properties, skipInputValidation: true);
                json.WriteEndObject();
            }
            output.Write("\n"u8);
        }
        using var connection = database.Connect();
        using var query = connection.Command(
            """
            SELECT event_name, time, distinct_id, insert_id, properties
            FROM events
            WHERE project_id = $project AND distinct_id IN (SELECT unnest($ids))
            ORDER BY time, sequence
            """,
            ("project", projectId), ("ids", ids));
        using var row = query.ExecuteReader();
        while (row.Read())
            ExportLine.Write(output, new ExportRow(row.GetString(0), row.GetTime(1), row.GetString(2), row.GetString(3), row.GetString(4)), timeInMilliseconds: false);
    }

    /// <summary>Deletes the users' profiles and events, and forgets their ids.</summary>
    public Task DeleteAsync(int projectId, IReadOnlyList<string> users, CancellationToken cancellationToken) => identities.ChangeAsync(
        database,
        (connection, changes) =>
        {
            var ids = IdsOf(projectId, users);
            connection.Execute("DELETE FROM events WHERE project_id = $project AND distinct_id IN (SELECT unnest($ids))", ("project", projectId), ("ids", ids));
            connection.Execute("DELETE FROM profiles WHERE project_id = $project AND group_key = '' AND id IN (SELECT unnest($ids))", ("project", projectId), ("ids", ids));
            changes.Forget(projectId, ids);
            return true;
        },
        committed: static () => { },
        cancellationToken);

    List<string> IdsOf(int projectId, IReadOnlyList<string> users) =>
        [.. users.SelectMany(user => identities.IdsOf(projectId, user)).Where(id => id != "").Distinct(StringComparer.Ordinal)];
}
