using System.Runtime.Versioning;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Emulator.Tests;

public sealed class DataFolderTests
{
    [Fact]
    public async Task Everything_is_still_there_after_a_restart()
    {
        using var folder = new TemporaryFolder();
        await using (var mixpanel = await StartAsync(folder))
        {
            await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
            await mixpanel.PostAsync("/engage", """{"$token":"local","$distinct_id":"ada","$ignore_time":true,"$set":{"a":1.10}}""");
            await mixpanel.PostAsync("/groups", """{"$token":"local","$group_key":"company","$group_id":"acme","$set":{"a":1}}""");
            await mixpanel.SendAsync(
                HttpMethod.Post, "/api/app/organizations/1/service-accounts", new StringContent("""{"username":"robot"}"""),
                LocalMixpanel.Basic("local", "local"));
        }

        await using var again = await StartAsync(folder);
        await again.ImportAsync($"[{again.Event(insertId: "\"id-2\"")}]");

        var events = await again.Server.EventsAsync();
        Assert.Equal(2, events.Count);
        Assert.Equal(2, events[1].Sequence);
        Assert.Equal([new StoredProfile(1, "ada", """{"a":1.10}""")], await again.Server.ProfilesAsync());
        Assert.Equal([new StoredGroup(1, "company", "acme", """{"a":1}""")], await again.Server.GroupsAsync());
        var accounts = await again.GetAsync("/api/app/organizations/1/service-accounts", LocalMixpanel.Basic("local", "local"));
        Assert.Equal(2, accounts.Json.GetProperty("results").GetArrayLength());
    }

    [Fact]
    public async Task The_local_account_is_there_after_every_start_even_if_it_was_deleted()
    {
        using var folder = new TemporaryFolder();
        await using (var mixpanel = await StartAsync(folder))
        {
            await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
            (await mixpanel.SendAsync(HttpMethod.Delete, "/api/app/organizations/1/service-accounts/1",
                authorization: LocalMixpanel.Basic("local", "local"))).Is(
                200, """{"status":"ok"}""");
            Assert.Equal(401, (await mixpanel.GetAsync("/api/app/me", LocalMixpanel.Basic("local", "local"))).Status);
        }

        await using var again = await StartAsync(folder);

        Assert.Equal(200, (await again.GetAsync("/api/app/me", LocalMixpanel.Basic("local", "local"))).Status);
        Assert.Single(await again.Server.EventsAsync());
        await again.ImportAsync($"[{again.Event(insertId: "\"id-2\"")}]");
        Assert.Equal(2, (await again.Server.EventsAsync()).Count);
    }

    [Fact]
    public async Task A_folder_is_served_by_one_at_a_time_and_the_other_learns_where()
    {
        using var folder = new TemporaryFolder();
        await using var mixpanel = await StartAsync(folder);

        Assert.Equal(mixpanel.Server.Address, EmulatedMixpanel.FindRunning(folder.Path));
        var refusal =
            await Assert.ThrowsAsync<DataFolderInUseException>(() => EmulatedMixpanel.StartAsync(new EmulatorOptions { DataDirectory = folder.Path }));
        Assert.Equal(mixpanel.Server.Address, refusal.Address);
        Assert.Equal(folder.Path, refusal.DataDirectory);
    }

    [Fact]
    public async Task A_folder_is_free_again_when_its_server_stops()
    {
        using var folder = new TemporaryFolder();
        await using (await StartAsync(folder))
        {
        }

        Assert.Null(EmulatedMixpanel.FindRunning(folder.Path));
        Assert.False(File.Exists(folder.File("server.json")));
        Assert.True(File.Exists(folder.File("lock")));
        await using var again = await StartAsync(folder);
        Assert.Equal(200, (await again.GetAsync("/healthz")).Status);
    }

    [Fact]
    public async Task A_note_in_a_folder_that_others_can_write_is_not_believed()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TemporaryFolder();
        await using var mixpanel = await StartAsync(folder);
        File.SetUnixFileMode(folder.Path, File.GetUnixFileMode(folder.Path) | UnixFileMode.OtherWrite);

        Assert.Null(EmulatedMixpanel.FindRunning(folder.Path));
        var refused =
            await Assert.ThrowsAnyAsync<UnauthorizedAccessException>(() => EmulatedMixpanel.StartAsync(new EmulatorOptions { DataDirectory = folder.Path }));
        Assert.Contains("chmod go-w", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_note_that_outlived_its_server_counts_for_nothing()
    {
        using var folder = new TemporaryFolder();
        await using var another = await LocalMixpanel.StartAsync(); // answers at the address, but is not the one that the note speaks of
        folder.Write("server.json", $$"""{"address":"{{another.Server.Address}}","pid":1,"instance":"gone"}""");

        Assert.Null(EmulatedMixpanel.FindRunning(folder.Path));
        await using var mixpanel = await StartAsync(folder);
        Assert.Equal(mixpanel.Server.Address, EmulatedMixpanel.FindRunning(folder.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"address":"http://127.0.0.1:1/","pid":1,"instance":"x"}""")]
    [InlineData("""{"address":"http://192.0.2.1/","pid":1,"instance":"x"}""")]
    [InlineData("""{"address":"nonsense","pid":"1"}""")]
    public void A_broken_or_dead_note_counts_for_nothing(string note)
    {
        using var folder = new TemporaryFolder();
        folder.Write("server.json", note);

        Assert.Null(EmulatedMixpanel.FindRunning(folder.Path));
        Assert.Null(EmulatedMixpanel.FindRunning(folder.File("missing")));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task The_folder_and_its_files_are_for_their_owner_alone()
    {
        using var parent = new TemporaryFolder();
        var folder = parent.File("data");
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder });
        await mixpanel.ImportAsync($"[{mixpanel.Event()}]");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        var files = Directory.GetFiles(folder);
        Assert.Equal(4, files.Length); // lock, server.json, the database and its write-ahead log
        Assert.All(files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public async Task A_folder_with_a_link_in_the_place_of_a_file_is_refused()
    {
        using var folder = new TemporaryFolder();
        var elsewhere = folder.File("elsewhere");
        File.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(folder.File("data")).FullName, "mixpanel.duckdb"), elsewhere);

        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => EmulatedMixpanel.StartAsync(new EmulatorOptions { DataDirectory = folder.File("data") }));

        Assert.False(File.Exists(elsewhere));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_folder_that_others_may_write_into_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);

        await Assert.ThrowsAnyAsync<UnauthorizedAccessException>(() => StartAsync(folder));
    }

    [Fact]
    public async Task Without_a_folder_each_start_is_empty()
    {
        await using var first = await LocalMixpanel.StartAsync();
        await using var second = await LocalMixpanel.StartAsync();

        await first.ImportAsync($"[{first.Event()}]");

        Assert.Empty(await second.Server.EventsAsync());
        Assert.NotEqual(first.Server.Address, second.Server.Address);
    }

    static Task<LocalMixpanel> StartAsync(TemporaryFolder folder) =>
        LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path });
}

public sealed class EventFileTests
{
    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public async Task The_events_of_a_folder_are_written_so_that_they_can_be_imported_again(bool deduplicated, int count)
    {
        using var folder = new TemporaryFolder();
        var (data, file) = (folder.File("data"), folder.File("events.ndjson"));
        await using (var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = data }))
        {
            await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"n\":1.10")}]");
            await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"n\":2.20")}]");
            await Assert.ThrowsAsync<DataFolderInUseException>(() => EmulatedMixpanel.ExportAsync(data, file));
        }

        Assert.Equal(count, await EmulatedMixpanel.ExportAsync(data, file, new EmulatorExport { Deduplicated = deduplicated }));
        await Assert.ThrowsAsync<IOException>(() => EmulatedMixpanel.ExportAsync(data, file));
        var unknown =
            await Assert.ThrowsAsync<KeyNotFoundException>(() => EmulatedMixpanel.ExportAsync(data, file + "2", new EmulatorExport { ProjectId = 7 }));
        Assert.Equal("There is no project 7 here, only 1 (Local).", unknown.Message);
        Assert.False(File.Exists(file + "2"));

        var lines = await File.ReadAllLinesAsync(file);
        Assert.Equal(count, lines.Length);
        Assert.Contains("\"n\":2.20", lines[^1], StringComparison.Ordinal);
        await using var again = await LocalMixpanel.StartAsync();
        (await again.ImportAsync(string.Join('\n', lines), contentType: "application/x-ndjson")).Is(200,
            $$"""{"code":200,"num_records_imported":{{count}},"status":"OK"}""");
    }

    [Fact]
    public async Task Parquet_has_the_columns_of_the_table()
    {
        using var folder = new TemporaryFolder();
        var (data, file) = (folder.File("data"), folder.File("it's.parquet"));
        await using (var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = data }))
            await mixpanel.ImportAsync($"[{mixpanel.Event()}]");

        Assert.Equal(1, await EmulatedMixpanel.ExportAsync(data, file, new EmulatorExport { Format = EmulatorExportFormat.Parquet }));

        using var connection = new DuckDB.NET.Data.DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var query = connection.CreateCommand();
        query.CommandText =
            $"SELECT event_name || ' ' || distinct_id || ' ' || project_id || ' ' || time FROM '{file.Replace("'", "''", StringComparison.Ordinal)}'";
        Assert.Equal("Signed up ada 1 2026-09-01 11:59:00", query.ExecuteScalar());
    }
}
