using Microsoft.Data.Sqlite;

namespace MixpanelConnector.Sqlite;

/// <summary>SQLite's write-ahead log.</summary>
static class WriteAheadLog
{
    /// <summary>
    /// Enables it for a database. The change is written when the statement ends, after its row: reading to the end is required to see a disk error.
    /// </summary>
    public static void Begin(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        using var reader = command.ExecuteReader();
        while (reader.Read()) { }
    }
}
