using System.Buffers;
using System.Text.Json;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Operations;

namespace MixpanelConnector.Emulator.Store;

/// <summary>What a user can request about their stored data: all of it, its categories, or its sources.</summary>
enum Disclosure { Data, Categories, Sources }

/// <summary>All stored data about the given users, under all of their ids.</summary>
sealed class PersonalData(Database database, IdentityStore identities, ProfileStore profiles)
{
    /// <summary>Writes the requested data about the users, one record per line.</summary>
    public void Write(int projectId, IReadOnlyList<string> users, Disclosure disclosure, ArrayBufferWriter<byte> output)
    {
        var ids = IdsOf(projectId, users);
        if (disclosure == Disclosure.Data) WriteData(projectId, ids, output);
        else if (disclosure == Disclosure.Categories) WriteCategories(projectId, ids, output);
        else WriteSources(projectId, ids, output);
    }

    /// <summary>Writes the names of the stored data: the properties of profiles, and those of each event.</summary>
    void WriteCategories(int projectId, List<string> ids, ArrayBufferWriter<byte> output)
    {
        var ofProfiles = profiles.Find(new ProfileKind(projectId, ""), ids).Values
            .SelectMany(NamesIn)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal).ToList();
        if (ofProfiles.Count > 0) WriteCategory("user profile", null, ofProfiles);
        foreach (var ofEvent in EventsOf(projectId, ids)
            .GroupBy(found => found.Name, StringComparer.Ordinal)
            .OrderBy(found => found.Key, StringComparer.Ordinal))
            WriteCategory("event", ofEvent.Key,
                ofEvent.SelectMany(found => NamesIn(found.Properties)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

        void WriteCategory(string category, string? eventName, IEnumerable<string> properties) => WriteLine(output, json =>
        {
            json.WriteString("category", category);
            if (eventName is not null) json.WriteString("event", eventName);
            json.WriteStartArray("properties");
            foreach (var property in properties)
                json.WriteStringValue(property);
            json.WriteEndArray();
        });
    }

    /// <summary>Writes the libraries that sent the users' events, according to <c>mp_lib</c>, and the number of events of each.</summary>
    void WriteSources(int projectId, List<string> ids, ArrayBufferWriter<byte> output)
    {
        foreach (var (source, count) in EventsOf(projectId, ids)
            .CountBy(found => LibraryOf(found.Properties), StringComparer.Ordinal)
            .OrderBy(source => source.Key, StringComparer.Ordinal))
        {
            WriteLine(output, json =>
            {
                json.WriteString("source", source);
                json.WriteNumber("events", count);
            });
        }
    }

    static void WriteLine(ArrayBufferWriter<byte> output, Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(output, Replies.Readable))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    static IEnumerable<string> NamesIn(string properties) => JsonElement.Parse(properties).EnumerateObject().Select(property => property.Name);

    static string LibraryOf(string properties) =>
        JsonElement.Parse(properties).TryGetProperty("mp_lib", out var library) && library.ValueKind == JsonValueKind.String
            ? library.GetString()!
            : "undefined";

    IEnumerable<(string Name, string Properties)> EventsOf(int projectId, List<string> ids)
    {
        using var connection = database.Connect();
        using var query = connection.Command(
            "SELECT event_name, properties FROM events WHERE project_id = $project AND distinct_id IN (SELECT unnest($ids))", ("project", projectId),
            ("ids", ids));
        using var row = query.ExecuteReader();
        while (row.Read())
            yield return (row.GetString(0), row.GetString(1));
    }

    /// <summary>Writes the profiles and events themselves.</summary>
    void WriteData(int projectId, List<string> ids, ArrayBufferWriter<byte> output)
    {
        foreach (var (id, properties) in profiles.Find(new ProfileKind(projectId, ""), ids))
        {
            WriteLine(output, json =>
            {
                json.WriteString("$distinct_id", id);
                json.WritePropertyName("$properties");
                json.WriteRawValue(properties, skipInputValidation: true);
            });
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
            ExportLine.Write(output, new ExportRow(row.GetString(0), row.GetTime(1), row.GetString(2), row.GetString(3), row.GetString(4)),
                timeInMilliseconds: false);
    }

    /// <summary>Deletes the users' profiles and events, and removes their ids.</summary>
    public Task DeleteAsync(int projectId, IReadOnlyList<string> users, CancellationToken cancellationToken) => identities.ChangeAsync(
        database,
        (connection, changes) =>
        {
            var ids = IdsOf(projectId, users);
            connection.Execute("DELETE FROM events WHERE project_id = $project AND distinct_id IN (SELECT unnest($ids))", ("project", projectId), ("ids", ids));
            connection.Execute("DELETE FROM profiles WHERE project_id = $project AND group_key = '' AND id IN (SELECT unnest($ids))", ("project", projectId),
                ("ids", ids));
            connection.Execute("DELETE FROM query_sessions WHERE project_id = $project", ("project", projectId));
            changes.Forget(projectId, ids);
            return true;
        },
        committed: static () => { },
        isDone: null,
        cancellationToken);

    List<string> IdsOf(int projectId, IReadOnlyList<string> users) =>
        [.. users.SelectMany(user => identities.IdsOf(projectId, user)).Where(id => id != "").Distinct(StringComparer.Ordinal)];
}
