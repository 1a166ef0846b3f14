using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Hashing;
using Microsoft.Data.Sqlite;
using MixpanelConnector.Files;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Sqlite;

/// <summary>One database of an outbox, used by one process. Every row has a checksum.</summary>
sealed partial class OutboxDatabase : IDisposable
{
    /// <summary>The maximum number of bytes read at once, regardless of the number of records: messages for a queue have 8 MB.</summary>
    const long MostBytesRead = 16 << 20;

    const int BusyCode = 5;
    const int CorruptCode = 11;
    const int FullCode = 13;
    const int NotADatabaseCode = 26;
    const int SyncFailedCode = 1034;
    const int FolderSyncFailedCode = 1290;

    // The log is checkpointed into the file after this many bytes, when something was sent and nobody is waiting; during an outage, when nothing is
    // sent, after this many pages. Each checkpoint delays callers that track until all changed pages are written, so it must not be frequent.
    const int CheckpointBytes = 16 << 20;
    const int CheckpointPages = 8192;
    const int BytesOfARow = 8 << 10;

    const string Schema = """
        CREATE TABLE batches (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, records INTEGER NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL, sum BLOB NOT NULL) STRICT;
        CREATE INDEX batches_of_kind ON batches (kind, number);
        CREATE TABLE damaged (number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, records INTEGER NOT NULL, at INTEGER NOT NULL, content BLOB NOT NULL, sum BLOB NOT NULL) STRICT;
        PRAGMA user_version = 1;
        """;

    readonly string _path;
    readonly long _mostBytes;
    readonly int _pageBytes;
    readonly long[] _records = new long[3];
    SqliteConnection _connection;
    SqliteCommand _insert;
    SqliteCommand _delete;
    SqliteCommand _read;
    SqliteCommand _synced;
    SqliteCommand _unsynced;
    (ulong, ulong)? _file;
    bool _isSynced = true;
    bool _isClosed;
    long _logged;

    OutboxDatabase(string path, long mostBytes, SqliteConnection connection)
    {
        _path = path;
        Use(connection);
        _pageBytes = (int)Number(connection, "PRAGMA page_size");
        // A part that an earlier version, or a higher limit, let grow larger never shrinks: it keeps its size.
        _mostBytes = Math.Max(mostBytes, (Number(connection, "PRAGMA page_count") * _pageBytes) + LogBytes(mostBytes));
    }

    [MemberNotNull(nameof(_connection), nameof(_insert), nameof(_delete), nameof(_read), nameof(_synced), nameof(_unsynced))]
    void Use(SqliteConnection connection)
    {
        (_connection, _file, _isSynced, _logged) = (connection, FileIdentity.Holder(_path), true, 0);
        _synced = Command("PRAGMA synchronous = FULL");
        _unsynced = Command("PRAGMA synchronous = NORMAL");
        _insert =
            Command("INSERT INTO batches VALUES ($number, $kind, $records, $at, $content, $sum)", "$number", "$kind", "$records", "$at", "$content", "$sum");
        _delete = Command("DELETE FROM batches WHERE number = $number RETURNING kind, records", "$number");
        _read = Command("SELECT number, records, at, content, sum FROM batches WHERE kind = $kind AND number > $after ORDER BY number", "$kind", "$after");
    }

    public long Quarantined { get; private set; }

    public long LastNumber { get; private set; }

    /// <summary>
    /// Opens the database at a path, creating it if needed. A damaged database is set aside, and what can still be read from it is recovered.
    /// </summary>
    /// <returns>The database; null when another process is using it.</returns>
    /// <exception cref="OutboxException">The disk failed.</exception>
    public static OutboxDatabase? Open(string path, long mostBytes)
    {
        try
        {
            return TryOpen(path, mostBytes, out var busy) ?? (busy ? null : Salvage(path, mostBytes));
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Failed(path, e);
        }
    }

    public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches) => Guarded(() =>
    {
        // What is written to a deleted file is lost when the process ends.
        if (FileIdentity.Holder(_path) != _file)
            throw new OutboxException($"The outbox {_path} was removed or replaced while it was in use. Its records are sent; for new ones, restart.",
                mayPass: false);
        EnsureRoom(batches);
        Sync(true);
        var numbers = new long[batches.Count];
        using (var transaction = _connection.BeginTransaction())
        {
            _insert.Transaction = transaction;
            for (var i = 0; i < batches.Count; i++)
            {
                var batch = batches[i];
                var content = batch.Content.ToArray();
                var (number, kind, at) = (LastNumber + 1 + i, (int)batch.Kind, batch.At.ToUnixTimeMilliseconds());
                Set(_insert, number, kind, batch.Records, at, content, Sum(number, kind, batch.Records, at, content));
                _insert.ExecuteNonQuery();
                numbers[i] = number;
                _logged += content.Length + BytesOfARow;
            }

            transaction.Commit();
        }

        foreach (var batch in batches) _records[(int)batch.Kind] += batch.Records;
        LastNumber = numbers[^1];
        return numbers;
    });

    public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records) => Guarded(() =>
    {
        var batches = new List<OutboxBatch>();
        List<long>? damaged = null;
        Set(_read, (int)kind, after);
        using (var reader = _read.ExecuteReader())
        {
            var bytes = 0L;
            for (var sum = 0; sum < records && reader.Read();)
            {
                if (ReadRow(reader, kind) is { } batch)
                {
                    bytes += batch.Content.Length;
                    if (batches.Count > 0 && (sum + batch.Records > Math.Max(records, 1) || bytes > MostBytesRead)) break;
                    batches.Add(batch);
                    sum += batch.Records;
                }
                else
                {
                    (damaged ??= []).Add(reader.GetInt64(0));
                }
            }
        }

        if (damaged is not null) SetAside(damaged);
        return batches;
    });

    /// <summary>Removes batches. Not synced: after a power loss, some are resent.</summary>
    public void Remove(IReadOnlyList<long> numbers) => Guarded(() =>
    {
        try
        {
            RemoveRows(numbers);
        }
        catch (SqliteException e) when (e.SqliteErrorCode == FullCode)
        {
            if (!IsAll(numbers) || FileIdentity.Holder(_path) != _file) throw;

            // The log cannot grow or be checkpointed, and a removal is written to it first. But no data is left to lose.
            _isClosed = true;
            Dispose();
            Array.Clear(_records);
            Delete(_path);
            Reopen();
        }

        return 0;
    });

    /// <summary>Reopens a database that was closed in order to be recreated. On a full disk that may fail, too; then the next call retries.</summary>
    void Reopen()
    {
        var connection = Connect(_path, SqliteOpenMode.ReadWriteCreate);
        try
        {
            if (!Prepare(connection, _path, isNew: !File.Exists(_path), _mostBytes))
                throw new OutboxException($"The outbox {_path} now belongs to another program.", mayPass: false);
            Use(connection);
            _isClosed = false;
        }
        finally
        {
            if (_isClosed) connection.Dispose();
        }

        Load();
        MakeReserve();
    }

    void RemoveRows(IReadOnlyList<long> numbers)
    {
        var atOnce = numbers.Count;
        if (SizeWith(0) + LogLength() + Reserve > _mostBytes)
        {
            ShortenLog();
            atOnce = RowsRemovedInReserve;
        }

        foreach (var some in numbers.Chunk(Math.Max(1, atOnce))) RemoveTogether(some);
    }

    void RemoveTogether(IReadOnlyList<long> numbers)
    {
        var removed = new long[3];
        Sync(false);
        using (var transaction = _connection.BeginTransaction())
        {
            _delete.Transaction = transaction;
            foreach (var number in numbers)
            {
                Set(_delete, number);
                using var reader = _delete.ExecuteReader();
                if (reader.Read()) removed[reader.GetInt32(0)] += reader.GetInt64(1);
            }

            transaction.Commit();
        }

        for (var kind = 0; kind < removed.Length; kind++) _records[kind] -= removed[kind];
        if (_logged < Math.Min(CheckpointBytes, _mostBytes / 2)) return;
        _logged = 0;
        try
        {
            Execute(_connection, "PRAGMA wal_checkpoint(PASSIVE)");
        }
        catch (SqliteException e) when (e.SqliteErrorCode == FullCode)
        {
            // The log continues to grow as long as there is space.
        }
    }

    /// <summary>Whether these are all batches in the database. Each is passed once.</summary>
    bool IsAll(IReadOnlyList<long> numbers) =>
        Number(_connection, "SELECT count(*) FROM damaged") == 0 && Number(_connection, "SELECT count(*) FROM batches") <= numbers.Count;

    /// <summary>Sets whether commits wait for the disk.</summary>
    void Sync(bool synced)
    {
        if (_isSynced == synced) return;
        (synced ? _synced : _unsynced).ExecuteNonQuery();
        _isSynced = synced;
    }

    public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind)
    {
        if (_records[(int)kind] == 0) return (0, null);
        return Guarded(() =>
        {
            using var command = Command("SELECT at FROM batches WHERE kind = $kind ORDER BY number LIMIT 1", "$kind");
            Set(command, (int)kind);
            return (_records[(int)kind], command.ExecuteScalar() is long at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : (DateTimeOffset?)null);
        });
    }

    public void Dispose()
    {
        _insert.Dispose();
        _delete.Dispose();
        _read.Dispose();
        _synced.Dispose();
        _unsynced.Dispose();
        _connection.Dispose();
    }

    public static void Delete(string path)
    {
        foreach (var suffix in (string[])["", "-wal", "-shm", "-journal"]) File.Delete(path + suffix);
    }

    /// <summary>Opens a database; null when another process is using it, or when it is damaged.</summary>
    static OutboxDatabase? TryOpen(string path, long mostBytes, out bool busy)
    {
        busy = false;
        var isNew = !File.Exists(path);
        var connection = Connect(path, SqliteOpenMode.ReadWriteCreate);
        OutboxDatabase? database = null;
        try
        {
            if (!Prepare(connection, path, isNew, mostBytes)) return null;
            database = new OutboxDatabase(path, mostBytes, connection);
            database.Load();
            database.MakeReserve();
            return database;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == BusyCode)
        {
            busy = true;
            return null;
        }
        catch (SqliteException e) when (e.SqliteErrorCode is CorruptCode or NotADatabaseCode or 1)
        {
            database = null;
            return null;
        }
        finally
        {
            if (database is null) connection.Dispose();
        }
    }

    /// <summary>Prepares a database. False when the file is not an outbox, or is damaged.</summary>
    static bool Prepare(SqliteConnection connection, string path, bool isNew, long mostBytes)
    {
        foreach (var suffix in (string[])["", "-wal", "-journal"]) Durable.EnsureOwned(path + suffix);
        if (isNew) Durable.OpenOwned(path, FileMode.OpenOrCreate).Dispose();
        connection.Open();
        Execute(connection, "PRAGMA locking_mode = EXCLUSIVE");
        WriteAheadLog.Begin(connection);
        Execute(connection, "PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT");
        var version = Number(connection, "PRAGMA user_version");
        if (version == 0 && Number(connection, "SELECT count(*) FROM sqlite_schema") == 0) Execute(connection, $"BEGIN; {Schema} COMMIT");
        else if (version != 1) return false;
        using (var check = connection.CreateCommand())
        {
            check.CommandText = "PRAGMA quick_check(1)";
            if (check.ExecuteScalar() as string != "ok") return false;
        }

        var pages = (mostBytes - LogBytes(mostBytes)) / Number(connection, "PRAGMA page_size");
        Execute(connection,
            string.Create(CultureInfo.InvariantCulture,
                $"PRAGMA max_page_count = {Math.Max(pages, Number(connection, "PRAGMA page_count"))}; "
                + $"PRAGMA wal_autocheckpoint = {Math.Min(CheckpointPages, pages / 2)}"));
        Durable.SyncFolder(Path.GetDirectoryName(path)!); // also the removal of the initial journal: if it reappeared, it would undo the switch to WAL
        return true;
    }

    /// <summary>Sets a damaged database aside, and recovers what can be read from it: forward from its beginning, and backward from its end.</summary>
    static OutboxDatabase Salvage(string path, long mostBytes)
    {
        var aside = path;
        for (var i = 1; File.Exists(aside); i++) aside = string.Create(CultureInfo.InvariantCulture, $"{path}.corrupt-{i}");
        foreach (var suffix in (string[])["-wal", "-journal"])
            if (File.Exists(path + suffix)) File.Move(path + suffix, aside + suffix);
        File.Move(path, aside);
        Durable.SyncFolder(Path.GetDirectoryName(path)!);

        var rows = new SortedDictionary<long, OutboxBatch>();
        var lost = Collect(aside, "ORDER BY number", rows) + Collect(aside, "ORDER BY number DESC", rows);
        var database = TryOpen(path, mostBytes, out _)
            ?? throw new OutboxException($"The outbox {path} was damaged, is now {aside}, and a new one cannot be created.", mayPass: false);
        if (rows.Count > 0) database.Append([.. rows.Values]);
        database.Quarantined += Math.Max(1, lost); // the actual number is unknown
        return database;
    }

    /// <summary>Collects rows; returns the number of records that were found to be damaged.</summary>
    static long Collect(string path, string order, SortedDictionary<long, OutboxBatch> rows)
    {
        var damaged = 0L;
        try
        {
            using var connection = Connect(path, SqliteOpenMode.ReadWrite);
            connection.Open();
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // one of two constants
            command.CommandText = $"SELECT number, records, at, content, sum, kind FROM batches NOT INDEXED {order}";
#pragma warning restore CA2100
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                if (rows.ContainsKey(reader.GetInt64(0))) break;
                if (ReadRow(reader, (TrackedKind)reader.GetInt32(5)) is { } batch) rows.Add(batch.Number, batch);
                else damaged += Math.Max(1, reader.GetInt64(1));
            }
        }
        catch (Exception e) when (e is SqliteException or InvalidCastException or InvalidOperationException)
        {
            // The rest is unreadable.
        }

        return damaged;
    }

    void Load()
    {
        using var command = Command("SELECT kind, sum(records), max(number) FROM batches GROUP BY kind");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            if (reader.GetInt64(0) is >= 0 and < 3 and var kind) _records[kind] = reader.GetInt64(1);
            LastNumber = Math.Max(LastNumber, reader.GetInt64(2));
        }
    }

    void SetAside(List<long> numbers)
    {
        using var transaction = _connection.BeginTransaction();
        using var command = Command(
            "INSERT OR REPLACE INTO damaged SELECT * FROM batches WHERE number = $number; DELETE FROM batches WHERE number = $number RETURNING kind, records",
            "$number");
        command.Transaction = transaction;
        foreach (var number in numbers)
        {
            Set(command, number);
            using var reader = command.ExecuteReader();
            if (!reader.Read()) continue;
            Quarantined += Math.Max(1, reader.GetInt64(1));
            if (reader.GetInt64(0) is >= 0 and < 3 and var kind) _records[kind] -= reader.GetInt64(1);
        }

        transaction.Commit();
    }

    static OutboxBatch? ReadRow(SqliteDataReader reader, TrackedKind kind)
    {
        var (number, records, at, content) = (reader.GetInt64(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetFieldValue<byte[]>(3));
        if (!RowChecksum.Matches(reader.GetFieldValue<byte[]>(4), Sum(number, (int)kind, records, at, content))) return null;
        return new OutboxBatch(kind, records, DateTimeOffset.FromUnixTimeMilliseconds(at), content) { Number = number };
    }

    static byte[] Sum(long number, int kind, int records, long at, byte[] content)
    {
        Span<byte> key = stackalloc byte[24];
        BinaryPrimitives.WriteInt64LittleEndian(key, number);
        BinaryPrimitives.WriteInt32LittleEndian(key[8..], kind);
        BinaryPrimitives.WriteInt32LittleEndian(key[12..], records);
        BinaryPrimitives.WriteInt64LittleEndian(key[16..], at);
        var hash = new XxHash128();
        hash.Append(key);
        hash.Append(content);
        return hash.GetCurrentHash();
    }

    static SqliteConnection Connect(string path, SqliteOpenMode mode) => new(new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = mode,
        Vfs = DurableVfs.Name,
        Pooling = false,
        DefaultTimeout = 1, // a lock is held by another process for long; 0 would wait forever
    }.ConnectionString);

    static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants and numbers
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // constants
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    SqliteCommand Command(string sql, params string[] parameters)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // every text is a constant of this file
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var name in parameters) command.Parameters.Add(new SqliteParameter { ParameterName = name });
        return command;
    }

    static void Set(SqliteCommand command, params object[] values)
    {
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
    }

    T Guarded<T>(Func<T> work)
    {
        try
        {
            if (_isClosed) Reopen();
            return work();
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw Failed(_path, e);
        }
        catch (Exception e) when (e is InvalidCastException or InvalidOperationException)
        {
            throw new OutboxException($"The outbox {_path} is damaged ({e.GetType().Name}). The next start sets it aside and recovers what can be read.",
                mayPass: false, e);
        }
    }

    static OutboxException Full(string path, Exception? e = null) =>
        new($"The outbox {path} is full: its disk, or its own limit. Records are rejected until there is space.", mayPass: true, e);

    static OutboxException Failed(string path, Exception e) => e switch
    {
        SqliteException { SqliteErrorCode: FullCode } => Full(path, e),
        SqliteException { SqliteErrorCode: CorruptCode or NotADatabaseCode } =>
            new($"The outbox {path} is damaged. The next start sets it aside and recovers what can be read.", mayPass: false, e),
        // The system may have discarded what it could not write: a retry would prove nothing.
        NotSyncedException or SqliteException { SqliteExtendedErrorCode: SyncFailedCode or FolderSyncFailedCode } =>
            new($"The disk of the outbox {path} does not sync: {e.Message} Durability cannot be guaranteed; repair the disk and restart.", mayPass: false, e),
        IOException or UnauthorizedAccessException => new($"The outbox {path} cannot be written: {e.Message}", mayPass: true, e),
        _ => new($"The outbox {path} cannot be read or written: {e.Message}", mayPass: true, e),
    };
}
