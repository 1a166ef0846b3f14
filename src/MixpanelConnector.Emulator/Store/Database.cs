using System.Globalization;
using DuckDB.NET.Data;
using DuckDB.NET.Native;
using MixpanelConnector.Emulator.Folder;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>
/// A DuckDB database with one writer at a time, whose transaction is durable when it returns, and concurrent readers. Data that was read and written stays
/// cached in memory, which is released shortly after the last access.
/// </summary>
sealed class Database : IDisposable
{
    /// <summary>The bytes of the cache that are retained.</summary>
    const long Kept = 48_000_000;

    /// <summary>The bytes that transactions may use beyond what is held, until something is read.</summary>
    const long ForWriting = 64_000_000;

    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    readonly DuckDBConnection _writer;
    readonly string _memoryLimit;
    readonly Action? _committed;
    readonly SemaphoreSlim _writing = new(1, 1);
    readonly Timer _trimming;
    readonly Lock _reading = new();
    ScratchFolder? _spill;
    int _readers;
    bool _isTrimmingSoon, _isClosed, _isLimited;

    Database(DuckDBConnection writer, Action? committed)
    {
        _writer = writer;
        _memoryLimit = Setting(writer, "memory_limit");
        _committed = committed;
        _trimming = new Timer(_ => Trim(), null, Timeout.Infinite, Timeout.Infinite);
    }

    bool IsInMemory => _writer.DataSource is ":memory:" or "";

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
            return new Database(writer, committed) { Id = (string)query.ExecuteScalar()! };
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
        var connection = IsInMemory ? _writer.Duplicate() : new DuckDBConnection(_writer.ConnectionString);
        lock (_reading)
        {
            connection.Open();
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
    void Trim()
    {
        _writing.Wait();
        try
        {
            lock (_reading)
            {
                _isTrimmingSoon = false;
                if (_readers > 0 || _isClosed) return;
                if (Held() <= Kept) return;
                if (IsInMemory && _spill is null)
                {
                    // Data that does not fit is spilled to a folder that only this user can access.
                    _spill = ScratchFolder.Make();
                    _writer.Execute($"SET temp_directory = '{_spill.Path.Replace("'", "''", StringComparison.Ordinal)}'");
                }
                _isLimited = true;
                try
                {
                    Limit(Kept);
                }
                finally
                {
                    Limit(Held() + ForWriting);
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

    long Held()
    {
        using var query = _writer.Command("SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()");
        return (long)query.ExecuteScalar()!;
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
        _spill?.Dispose();
    }
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

static class DuckDBRows
{
    public static DateTimeOffset GetTime(this DuckDBDataReader row, int column) =>
        new(DateTime.SpecifyKind(row.GetDateTime(column), DateTimeKind.Utc));
}
