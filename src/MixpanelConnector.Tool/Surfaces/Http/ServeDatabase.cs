using Microsoft.Data.Sqlite;
using MixpanelConnector.Files;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>What the server must remember over a restart, in one SQLite database: each change is one transaction, synced to the disk. It is locked while it is open; the lock ends with the process.</summary>
sealed class ServeDatabase : IDisposable
{
    const int BusyCode = 5;

    const string Schema = """
        CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, body BLOB NOT NULL, created INTEGER NOT NULL, status INTEGER, answer BLOB) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS answers_created ON answers (created);
        CREATE TABLE IF NOT EXISTS imports (id TEXT PRIMARY KEY, number INTEGER NOT NULL, key BLOB UNIQUE, caller TEXT NOT NULL, options TEXT NOT NULL, source_id TEXT NOT NULL, created INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 BLOB NOT NULL, status TEXT NOT NULL, report TEXT, problem TEXT) STRICT, WITHOUT ROWID;
        """;

    readonly SqliteConnection _connection;
    readonly Lock _lock = new();

    ServeDatabase(SqliteConnection connection) => _connection = connection;

    /// <exception cref="MixpanelException">Another server holds the folder.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public static ServeDatabase Open(string folder)
    {
        OwnFolder.Make(folder);
        var path = Path.Combine(folder, "serve.db");
        foreach (var suffix in (string[])["", "-wal", "-journal"]) Durable.EnsureOwned(path + suffix);
        Durable.OpenOwned(path, FileMode.OpenOrCreate).Dispose();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Vfs = DurableVfs.Name, Pooling = false, DefaultTimeout = 1 }.ConnectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"""
                PRAGMA locking_mode = EXCLUSIVE;
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                BEGIN EXCLUSIVE; COMMIT;
                {Schema}
                """;
            command.ExecuteNonQuery();
            command.CommandText = "SELECT count(*) FROM imports"; // a lock of another's shows at the first reading
            command.ExecuteScalar();
            return new ServeDatabase(connection);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw e.SqliteErrorCode == BusyCode
                ? Configuration.Invalid("state", $"Another server uses {folder}. Stop it, or choose another folder with --state DIR.")
                : new IOException($"The server's state in {folder} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Runs one statement; gives how many rows it changed.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        lock (_lock)
        {
            using var command = Command(sql, values);
            return Guarded(command.ExecuteNonQuery);
        }
    }

    /// <summary>All rows of a query.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        lock (_lock)
        {
            using var command = Command(sql, values);
            return Guarded(() =>
            {
                using var reader = command.ExecuteReader();
                var rows = new List<T>();
                while (reader.Read()) rows.Add(read(reader));
                return rows;
            });
        }
    }

    public void Dispose() => _connection.Dispose();

    static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            throw new IOException($"The server's state failed: {e.Message}", e);
        }
    }

    SqliteCommand Command(string sql, ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
