using DuckDB.NET.Data;

namespace MixpanelConnector.Emulator.Store;

/// <summary>Saves, restores and resets the store as a whole. A snapshot is stored in the database, in its own tables.</summary>
sealed class Snapshots(Database database, EventStore events, Accounts accounts) : IDisposable
{
    const string Prefix = "snapshot_";

    /// <summary>The state before an unfinished change.</summary>
    const string Before = "before_change";

    /// <summary>Everything but the id of the store.</summary>
    static readonly string[] Tables =
    [
        "organizations", "projects", "service_accounts", "project_members", "events", "identities", "documents", "profiles", "query_sessions", "lookup_tables",
    ];

    /// <summary>The tables with data of a project, other than its members.</summary>
    static readonly string[] OfProjects = ["events", "identities", "documents", "profiles", "query_sessions", "lookup_tables"];

    readonly SemaphoreSlim _changing = new(1, 1); // there is one saved state for undo

    public void Dispose() => _changing.Dispose();

    /// <summary>The names of the snapshots, sorted.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            using var connection = database.Connect();
            return NamesIn(connection);
        }
    }

    /// <summary>Saves the current state; replaces a snapshot of the same name.</summary>
    public Task SaveAsync(string name, CancellationToken cancellationToken) => KeepAsync(SchemaOf(name), cancellationToken);

    /// <summary>
    /// Executes a change of several steps: if one of them fails, or the process ends meanwhile, the previous state is restored. Changes by others during this
    /// time are then lost.
    /// </summary>
    /// <param name="change">The change.</param>
    /// <param name="undone">Called when it was rolled back.</param>
    /// <param name="cancellationToken">Cancels before the change.</param>
    public async Task AllOrNothingAsync(Func<Task> change, Action undone, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await KeepAsync(Before, cancellationToken).ConfigureAwait(false);
            try
            {
                await change().ConfigureAwait(false);
            }
            catch
            {
                await UndoAsync(CancellationToken.None).ConfigureAwait(false);
                undone();
                throw;
            }
            await database.WriteAsync(connection => connection.Execute($"DROP SCHEMA {Before} CASCADE"), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Rolls back a change during which the process ended, if there is one.</summary>
    public async Task UndoAsync(CancellationToken cancellationToken)
    {
        using (var connection = database.Connect())
        using (var query =
            connection.Command("SELECT count(*) FROM duckdb_schemas() WHERE database_name = current_database() AND schema_name = $name", ("name", Before)))
        {
            if ((long)(await query.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))! == 0) return;
        }
        await RewriteAsync(
            connection =>
            {
                BringBack(connection, Before);
                return connection.Execute($"DROP SCHEMA {Before} CASCADE");
            },
            cancellationToken).ConfigureAwait(false);
    }

    Task<bool> KeepAsync(string schema, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            connection.Execute($"DROP SCHEMA IF EXISTS {schema} CASCADE");
            connection.Execute($"CREATE SCHEMA {schema}");
            foreach (var table in Tables)
                connection.Execute($"CREATE TABLE {schema}.{table} AS SELECT * FROM main.{table}");
            connection.Execute(
                $"CREATE TABLE {schema}.sequences AS SELECT sequence_name AS name, coalesce(last_value, "
                + $"0) + 1 AS next FROM duckdb_sequences() WHERE schema_name = 'main'");
            return true;
        },
        cancellationToken);

    /// <summary>Restores a snapshot, replacing all data; false if there is none of the name.</summary>
    public async Task<bool> RestoreAsync(string name, CancellationToken cancellationToken) =>
        Names.Contains(name, StringComparer.Ordinal) && await RewriteAsync(
        connection =>
        {
            if (!NamesIn(connection).Contains(name, StringComparer.Ordinal))
                return false; // it has just been deleted
            BringBack(connection, SchemaOf(name));
            return true;
        },
        cancellationToken).ConfigureAwait(false);

    /// <summary>Deletes a snapshot; false if there is none of the name.</summary>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            if (!NamesIn(connection).Contains(name, StringComparer.Ordinal)) return false;
            connection.Execute($"DROP SCHEMA {SchemaOf(name)} CASCADE");
            return true;
        },
        cancellationToken);

    /// <summary>Resets the store to its initial content. Snapshots are kept.</summary>
    public Task ResetAsync(CancellationToken cancellationToken) => RewriteAsync(
        connection =>
        {
            foreach (var table in Tables)
                connection.Execute($"DELETE FROM main.{table}");
            StartSequences(connection, "SELECT sequence_name, 1::BIGINT FROM duckdb_sequences() WHERE schema_name = 'main'");
            accounts.CreateDevelopmentWorld(connection);
            LookupTableStore.CreateDevelopmentTable(connection);
            return true;
        },
        cancellationToken);

    /// <summary>Deletes all data of a project: it is as it was when it was created.</summary>
    public Task ClearProjectAsync(int projectId, CancellationToken cancellationToken) => RewriteAsync(
        connection =>
        {
            Clear(connection, projectId);
            LookupTableStore.CreateDevelopmentTable(connection);
            return true;
        },
        cancellationToken);

    /// <summary>Deletes a project with all of its data.</summary>
    public Task DeleteProjectAsync(int projectId, CancellationToken cancellationToken) => events.RewriteAsync(
        accounts,
        connection =>
        {
            Clear(connection, projectId);
            connection.Execute("DELETE FROM project_members WHERE project_id = $project", ("project", projectId));
            return connection.Execute("DELETE FROM projects WHERE project_id = $project", ("project", projectId));
        },
        cancellationToken);

    static void BringBack(DuckDBConnection connection, string schema)
    {
        foreach (var table in Tables)
        {
            connection.Execute($"DELETE FROM main.{table}");
            connection.Execute($"INSERT INTO main.{table} BY NAME SELECT * FROM {schema}.{table}"); // a snapshot of an earlier version may lack columns
        }
        StartSequences(connection, $"SELECT name, next FROM {schema}.sequences");
    }

    static void Clear(DuckDBConnection connection, int projectId)
    {
        foreach (var table in OfProjects)
            connection.Execute($"DELETE FROM {table} WHERE project_id = $project", ("project", projectId));
    }

    /// <summary>Names contain only lower-case letters, digits, _ and -.</summary>
    static string SchemaOf(string name) => $"\"{Prefix}{name}\"";

    static List<string> NamesIn(DuckDBConnection connection)
    {
        using var query = connection.Command(
            "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database() AND starts_with(schema_name, $prefix) ORDER BY 1",
            ("prefix", Prefix));
        using var row = query.ExecuteReader();
        var names = new List<string>();
        while (row.Read())
            names.Add(row.GetString(0)[Prefix.Length..]);
        return names;
    }

    static void StartSequences(DuckDBConnection connection, string query)
    {
        var sequences = new List<(string Name, long Next)>();
        using (var command = connection.Command(query))
        using (var row = command.ExecuteReader())
        {
            while (row.Read())
                sequences.Add((row.GetString(0), row.GetInt64(1)));
        }
        foreach (var (name, next) in sequences)
            connection.Execute(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"CREATE OR REPLACE SEQUENCE main.{name} START {next}"));
    }

    /// <summary>
    /// Replaced data belongs to a new store with a new id: a client that remembers what the previous one accepted must not resume from there.
    /// </summary>
    async Task<T> RewriteAsync<T>(Func<DuckDBConnection, T> work, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid().ToString();
        var result = await events.RewriteAsync(
            accounts,
            connection =>
            {
                var result = work(connection);
                connection.Execute("UPDATE store SET id = $id", ("id", id));
                return result;
            },
            cancellationToken).ConfigureAwait(false);
        database.Id = id;
        return result;
    }
}
