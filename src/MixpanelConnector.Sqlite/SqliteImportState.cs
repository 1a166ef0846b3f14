using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using MixpanelConnector.Files;
using SQLitePCL;

namespace MixpanelConnector.Sqlite;

/// <summary>
/// The state of an import in one SQLite database, in a folder of its own. Each checkpoint is one transaction that is synced to
/// disk. Every row has a checksum, and there is a marker file next to the database, so that damage is detected and a missing
/// database is not mistaken for a new one. The database is locked while it is open; the lock ends with the process.
/// </summary>
public sealed class SqliteImportState : IImportState
{
    const int PrimaryCode = 0xff;

    static readonly TimeSpan LockGlance = TimeSpan.FromMilliseconds(50);

    const string Schema = """
        CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), content TEXT NOT NULL, sum BLOB NOT NULL) STRICT;
        CREATE TABLE sources (id TEXT PRIMARY KEY, content TEXT NOT NULL, sum BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE dead_letters (number INTEGER PRIMARY KEY, line BLOB NOT NULL, sum BLOB NOT NULL) STRICT;
        PRAGMA user_version = 1;
        """;

    readonly StateFolder _folder;
    readonly SqliteConnection _connection;
    readonly bool _readOnly;
    StoredCheckpoint? _stored;
    bool _isDisposed;

    SqliteImportState(StateFolder folder, SqliteConnection connection, bool readOnly) => (_folder, _connection, _readOnly) = (folder, connection, readOnly);

    /// <summary>The dead-letter file in the state's folder.</summary>
    public string DeadLetterPath => _folder.DeadLetters;

    /// <summary>Opens the state in a folder, creating it if needed, and locks it.</summary>
    /// <param name="folder">A folder used only for this state.</param>
    /// <param name="restart">Whether to delete an existing state first, even a damaged one. Default: false.</param>
    /// <returns>The opened state; dispose it to release the lock.</returns>
    /// <exception cref="ImportStateException">Another import is using it, it is damaged or missing, or the disk failed.</exception>
    public static SqliteImportState Open(string folder, bool restart = false) => Open(folder, restart, MessageWords.Default);

    /// <summary>Opens it as a program that has its own words for settings.</summary>
    internal static SqliteImportState Open(string folder, bool restart, MessageWords words)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var own = new StateFolder(Path.GetFullPath(folder), words);
        own.Prepare(OwnFolder.Make);
        if (restart) Delete(own);
        return OpenExisting(own, readOnly: false);
    }

    /// <summary>Lists all states in a folder with their progress. For a state that is in use or damaged, the summary says so.</summary>
    /// <param name="folder">The folder that contains the folders of states; it need not exist.</param>
    /// <returns>The summaries, ordered by folder.</returns>
    public static IReadOnlyList<ImportStateSummary> List(string folder) => List(folder, MessageWords.Default);

    internal static IReadOnlyList<ImportStateSummary> List(string folder, MessageWords words)
    {
        if (!Directory.Exists(folder)) return [];
        return
        [
            .. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)
                .Select(state => new StateFolder(state, words))
                .Where(state => state.IsState)
                .Select(Summarize),
        ];
    }

    /// <summary>Deletes a state; other files in the folder are kept.</summary>
    static void Delete(StateFolder folder)
    {
        try
        {
            // The lock of a running import is detected even if the database is damaged.
            using (var connection = Connect(folder)) Lock(connection, folder);
        }
        catch (ImportStateException e) when (e.Fault is ImportStateFault.Damaged)
        {
            // It may be damaged.
        }

        folder.OnDisk(() =>
        {
            foreach (var file in folder.Files) File.Delete(file);
        });
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Files => _folder.Files;

    /// <inheritdoc/>
    public ImportCheckpoint? Load() => InDatabase(() =>
    {
        _stored = ReadCheckpoint();
        if (_stored is null) return null;
        var sources = ReadSources();
        if (sources.Count != _stored.Sources || !HoldsDeadLetters(_stored.Totals.Rejected)) throw _folder.Damaged();
        return new ImportCheckpoint
        {
            OptionsFingerprint = _stored.OptionsFingerprint,
            Totals = _stored.Totals,
            Finished = _stored.Finished,
            DeadLetterPath = _stored.DeadLetterPath,
            Sources = sources,
        };
    });

    /// <inheritdoc/>
    public void Save(ImportCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        if (_readOnly) throw new InvalidOperationException("The state was opened for reading.");
        InDatabase(() =>
        {
            using var transaction = _connection.BeginTransaction();
            foreach (var source in checkpoint.Sources) WriteSource(transaction, source);
            WriteDeadLetters(transaction, checkpoint.DeadLetters, after: checkpoint.Totals.Rejected - checkpoint.DeadLetters.Count);
            var stored = new StoredCheckpoint(checkpoint.OptionsFingerprint, checkpoint.Totals, checkpoint.Finished, CountSources(transaction),
                checkpoint.DeadLetterPath);
            WriteCheckpoint(transaction, stored);
            transaction.Commit();
            if (stored.Finished) Settle();
            return _stored = stored;
        });
    }

    /// <inheritdoc/>
    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        using var command = Command("SELECT number, line, sum FROM dead_letters ORDER BY number");
        using var reader = InDatabase(command.ExecuteReader);
        var expected = 0L;
        while (InDatabase(reader.Read))
        {
            var (number, line) = (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
            if (number != ++expected || !RowChecksum.Matches(reader.GetFieldValue<byte[]>(2), RowChecksum.OfDeadLetter(number, line))) throw _folder.Damaged();
            yield return line;
        }
    }

    /// <inheritdoc/>
    public void Clear() => InDatabase(() =>
    {
        using var transaction = _connection.BeginTransaction();
        using var command = Command("DELETE FROM checkpoint; DELETE FROM sources; DELETE FROM dead_letters");
        command.Transaction = transaction;
        command.ExecuteNonQuery();
        transaction.Commit();
        File.Delete(DeadLetterPath);
        return _stored = null;
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        try
        {
            if (!_readOnly) File.Delete(_folder.Holder); // while the lock is held, the file is ours
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It only tells others who holds the lock, which ends now.
        }

        _connection.Dispose();
    }

    static SqliteImportState OpenExisting(StateFolder folder, bool readOnly)
    {
        if (readOnly) folder.Prepare(OwnFolder.EnsureUnshared);
        var connection = Connect(folder);
        try
        {
            Lock(connection, folder);
            var state = new SqliteImportState(folder, connection, readOnly);
            state.Check(); // only under the lock: before, another import may be creating the state
            if (readOnly) return state;
            folder.OnDisk(() =>
            {
                using (var holder = Durable.OpenOwned(folder.Holder, FileMode.Create))
                    holder.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
                if (File.Exists(folder.Marker)) return;
                using (var file = Durable.OpenOwned(folder.Marker, FileMode.CreateNew))
                {
                    file.Write("This folder holds the state of an import.\n"u8);
                    file.Flush();
                    Durable.Sync(file);
                }

                Durable.SyncFolder(folder);
            });
            return state;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    static SqliteConnection Connect(StateFolder folder) => new(new SqliteConnectionStringBuilder
    {
        DataSource = folder.Database,
        Mode = SqliteOpenMode.ReadWriteCreate,
        Vfs = DurableVfs.Name,
        Pooling = false,
        DefaultTimeout = 1, // a lock is held by another import for long; 0 would wait forever
    }.ConnectionString);

    /// <summary>Takes SQLite's own lock, which the system releases with the process. WAL in exclusive mode needs no shared memory file.</summary>
    static void Lock(SqliteConnection connection, StateFolder folder)
    {
        folder.InDatabase(() =>
        {
            if (!File.Exists(folder.Database)) Durable.OpenOwned(folder.Database, FileMode.OpenOrCreate).Dispose();
            connection.Open();
            // The provider would retry for at least a second. But a lock is held for long, unless its process is just ending.
            for (var patience = 3; raw.sqlite3_exec(connection.Handle, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT") is var result
                and not raw.SQLITE_OK; patience--)
            {
                var code = result & PrimaryCode;
                if (code != StateFolder.BusyCode || patience == 0)
                    throw new SqliteException(raw.sqlite3_errmsg(connection.Handle).utf8_to_string(), code, result);
                using var glance = new ManualResetEventSlim();
                glance.Wait(LockGlance);
            }

            WriteAheadLog.Begin(connection);
            using var command = connection.CreateCommand();
            command.CommandText = """
                PRAGMA synchronous = FULL;
                BEGIN EXCLUSIVE; COMMIT;
                """;
            return command.ExecuteNonQuery();
        });
    }

    /// <summary>Reads the whole database once, so that a damaged page anywhere is detected now, not in the middle of an import.</summary>
    void Check() => InDatabase(() =>
    {
        using (var command = Command("PRAGMA user_version"))
        {
            switch (Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture))
            {
                case 1:
                    break;
                case 0 when IsEmpty() && File.Exists(_folder.Marker):
                    throw new ImportStateException(ImportStateFault.Damaged,
                        $"The state in {_folder} has lost its database: what was imported is no longer known. Restore it from a backup, "
                        + $"or begin again with {_folder.Words[Setting.Restart]}.");
                case 0 when IsEmpty(): // new, or the process ended between the file and its tables
                    return Execute(Schema);
                default:
                    throw _folder.Damaged();
            }
        }

        using (var command = Command("PRAGMA integrity_check(1)"))
            if (command.ExecuteScalar() as string != "ok") throw _folder.Damaged();
        return 0;
    });

    bool IsEmpty()
    {
        using var command = Command("SELECT count(*) FROM sqlite_schema");
        return command.ExecuteScalar() is 0L;
    }

    int Execute(string sql)
    {
        using var transaction = _connection.BeginTransaction();
        using var command = Command(sql);
        command.Transaction = transaction;
        var result = command.ExecuteNonQuery();
        transaction.Commit();
        return result;
    }

    /// <summary>Checkpoints the log into the database. Closing would do that too, but reports no error when the disk fails.</summary>
    void Settle()
    {
        using var command = Command("PRAGMA wal_checkpoint(TRUNCATE)");
        using var reader = command.ExecuteReader();
        while (reader.Read()) { }
    }

    StoredCheckpoint? ReadCheckpoint()
    {
        using var command = Command("SELECT content, sum FROM checkpoint");
        using var reader = command.ExecuteReader();
        if (!reader.Read()) return null;
        var content = reader.GetString(0);
        if (!RowChecksum.Matches(reader.GetFieldValue<byte[]>(1), RowChecksum.OfText("checkpoint", content))) throw _folder.Damaged();
        return StoredCheckpoint.Parse(content);
    }

    void WriteCheckpoint(SqliteTransaction transaction, StoredCheckpoint stored)
    {
        var content = stored.ToJson();
        using var command = Command("INSERT INTO checkpoint VALUES (1, $content, $sum) ON CONFLICT DO UPDATE SET content = $content, sum = $sum");
        command.Transaction = transaction;
        command.Parameters.AddWithValue("$content", content);
        command.Parameters.AddWithValue("$sum", RowChecksum.OfText("checkpoint", content));
        command.ExecuteNonQuery();
    }

    List<ImportSourceProgress> ReadSources()
    {
        var sources = new List<ImportSourceProgress>();
        using var command = Command("SELECT id, content, sum FROM sources ORDER BY id");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var (id, content) = (reader.GetString(0), reader.GetString(1));
            if (!RowChecksum.Matches(reader.GetFieldValue<byte[]>(2), RowChecksum.OfText(id, content))) throw _folder.Damaged();
            sources.Add(StoredCheckpoint.ParseSource(content));
        }

        return sources;
    }

    void WriteSource(SqliteTransaction transaction, ImportSourceProgress source)
    {
        var content = StoredCheckpoint.ToJson(source);
        using var command = Command("INSERT INTO sources VALUES ($id, $content, $sum) ON CONFLICT DO UPDATE SET content = $content, sum = $sum");
        command.Transaction = transaction;
        command.Parameters.AddWithValue("$id", source.Id);
        command.Parameters.AddWithValue("$content", content);
        command.Parameters.AddWithValue("$sum", RowChecksum.OfText(source.Id, content));
        command.ExecuteNonQuery();
    }

    void WriteDeadLetters(SqliteTransaction transaction, IReadOnlyList<ReadOnlyMemory<byte>> lines, long after)
    {
        if (lines.Count == 0) return;
        using var command = Command("INSERT INTO dead_letters VALUES ($number, $line, $sum)");
        command.Transaction = transaction;
        var (number, line, sum) = (command.Parameters.Add("$number", SqliteType.Integer), command.Parameters.Add("$line", SqliteType.Blob),
            command.Parameters.Add("$sum", SqliteType.Blob));
        command.Prepare();
        foreach (var bytes in lines)
        {
            number.Value = ++after;
            line.Value = bytes.ToArray();
            sum.Value = RowChecksum.OfDeadLetter(after, bytes.Span);
            command.ExecuteNonQuery();
        }
    }

    long CountSources(SqliteTransaction transaction)
    {
        using var command = Command("SELECT count(*) FROM sources");
        command.Transaction = transaction;
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Whether there is this number of dead letters, numbered from 1 without a gap.</summary>
    bool HoldsDeadLetters(long count)
    {
        using var command = Command("SELECT count(*), coalesce(min(number), 1), coalesce(max(number), 0) FROM dead_letters");
        using var reader = command.ExecuteReader();
        return reader.Read() && reader.GetInt64(0) == count && reader.GetInt64(1) == 1 && reader.GetInt64(2) == count;
    }

    SqliteCommand Command(string sql)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // every text is a constant of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    T InDatabase<T>(Func<T> work)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _folder.InDatabase(work);
    }

    static ImportStateSummary Summarize(StateFolder folder)
    {
        // Read first: opening a database may write to its folder.
        var (began, saved) = (StateFolder.Written(folder.Marker), StateFolder.Written(folder.Log) ?? StateFolder.Written(folder.Database));
        return SummarizeContent(folder) with { Began = began, LastSaved = saved };
    }

    static ImportStateSummary SummarizeContent(StateFolder folder)
    {
        try
        {
            using var state = OpenExisting(folder, readOnly: true);
            var checkpoint = state.Load();
            return new(folder)
            {
                OptionsFingerprint = checkpoint?.OptionsFingerprint,
                Totals = checkpoint?.Totals ?? new(),
                Finished = checkpoint?.Finished ?? false,
                DeadLetterPath = checkpoint?.DeadLetterPath,
                Sources = checkpoint?.Sources ?? [],
            };
        }
        catch (ImportStateException e)
        {
            return new(folder) { Fault = e.Fault, Message = e.Message };
        }
    }
}
