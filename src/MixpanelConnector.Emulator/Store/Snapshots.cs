using DuckDB.NET.Data;

namespace MixpanelConnector.Emulator.Store;

/// <summary>The store as a whole: kept under a name to come back to, and begun anew. A snapshot lies in the database, in tables of its own, and is kept with it.</summary>
sealed class Snapshots(Database database, EventStore events, Accounts accounts) : IDisposable
{
    const string Prefix = "snapshot_";

    /// <summary>What there was before a change that is not done yet.</summary>
    const string Before = "before_change";

    /// <summary>Everything but the name of the store.</summary>
    static readonly string[] Tables = ["organizations", "projects", "service_accounts", "project_members", "events", "identities", "documents", "profiles", "query_sessions", "lookup_tables"];

    /// <summary>What a project has of its own, but for those who may use it.</summary>
    static readonly string[] OfProjects = ["events", "identities", "documents", "profiles", "query_sessions", "lookup_tables"];

    readonly SemaphoreSlim _changing = new(1, 1); // what there was before is kept once

    public void Dispose() => _changing.Dispose();

    /// <summary>The names of what was kept, in their order.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            using var connection = database.Connect();
            return NamesIn(connection);
        }
    }

    /// <summary>Keeps everything as it is now, in place of what had the name before.</summary>
    public Task SaveAsync(string name, CancellationToken cancellationToken) => KeepAsync(SchemaOf(name), cancellationToken);

    /// <summary>Carries out a change of many steps: if one of them fails, or the process ends meanwhile, all is as it was, but for what others have changed in this time, which is gone with it.</summary>
    /// <param name="change">The change.</param>
    /// <param name="undone">Told that it came to nothing.</param>
    /// <param name="cancellationToken">Gives up before the change.</param>
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

    /// <summary>Takes back a change that the process ended in, if there is one.</summary>
    public async Task UndoAsync(CancellationToken cancellationToken)
    {
        using (var connection = database.Connect())
        using (var query = connection.Command("SELECT count(*) FROM duckdb_schemas() WHERE database_name = current_database() AND schema_name = $name", ("name", Before)))
        {
            if ((long)(await query.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))! == 0)
                return;
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
            connection.Execute($"CREATE TABLE {schema}.sequences AS SELECT sequence_name AS name, coalesce(last_value, 0) + 1 AS next FROM duckdb_sequences() WHERE schema_name = 'main'");
            return true;
        },
        cancellationToken);

    /// <summary>Brings back what has the name, in place of everything that there is; false when nothing has it.</summary>
    public async Task<bool> RestoreAsync(string name, CancellationToken cancellationToken) => Names.Contains(name, StringComparer.Ordinal) && await RewriteAsync(
        connection =>
        {
            if (!NamesIn(connection).Contains(name, StringComparer.Ordinal))
                return false; // it was deleted just now
            BringBack(connection, SchemaOf(name));
            return true;
        },
        cancellationToken).ConfigureAwait(false);

    /// <summary>Forgets what has the name; false when nothing has it.</summary>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            if (!NamesIn(connection).Contains(name, StringComparer.Ordinal))
                return false;
            connection.Execute($"DROP SCHEMA {SchemaOf(name)} CASCADE");
            return true;
        },
        cancellationToken);

    /// <summary>Begins anew, with the world that every store begins with. Snapshots stay.</summary>
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

    /// <summary>Takes everything out of a project: it is as it was when it was made.</summary>
    public Task ClearProjectAsync(int projectId, CancellationToken cancellationToken) => RewriteAsync(
        connection =>
        {
            Clear(connection, projectId);
            LookupTableStore.CreateDevelopmentTable(connection);
            return true;
        },
        cancellationToken);

    /// <summary>Takes a project away with everything in it.</summary>
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
            connection.Execute($"INSERT INTO main.{table} SELECT * FROM {schema}.{table}");
        }
        StartSequences(connection, $"SELECT name, next FROM {schema}.sequences");
    }

    static void Clear(DuckDBConnection connection, int projectId)
    {
        foreach (var table in OfProjects)
            connection.Execute($"DELETE FROM {table} WHERE project_id = $project", ("project", projectId));
    }

    /// <summary>Names are small letters, digits, _ and - alone.</summary>
    static string SchemaOf(string name) => $"\"{Prefix}{name}\"";

    static List<string> NamesIn(DuckDBConnection connection)
    {
        using var query = connection.Command("SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database() AND starts_with(schema_name, $prefix) ORDER BY 1", ("prefix", Prefix));
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

    /// <summary>Data that came in place of other data is another store's: whoever remembers what this one had taken must not go on from there.</summary>
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
