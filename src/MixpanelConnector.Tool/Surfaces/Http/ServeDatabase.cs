using Microsoft.Data.Sqlite;
using MixpanelConnector.Files;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// The state of the server that survives a restart, in one SQLite database: each change is one transaction, synced to disk. The database is locked while it is
/// open; the lock ends with the process.
/// </summary>
sealed class ServeDatabase : IDisposable
{
    const int BusyCode = 5;

    const string Schema = """
        CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, body BLOB NOT NULL, created INTEGER NOT NULL, status INTEGER, answer BLOB) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS answers_created ON answers (created);
        CREATE TABLE IF NOT EXISTS imports (id TEXT PRIMARY KEY, number INTEGER NOT NULL, key BLOB UNIQUE, caller TEXT NOT NULL, options TEXT NOT NULL, source_id TEXT NOT NULL, created INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 BLOB NOT NULL, status TEXT NOT NULL, report TEXT, problem TEXT) STRICT, WITHOUT ROWID;
        """;

    /// <summary>The disk space that a ready server needs: for a journal, and the beginning of a body.</summary>
    const int ProbeBytes = 64 << 10;

    static readonly TimeSpan ProbeHolds = TimeSpan.FromSeconds(1);

    readonly string _folder;
    readonly SqliteConnection _connection;
    readonly Lock _lock = new();
    readonly Lock _probing = new();
    long? _probedAt;

    ServeDatabase(string folder, SqliteConnection connection) => (_folder, _connection) = (folder, connection);

    /// <exception cref="MixpanelException">Another server uses the folder.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public static ServeDatabase Open(string folder)
    {
        OwnFolder.Make(folder);
        var path = Path.Combine(folder, "serve.db");
        foreach (var suffix in (string[])["", "-wal", "-journal"]) Durable.EnsureOwned(path + suffix);
        Durable.OpenOwned(path, FileMode.OpenOrCreate).Dispose();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Vfs = DurableVfs.Name,
            Pooling = false,
            DefaultTimeout = 1,
        }.ConnectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA locking_mode = EXCLUSIVE";
            command.ExecuteNonQuery();
            WriteAheadLog.Begin(connection);
            command.CommandText = $"""
                PRAGMA synchronous = FULL;
                BEGIN EXCLUSIVE; COMMIT;
                {Schema}
                """;
            command.ExecuteNonQuery();
            command.CommandText = "SELECT count(*) FROM imports"; // a lock of another process is detected at the first read
            command.ExecuteScalar();
            AddColumn(command, "imports", "begun", "ALTER TABLE imports ADD COLUMN begun INTEGER NOT NULL DEFAULT 0");
            AddColumn(command, "answers", "caller", "ALTER TABLE answers ADD COLUMN caller TEXT NOT NULL DEFAULT ''");
            return new ServeDatabase(folder, connection);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw e.SqliteErrorCode == BusyCode
                ? Configuration.Invalid("state", $"Another server uses {folder}. Stop it, or choose another folder with --state DIR.")
                : new IOException($"The server's state in {folder} cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Upgrades a database of an earlier version.</summary>
    static void AddColumn(SqliteCommand command, string table, string column, string statement)
    {
        command.CommandText = "SELECT count(*) FROM pragma_table_info($table) WHERE name = $column";
        command.Parameters.AddWithValue("$table", table);
        command.Parameters.AddWithValue("$column", column);
        var isThere = command.ExecuteScalar() is not 0L;
        command.Parameters.Clear();
        if (isThere) return;
#pragma warning disable CA2100 // every text is a constant of this file
        command.CommandText = statement;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>Executes one statement; returns the number of changed rows.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        lock (_lock)
        {
            using var command = Command(sql, values);
            return Guarded(command.ExecuteNonQuery);
        }
    }

    /// <summary>Returns all rows of a query.</summary>
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

    /// <summary>Tests whether the disk is writable. A success is cached for a second, because anybody may ask.</summary>
    /// <exception cref="IOException">The disk is not writable.</exception>
    public void Probe(TimeProvider time)
    {
        lock (_probing)
        {
            if (_probedAt is { } at && time.GetElapsedTime(at) < ProbeHolds) return;
            _probedAt = null;
            var path = Path.Combine(_folder, "probe");
            try
            {
                File.Delete(path);
                using (var file = Durable.OpenOwned(path, FileMode.CreateNew))
                {
                    file.Write(new byte[ProbeBytes]);
                    file.Flush();
                    Durable.Sync(file);
                }

                Execute("UPDATE answers SET created = created WHERE key = x''");
            }
            catch (UnauthorizedAccessException e)
            {
                throw new ServeStateException(e);
            }
            finally
            {
                Remove(path);
            }

            _probedAt = time.GetTimestamp();
        }

        static void Remove(string path)
        {
            try
            {
                File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next probe detects and reports it.
            }
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
            throw new ServeStateException(e);
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

/// <summary>The server's state cannot be written or read: its disk may be full.</summary>
sealed class ServeStateException(Exception cause) : IOException($"The server's state failed: {cause.Message}", cause);
