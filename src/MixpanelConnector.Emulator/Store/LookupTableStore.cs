using DuckDB.NET.Data;

namespace MixpanelConnector.Emulator.Store;

/// <summary>A stored lookup table.</summary>
readonly record struct LookupTableRow(int ProjectId, Guid Id, string Name, string Csv);

/// <summary>The lookup tables. Mixpanel creates them only in its web pages: here there is the one of the development world.</summary>
sealed class LookupTableStore
{
    readonly Database _database;

    LookupTableStore(Database database) => _database = database;

    public static async Task<LookupTableStore> LoadAsync(Database database, CancellationToken cancellationToken)
    {
        await database.WriteAsync(CreateDevelopmentTable, cancellationToken).ConfigureAwait(false);
        return new LookupTableStore(database);
    }

    /// <summary>Creates the initial table of every store.</summary>
    public static int CreateDevelopmentTable(DuckDBConnection connection) => connection.Execute(
        "INSERT INTO lookup_tables SELECT $project, $id, 'Local', '' WHERE NOT EXISTS (SELECT 1 FROM lookup_tables WHERE id = $id)",
        ("project", DevelopmentCredentials.ProjectId), ("id", DevelopmentCredentials.LookupTableId));

    public IReadOnlyList<LookupTableRow> ReadAll()
    {
        using var connection = _database.Connect();
        using var query = connection.Command("SELECT project_id, id, name, csv FROM lookup_tables ORDER BY ALL");
        using var row = query.ExecuteReader();
        var tables = new List<LookupTableRow>();
        while (row.Read())
            tables.Add(new LookupTableRow(row.GetInt32(0), Guid.Parse(row.GetString(1)), row.GetString(2), row.GetString(3)));
        return tables;
    }

    public Task CreateAsync(int projectId, Guid id, string name, CancellationToken cancellationToken) => _database.WriteAsync(
        connection => connection.Execute(
            "INSERT INTO lookup_tables VALUES ($project, $id, $name, '')", ("project", projectId), ("id", id.ToString()), ("name", name)),
        cancellationToken);

    /// <summary>Replaces the content of a table; false if the project has no such table.</summary>
    public async Task<bool> ReplaceAsync(int projectId, Guid id, string csv, CancellationToken cancellationToken) =>
        await _database.WriteAsync(
            connection => connection.Execute(
                "UPDATE lookup_tables SET csv = $csv WHERE project_id = $project AND id = $id",
                ("csv", csv), ("project", projectId), ("id", id.ToString())),
            cancellationToken).ConfigureAwait(false) > 0;
}
