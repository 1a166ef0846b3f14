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
    internal const string DatabaseName = "import.db";
    internal const string MarkerName = "import.created";
    internal const string HolderName = "import.holder";
    internal const string DeadLettersName = "dead-letters.ndjson";

    /// <summary>What the program notes about an import next to its state: its progress, and how it ended.</summary>
    static readonly string[] NotesOfProgram = ["progress.json", "ended.json"];

    const int BusyCode = 5;
    const int PrimaryCode = 0xff;
    const int CorruptCode = 11;
    const int NotADatabaseCode = 26;

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
    public string DeadLetterPath => Path.Combine(_folder, DeadLettersName);

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
        Prepare(own, OwnFolder.Make);
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
        return [.. Directory.EnumerateDirectories(folder).Where(IsState).Order(StringComparer.Ordinal).Select(state => Summarize(new(state, words)))];
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

        OnDisk(folder, () =>
        {
            foreach (var file in FilesIn(folder)) File.Delete(file);
        });
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Files => FilesIn(_folder);

    /// <inheritdoc/>
    public ImportCheckpoint? Load() => InDatabase(() =>
    {
        _stored = ReadCheckpoint();
        if (_stored is null) return null;
        var sources = ReadSources();
        if (sources.Count != _stored.Sources || !HoldsDeadLetters(_stored.Totals.Rejected)) throw Damaged(_folder);
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
            if (number != ++expected || !RowChecksum.Matches(reader.GetFieldValue<byte[]>(2), RowChecksum.OfDeadLetter(number, line))) throw Damaged(_folder);
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
            if (!_readOnly) File.Delete(Path.Combine(_folder, HolderName)); // while the lock is held, the file is ours
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It only tells others who holds the lock, which ends now.
        }

        _connection.Dispose();
    }

    static SqliteImportState OpenExisting(StateFolder folder, bool readOnly)
    {
        var marker = Path.Combine(folder, MarkerName);
        if (readOnly) Prepare(folder, OwnFolder.EnsureUnshared);
        var connection = Connect(folder);
        try
        {
            Lock(connection, folder);
            var state = new SqliteImportState(folder, connection, readOnly);
            state.Check(); // only under the lock: before, another import may be creating the state
            if (readOnly) return state;
            OnDisk(folder, () =>
            {
                using (var holder = Durable.OpenOwned(Path.Combine(folder, HolderName), FileMode.Create))
                    holder.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
                if (File.Exists(marker)) return;
                using (var file = Durable.OpenOwned(marker, FileMode.CreateNew))
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
        DataSource = Path.Combine(folder, DatabaseName),
        Mode = SqliteOpenMode.ReadWriteCreate,
        Vfs = DurableVfs.Name,
        Pooling = false,
        DefaultTimeout = 1, // a lock is held by another import for long; 0 would wait forever
    }.ConnectionString);

    /// <summary>Takes SQLite's own lock, which the system releases with the process. WAL in exclusive mode needs no shared memory file.</summary>
    static void Lock(SqliteConnection connection, StateFolder folder)
    {
        Guarded(folder, () =>
        {
            var path = Path.Combine(folder, DatabaseName);
            if (!File.Exists(path)) Durable.OpenOwned(path, FileMode.OpenOrCreate).Dispose();
            connection.Open();
            // The provider would retry for at least a second. But a lock is held for long, unless its process is just ending.
            for (var patience = 3; raw.sqlite3_exec(connection.Handle, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT") is var result
                and not raw.SQLITE_OK; patience--)
            {
                var code = result & PrimaryCode;
                if (code != BusyCode || patience == 0) throw new SqliteException(raw.sqlite3_errmsg(connection.Handle).utf8_to_string(), code, result);
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
                case 0 when IsEmpty() && File.Exists(Path.Combine(_folder, MarkerName)):
                    throw new ImportStateException(ImportStateFault.Damaged,
                        $"The state in {_folder} has lost its database: what was imported is no longer known. Restore it from a backup, "
                        + $"or begin again with {_folder.Words[Setting.Restart]}.");
                case 0 when IsEmpty(): // new, or the process ended between the file and its tables
                    return Execute(Schema);
                default:
                    throw Damaged(_folder);
            }
        }

        using (var command = Command("PRAGMA integrity_check(1)"))
            if (command.ExecuteScalar() as string != "ok") throw Damaged(_folder);
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
        if (!RowChecksum.Matches(reader.GetFieldValue<byte[]>(1), RowChecksum.OfText("checkpoint", content))) throw Damaged(_folder);
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
            if (!RowChecksum.Matches(reader.GetFieldValue<byte[]>(2), RowChecksum.OfText(id, content))) throw Damaged(_folder);
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
        return Guarded(_folder, work);
    }

    static T Guarded<T>(StateFolder folder, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == BusyCode)
        {
            throw new ImportStateException(ImportStateFault.Busy,
                $"Another import{Holder(folder)} uses the state in {folder}. Wait until it ends, or name another folder with {folder.Words[Setting.State]}.", e);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is CorruptCode or NotADatabaseCode or 1)
        {
            throw Damaged(folder, e);
        }
        catch (SqliteException e)
        {
            throw new ImportStateException(ImportStateFault.Unwritable,
                $"The state in {folder} cannot be read or written: {e.Message} Free or repair the disk, and {folder.Words.RunAgain}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(folder, e);
        }
        catch (Exception e) when (e is FormatException or InvalidCastException or InvalidOperationException or System.Text.Json.JsonException
            or DecoderFallbackException)
        {
            throw Damaged(folder, e); // a value of a different type than was written
        }
    }

    static string Holder(StateFolder folder)
    {
        try
        {
            return int.TryParse(File.ReadAllText(Path.Combine(folder, HolderName)), CultureInfo.InvariantCulture, out var process)
                ? string.Create(CultureInfo.InvariantCulture, $" (process {process})")
                : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    static ImportStateException Damaged(StateFolder folder, Exception? cause = null) =>
        new(ImportStateFault.Damaged,
            $"The state in {folder} is damaged: what was imported is not known for certain. Restore it from a backup, "
            + $"or begin again with {folder.Words[Setting.Restart]}.", cause);

    static ImportStateException Unwritable(StateFolder folder, Exception cause) =>
        new(ImportStateFault.Unwritable, $"The state in {folder} cannot be written: {cause.Message} Free or repair the disk, and {folder.Words.RunAgain}.",
            cause);

    static void OnDisk(StateFolder folder, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(folder, e);
        }
    }

    /// <summary>Ensures that the folder is accessible only to its owner, and that nobody else has replaced one of its files with a link or a file.</summary>
    static void Prepare(StateFolder folder, Action<string> makeOrFind)
    {
        try
        {
            OnDisk(folder, () =>
            {
                makeOrFind(folder);
                foreach (var file in FilesIn(folder).Where(file => Path.GetFileName(file) != DeadLettersName))
                    Durable.EnsureOwned(file); // that one is replaced, never written through
            });
        }
        catch (ImportStateException e) when (e.InnerException is NotOursException cause)
        {
            throw new ImportStateException(ImportStateFault.Unwritable, $"The state cannot be stored safely: {cause.Message} Nothing was sent.", cause);
        }
    }

    static IReadOnlyCollection<string> FilesIn(string folder) =>
        [
            .. ((string[])
            [
                MarkerName,
                DatabaseName,
                DatabaseName + "-wal",
                DatabaseName + "-shm",
                DatabaseName + "-journal",
                HolderName,
                DeadLettersName,
                .. NotesOfProgram,
            ]).Select(name => Path.Combine(folder, name)),
        ];

    static bool IsState(string folder) => File.Exists(Path.Combine(folder, DatabaseName)) || File.Exists(Path.Combine(folder, MarkerName));

    static ImportStateSummary Summarize(StateFolder folder)
    {
        // Read first: opening a database may write to its folder.
        var (began, saved) =
            (Written(Path.Combine(folder, MarkerName)), Written(Path.Combine(folder, DatabaseName + "-wal")) ?? Written(Path.Combine(folder, DatabaseName)));
        return SummarizeContent(folder) with { Began = began, LastSaved = saved };
    }

    static DateTimeOffset? Written(string path)
    {
        try
        {
            return File.Exists(path) ? new DateTimeOffset(File.GetLastWriteTimeUtc(path)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
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

    /// <summary>The folder of a state, and the words of its messages.</summary>
    readonly record struct StateFolder(string Path, MessageWords Words)
    {
        public static implicit operator string(StateFolder folder) => folder.Path;

        public override string ToString() => Path;
    }
}
