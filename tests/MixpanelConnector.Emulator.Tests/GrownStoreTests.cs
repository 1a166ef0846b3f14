using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>A store in memory that has grown is moved to a temporary file.</summary>
public sealed class GrownStoreTests
{
    [Fact]
    public async Task A_small_store_stays_in_memory()
    {
        using var database = Database.Open(null, committed: null);
        await InsertAsync(database, 1000);

        database.Trim();

        Assert.Null(database.MovedTo);
    }

    [Fact]
    public async Task A_store_that_has_grown_has_everything_and_goes_on()
    {
        string file;
        using (var database = Database.Open(null, committed: null))
        {
            await WriteAsync(database, "CREATE SCHEMA snapshot_early");
            await WriteAsync(database, "CREATE TABLE snapshot_early.projects AS SELECT * FROM projects");
            Assert.Equal(1L, Read(database, "SELECT nextval('document_ids')"));
            await InsertAsync(database, 150_000);
            database.Trim();
            file = database.MovedTo!;
            Assert.True(File.Exists(file));

            Assert.Equal(150_000L, Read(database, "SELECT count(*) FROM deduplicated_events"));
            Assert.Equal(0L, Read(database, "SELECT count(*) FROM snapshot_early.projects"));
            Assert.Equal(2L, Read(database, "SELECT nextval('document_ids')"));
            Assert.Equal(1L, Read(database, "SELECT nextval('service_account_ids')"));

            for (var round = 0; round < 3; round++)
            {
                await InsertAsync(database, 100_000);
                database.Trim();
            }

            Assert.Equal(450_000L, Read(database, "SELECT count(*) FROM events"));
            Assert.True(new FileInfo(file).Length > 100_000_000);
            Assert.Equal(1L, Read(database, "SELECT count(DISTINCT length(properties)) FROM events"));
            await WriteAsync(database, "DELETE FROM events");
            Assert.Equal(0L, Read(database, "SELECT count(*) FROM events"));
        }

        Assert.False(Directory.Exists(Path.GetDirectoryName(file)));
    }

    [Fact]
    public async Task It_is_not_moved_while_somebody_reads()
    {
        using var database = Database.Open(null, committed: null);
        using (database.Connect())
        {
            await InsertAsync(database, 150_000);
            database.Trim();
            Assert.Null(database.MovedTo);
        }

        database.Trim();
        Assert.NotNull(database.MovedTo);
    }

    static Task<int> InsertAsync(Database database, int events) => WriteAsync(database, $"INSERT INTO events SELECT range, 1, 'E', TIMESTAMP '2026-09-01' + to_seconds(range), 'u', uuid()::VARCHAR, '{{' || repeat('x', 500) || '}}', TIMESTAMP '2026-09-01' FROM range({events})");

    static Task<int> WriteAsync(Database database, string sql) => database.WriteAsync(connection => connection.Execute(sql), TestContext.Current.CancellationToken);

    static long Read(Database database, string sql)
    {
        using var connection = database.Connect();
        using var query = connection.Command(sql);
        return (long)query.ExecuteScalar()!;
    }
}
