using Microsoft.Data.Sqlite;

namespace MixpanelConnector.Sqlite;

/// <summary>SQLite's log, into which transactions go first.</summary>
static class WriteAheadLog
{
    /// <summary>Has a database use it. The change is written when the statement ends, after its row: who does not read to the end misses an error of the disk.</summary>
    public static void Begin(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        using var reader = command.ExecuteReader();
        while (reader.Read()) { }
    }
}
