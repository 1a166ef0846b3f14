using System.Globalization;
using DuckDB.NET.Data;
using DuckDB.NET.Native;
using MixpanelConnector.Emulator.Folder;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>
/// A DuckDB database with one writer at a time, whose transaction is durable when it returns, and concurrent readers. Data that was read and written stays
/// cached in memory, which is released shortly after the last access. One in memory moves to a file in a temporary folder once it has grown: DuckDB reads a
/// file faster than the memory that it has swapped out, which it compresses.
/// </summary>
sealed class Database : IDisposable
{
    /// <summary>The bytes of the cache that are retained.</summary>
    const long Kept = 48_000_000;

    /// <summary>The bytes that transactions may use beyond what is held, until something is read.</summary>
    const long ForWriting = 64_000_000;

    /// <summary>The bytes of a store without a folder that are not yet in a file: it moves to one beyond that.</summary>
    const long MostPending = 24_000_000;

    /// <summary>The rows that each checkpoint of a moved store may have to write anew: a sixth of DuckDB's default.</summary>
    const string RowGroup = "20480";

    /// <summary>The name of a moved store among the databases of the connection, and of its file.</summary>
    const string Moved = "moved", FileName = "mixpanel.duckdb";

    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    readonly DuckDBConnection _writer;
    readonly string _memoryLimit;
    readonly Action? _committed;
    readonly SemaphoreSlim _writing = new(1, 1);
    readonly Timer _trimming;
    readonly Lock _reading = new();
    Place _place;
    ScratchFolder? _scratch;
    int _readers;
    bool _isTrimmingSoon, _isClosed, _isLimited;

    Database(DuckDBConnection writer, Place place, Action? committed)
    {
        _writer = writer;
        _place = place;
        _memoryLimit = Setting(writer, "memory_limit");
        _committed = committed;
        _trimming = new Timer(_ => Trim(), null, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>The file of a store that was in memory until it had grown; null before that.</summary>
    internal string? MovedTo => _place is Place.Moved ? _scratch!.File(FileName) : null;

    /// <summary>Created with the database, and unchanged until its data is replaced.</summary>
    public string Id { get; set; } = "";

    /// <summary>Opens a database file, or one in memory, and creates missing tables.</summary>
    /// <param name="file">The file; null for an in-memory database.</param>
    /// <param name="committed">Called after each transaction, which may have created files.</param>
    public static Database Open(string? file, Action? committed)
    {
        var writer = new DuckDBConnection(file is null ? "DataSource=:memory:" : $"DataSource={file}");
        try
        {
            writer.Open();
            writer.Execute(Schema.Text);
            committed?.Invoke();
            using var query = writer.Command("SELECT id FROM store");
            return new Database(writer, file is null ? Place.Memory : Place.Folder, committed) { Id = (string)query.ExecuteScalar()! };
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>A separate connection for reading: a query sees what was committed when it starts.</summary>
    public DuckDBConnection Connect()
    {
        var connection = _place is Place.Folder ? new DuckDBConnection(_writer.ConnectionString) : _writer.Duplicate();
        lock (_reading)
        {
            connection.Open();
            if (_place is Place.Moved) connection.Execute($"USE {Moved}");
            if (_isLimited)
                connection.Execute($"SET memory_limit = '{_memoryLimit}'"); // RESET would change the setting, but not the limit that applies
            _isLimited = false;
            _readers++;
        }
        connection.Disposed += (_, _) =>
        {
            lock (_reading)
                _readers--;
            TrimSoon();
        };
        return connection;
    }

    /// <summary>Runs one transaction. Once started it cannot be cancelled: it takes effect completely or not at all.</summary>
    /// <exception cref="StoreException">The database could not write it, and may never write again.</exception>
    public async Task<T> WriteAsync<T>(Func<DuckDBConnection, T> work, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // In SQL, not as a DbTransaction: after a failed rollback, its connection cannot begin another one, and no longer reports why.
            Run("BEGIN TRANSACTION");
            T result;
            try
            {
                result = work(_writer);
                Run("COMMIT");
            }
            catch (Exception e)
            {
                RollBack();
                if (StoreException.IsBehind(e)) throw new StoreException((DuckDBException)e);
                throw;
            }
            _committed?.Invoke();
            return result;
        }
        finally
        {
            _writing.Release();
            TrimSoon();
        }
    }

    void TrimSoon()
    {
        lock (_reading)
        {
            if (_isTrimmingSoon || _isClosed) return;
            _isTrimmingSoon = true;
            _trimming.Change(Moment, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// Releases memory by setting a memory limit, which the next reader lifts: a query that needs more, for sorting or long strings, must not fail because of
    /// it. It therefore runs between two transactions, while there are no readers.
    /// </summary>
    internal void Trim()
    {
        _writing.Wait();
        try
        {
            lock (_reading)
            {
                _isTrimmingSoon = false;
                if (_readers > 0 || _isClosed) return;
                var held = Held();
                if (held.Bytes <= Kept && (_place is Place.Folder || held.Pending <= MostPending)) return;
                if (_place is Place.Memory) Move();
                if (_place is Place.Unmovable) return;
                if (_place is Place.Moved && held.Pending > MostPending) _writer.Execute($"CHECKPOINT {Moved}");
                _isLimited = true;
                try
                {
                    Limit(Kept);
                }
                finally
                {
                    Limit(Held().Bytes + ForWriting);
                }
            }
        }
        catch (Exception e) when (e is DuckDBException or IOException or UnauthorizedAccessException)
        {
            // Memory that cannot be released is retained: the disk is full or not writable, or the database has failed, which the next transaction reports.
        }
        finally
        {
            _writing.Release();
        }
    }

    void Limit(long bytes) => _writer.Execute(string.Create(CultureInfo.InvariantCulture, $"SET memory_limit = '{bytes}B'"));

    static string Setting(DuckDBConnection connection, string name)
    {
        using var query = connection.Command("SELECT current_setting($name)", ("name", name));
        return (string)query.ExecuteScalar()!;
    }

    /// <summary>What is held in memory, and how much of it is tables that are not yet in a file.</summary>
    (long Bytes, long Pending) Held()
    {
        using var query = _writer.Command("SELECT sum(memory_usage_bytes)::BIGINT, sum(memory_usage_bytes) FILTER (tag = 'IN_MEMORY_TABLE')::BIGINT FROM duckdb_memory()");
        using var row = query.ExecuteReader();
        row.Read();
        return (row.GetInt64(0), row.GetInt64(1));
    }

    /// <summary>
    /// Moves the store from memory to a file, without a log, as it need not survive the process. If that fails, it remains in memory for good.
    /// </summary>
    void Move()
    {
        _place = Place.Unmovable;
        _scratch = ScratchFolder.Make();
        _writer.Execute($"SET temp_directory = '{Quoted(_scratch.File("spill"))}'");
        _writer.Execute($"ATTACH '{Quoted(_scratch.File(FileName))}' AS {Moved} (RECOVERY_MODE no_wal_writes, ROW_GROUP_SIZE {RowGroup})");
        try
        {
            // Ids hardly repeat: to look for a way to compress them takes more of the processor than to write them.
            _writer.Execute("SET disabled_compression_methods = 'fsst,dict_fsst,zstd'");
            _writer.Execute($"COPY FROM DATABASE memory TO {Moved}");
            foreach (var (name, next) in _writer.NextOfSequences("memory"))
                _writer.Execute(string.Create(CultureInfo.InvariantCulture, $"CREATE OR REPLACE SEQUENCE {Moved}.main.{name} START {next}"));
        }
        catch (DuckDBException)
        {
            _writer.Execute($"DETACH {Moved}");
            throw;
        }
        _writer.Execute($"USE {Moved}");
        _writer.Execute("DETACH memory");
        _place = Place.Moved;

        static string Quoted(string path) => path.Replace("'", "''", StringComparison.Ordinal);
    }

    /// <summary>Treats any error at the start or end of a transaction as a failure of the store, whatever type the database reports.</summary>
    void Run(string statement)
    {
        try
        {
            _writer.Execute(statement);
        }
        catch (DuckDBException e)
        {
            throw new StoreException(e);
        }
    }

    void RollBack()
    {
        try
        {
            _writer.Execute("ROLLBACK");
        }
        catch (DuckDBException)
        {
            // The failed commit has ended the transaction, or the database has failed: the next transaction reports it.
        }
    }

    /// <summary>Closes the database after the current transaction.</summary>
    public void Dispose()
    {
        lock (_reading)
            _isClosed = true;
        using (var ended = new ManualResetEvent(false))
        {
            if (_trimming.Dispose(ended)) ended.WaitOne();
        }
        _writing.Wait();
        _writer.Dispose();
        _writing.Dispose();
        _scratch?.Dispose();
    }

    enum Place { Folder, Memory, Moved, Unmovable }
}

/// <summary>The database cannot write. After some errors it cannot do so until it is reopened.</summary>
sealed class StoreException(DuckDBException innerException) : Exception(innerException.Message.ReplaceLineEndings(" "), innerException)
{
    /// <summary>Whether the error is a disk error, or that of a database that has failed after one; the message is not considered.</summary>
    public static bool IsBehind(Exception e) => e is DuckDBException { ErrorType: DuckDBErrorType.Io or DuckDBErrorType.Fatal };
}

static class DuckDBCommands
{
    public static DuckDBCommand Command(this DuckDBConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // every statement is a constant of this assembly; values are parameters
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in parameters)
            command.Parameters.Add(new DuckDBParameter(name, value is string text ? StoredText.Of(text) : value));
        return command;
    }

    public static int Execute(this DuckDBConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = connection.Command(sql, parameters);
        return command.ExecuteNonQuery();
    }
}

static class DuckDBSequences
{
    /// <summary>The next value of each sequence of a database.</summary>
    public static IReadOnlyList<(string Name, long Next)> NextOfSequences(this DuckDBConnection connection, string database)
    {
        using var query = connection.Command("SELECT sequence_name, coalesce(last_value, 0) + 1 FROM duckdb_sequences() WHERE database_name = $database AND schema_name = 'main'", ("database", database));
        using var row = query.ExecuteReader();
        var sequences = new List<(string, long)>();
        while (row.Read())
            sequences.Add((row.GetString(0), row.GetInt64(1)));
        return sequences;
    }
}

static class DuckDBRows
{
    public static DateTimeOffset GetTime(this DuckDBDataReader row, int column) =>
        new(DateTime.SpecifyKind(row.GetDateTime(column), DateTimeKind.Utc));
}
