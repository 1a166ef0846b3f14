using DuckDB.NET.Data;
using DuckDB.NET.Native;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>One DuckDB database: one writer at a time, whose transaction is durable when it returns; readers beside it.</summary>
sealed class Database : IDisposable
{
    readonly DuckDBConnection _writer;
    readonly Action? _committed;
    readonly SemaphoreSlim _writing = new(1, 1);

    Database(DuckDBConnection writer, Action? committed)
    {
        _writer = writer;
        _committed = committed;
    }

    /// <summary>Made with the database, and kept with it until other data takes its place.</summary>
    public string Id { get; set; } = "";

    /// <summary>Opens a database file, or one in memory, and creates what is missing in it.</summary>
    /// <param name="file">The file; null for memory.</param>
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

    /// <summary>A connection of its own for reading: it sees what was committed when a query starts.</summary>
    public DuckDBConnection Connect()
    {
        var connection = _writer.DataSource is ":memory:" or "" ? _writer.Duplicate() : new DuckDBConnection(_writer.ConnectionString);
        connection.Open();
        return connection;
    }

    /// <summary>Runs one transaction. Once begun it is not cancelled: it is whole, or did not happen.</summary>
    /// <exception cref="StoreException">The database could not write it, and perhaps will never write again.</exception>
    public async Task<T> WriteAsync<T>(Func<DuckDBConnection, T> work, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // In SQL, not as a DbTransaction: once the rollback of one has failed, its connection begins no other, and no longer says why.
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
        }
    }

    /// <summary>A transaction that cannot begin or end is the store's failure, whatever type the database gives its error.</summary>
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
            // The failed commit has ended the transaction, or the database has given up: the next one is told so.
        }
    }

    /// <summary>Closes the database, after the transaction that is running.</summary>
    public void Dispose()
    {
        _writing.Wait();
        _writer.Dispose();
        _writing.Dispose();
    }
}

/// <summary>The database cannot write. After some errors it never does again, until it is opened anew.</summary>
sealed class StoreException(DuckDBException innerException) : Exception(innerException.Message.ReplaceLineEndings(" "), innerException)
{
    /// <summary>Whether the error is the disk's, or of a database that has given up after such a one; whatever its text says.</summary>
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
