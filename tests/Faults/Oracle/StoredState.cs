using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace MixpanelConnector.Faults;

/// <summary>The state of an import as the oracle reads it: from a copy, with its own SQL.</summary>
sealed record StoredState(IReadOnlyDictionary<string, long> Offsets, long Accepted, long Rejected, long Blank, bool Finished,
    IReadOnlyList<DeadLine> DeadLetters)
{
    /// <summary>Null if there is none yet, or it is still empty.</summary>
    public static StoredState? Read(string folder, string copy)
    {
        if (!File.Exists(Path.Combine(folder, "import.db"))) return null;
        if (Directory.Exists(copy)) Directory.Delete(copy, recursive: true);
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(folder, "import.db*")) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));

        using var connection =
            new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(copy, "import.db"), Pooling = false }.ConnectionString);
        connection.Open();
        if (Rows(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'checkpoint'", row => row.GetInt64(0))[0] == 0) return null;
        Assert.Equal("ok", Rows(connection, "PRAGMA integrity_check", row => row.GetString(0))[0]);
        if (Rows(connection, "SELECT content FROM checkpoint", row => row.GetString(0)) is not [var checkpoint]) return null;

        var json = JsonElement.Parse(checkpoint);
        var totals = json.GetProperty("totals");
        return new StoredState(
            Rows(connection, "SELECT content FROM sources", row => JsonElement.Parse(row.GetString(0)))
                .ToDictionary(source => source.GetProperty("id").GetString()!, source => source.GetProperty("offset").GetInt64(), StringComparer.Ordinal),
            totals.GetProperty("accepted").GetInt64(),
            totals.GetProperty("rejected").GetInt64(),
            totals.GetProperty("blank").GetInt64(),
            json.GetProperty("finished").GetBoolean(),
            Rows(connection, "SELECT line FROM dead_letters ORDER BY number",
                row => DeadLine.Parse(System.Text.Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(0)))));
    }

    static List<T> Rows<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // every text is a constant of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }
}
