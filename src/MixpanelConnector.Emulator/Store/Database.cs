using DuckDB.NET.Data;
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

    /// <summary>Made with the database, and kept with it.</summary>
    public required string Id { get; init; }

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
    public async Task<T> WriteAsync<T>(Func<DuckDBConnection, T> work, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var transaction = _writer.BeginTransaction();
            var result = work(_writer);
            transaction.Commit();
            _committed?.Invoke();
            return result;
        }
        finally
        {
            _writing.Release();
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
