using System.Globalization;
using Microsoft.Data.Sqlite;

namespace MixpanelConnector.Faults;

/// <summary>The state is damaged after a kill: this is detected, or makes no difference. The state's own tests try each byte.</summary>
public sealed class DamagedStateTests : IAsyncLifetime
{
    const int Points = 5;

    readonly Scene _scene = new Scene().Given(new Lines { BadEvery = 20 }, 3000).With("--batch-events", "20", "--senders", "1");
    Dictionary<string, byte[]> _files = [];

    string Database => Path.Combine(_scene.State, "import.db");

    public async ValueTask InitializeAsync()
    {
        _scene.Server.Script = _ => new Reply { Delay = TimeSpan.FromMilliseconds(10) };
        using var importer = _scene.Start();
        await _scene.Server.UntilAsync(() => _scene.Server.Requests > 60, importer.Exit);
        importer.Send(Signal.Kill);
        Assert.Equal(137, (await _scene.EndAsync(importer)).ExitCode);
        Assert.True(_scene.ReadState()!.Accepted > 0);
        _files = Directory.EnumerateFiles(_scene.State).ToDictionary(file => file, File.ReadAllBytes, StringComparer.Ordinal);
        _scene.Server.Script = _ => Reply.Good;
    }

    public ValueTask DisposeAsync() => _scene.DisposeAsync();

    [Theory]
    [InlineData("import.db")]
    [InlineData("import.db-wal")]
    public async Task Flipped_bits_are_noticed_or_harmless(string name)
    {
        var file = Path.Combine(_scene.State, name);
        for (var point = 0; point < Points; point++)
        {
            Restore();
            var bytes = _files[file].ToArray();
            if (bytes.Length == 0) return;
            bytes[(long)point * (bytes.Length - 1) / (Points - 1)] ^= 0x40;
            await File.WriteAllBytesAsync(file, bytes);
            await NoticedOrHarmlessAsync(string.Create(CultureInfo.InvariantCulture, $"{name}, point {point} of {bytes.Length} bytes"));
        }
    }

    [Theory]
    [InlineData("import.db")]
    [InlineData("import.db-wal")]
    public async Task Lost_ends_are_noticed_or_harmless(string name)
    {
        var file = Path.Combine(_scene.State, name);
        for (var point = 0; point < Points; point++)
        {
            Restore();
            var length = (int)((long)point * _files[file].Length / Points);
            await File.WriteAllBytesAsync(file, _files[file][..length]);
            await NoticedOrHarmlessAsync(string.Create(CultureInfo.InvariantCulture, $"{name}, {length} of {_files[file].Length} bytes"));
        }
    }

    [Fact]
    public async Task A_lost_database_is_never_taken_for_a_new_one()
    {
        foreach (var file in _files.Keys.Where(file => file.Contains("import.db", StringComparison.Ordinal))) File.Delete(file);
        await NoticedAsync();

        await File.WriteAllBytesAsync(Database, []);
        await NoticedAsync();

        await File.WriteAllBytesAsync(Database, new byte[8192]);
        await NoticedAsync();

        await File.WriteAllTextAsync(Database, string.Concat(Enumerable.Repeat("no database at all ", 500)));
        await NoticedAsync();

        // As the message says: start again.
        _scene.With("--restart");
        var restarted = await _scene.RunAsync();
        Assert.True(restarted.ExitCode == 3, restarted.ToString());
        Assert.Equal("", _scene.Judge(restarted, mostRequestsPerBatch: 20));
    }

    [Theory]
    [InlineData("PRAGMA user_version = 2")]
    [InlineData("UPDATE checkpoint SET content = replace(content, '\"finished\":false', '\"finished\":true')")]
    [InlineData("UPDATE sources SET content = replace(content, '\"offset\":', '\"offset\":1')")]
    [InlineData("DELETE FROM sources")]
    [InlineData("DELETE FROM dead_letters WHERE number = 1")]
    [InlineData("UPDATE dead_letters SET number = number + 100")]
    public async Task A_state_that_another_hand_changed_is_refused(string sql)
    {
        using (var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Database, Pooling = false }.ConnectionString))
        {
            connection.Open();
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // every text is a constant of this file
            command.CommandText = sql;
#pragma warning restore CA2100
            command.ExecuteNonQuery();
        }

        await NoticedAsync();
    }

    async Task NoticedAsync()
    {
        var requests = _scene.Server.Requests;
        var ended = await _scene.RunAsync();
        Assert.True(ended.ExitCode == 7, ended.ToString());
        Assert.Contains(_scene.State, ended.Said, StringComparison.Ordinal);
        Assert.Contains("--restart", ended.Said, StringComparison.Ordinal);
        Assert.Equal(requests, _scene.Server.Requests);
    }

    async Task NoticedOrHarmlessAsync(string what)
    {
        var ended = await _scene.RunAsync();
        if (ended.ExitCode == 7) Assert.Contains(_scene.State, ended.Said, StringComparison.Ordinal);
        else
            Assert.True(ended.ExitCode == 3 && _scene.Judge(ended, mostRequestsPerBatch: 40) is "",
                $"{what}:\n{_scene.Judge(ended, mostRequestsPerBatch: 40)}\n{ended}");
    }

    void Restore()
    {
        Directory.Delete(_scene.State, recursive: true);
        Directory.CreateDirectory(_scene.State);
        foreach (var (file, bytes) in _files) File.WriteAllBytes(file, bytes);
    }
}
