using System.Globalization;
using DuckDB.NET.Data;

namespace MixpanelConnector.Faults;

/// <summary>Little memory.</summary>
public sealed class MemoryCapTests
{
    [Fact]
    public async Task It_runs_within_a_small_heap_at_full_concurrency()
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 3, Padding = 1500 }, 40_000, "events.ndjson.gz").With("--senders", "20");
        scene.Environment["DOTNET_GCHeapHardLimit"] = Hex(128 << 20);
        scene.Server.Script = _ => new Reply { Delay = TimeSpan.FromMilliseconds(20) };

        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
    }

    [Fact]
    public async Task Many_files_take_little_memory()
    {
        const int Files = 20_000;
        await using var scene = new Scene();
        var folder = Directory.CreateDirectory(scene.File(new string('a', 200))).FullName;
        for (var i = 0; i < Files; i++)
            await File.WriteAllTextAsync(Path.Combine(folder, $"{i}.ndjson"),
                $$$"""{"event":"e","properties":{"time":1790000000,"distinct_id":"u","oid":{{{i}}}}}""", TestContext.Current.CancellationToken);
        scene.Inputs.Add(folder);
        scene.Environment["DOTNET_GCHeapHardLimit"] = Hex(48 << 20);

        foreach (var again in (bool[])[false, true])
        {
            var done = await scene.RunAsync();
            Assert.True(done.ExitCode == 0, done.ToString());
            Assert.InRange(done.MostMemory, 1, Scene.MostMemory);
            Assert.Equal(Files, scene.Report()!.Value.GetProperty("accepted").GetInt32());
            Assert.Equal((Files, Files), (scene.Journal.Arrivals.Count, scene.Journal.Arrivals.Select(arrival => arrival.Key).Distinct().Count()));
        }
    }

    [Fact]
    public async Task A_heap_that_is_too_small_loses_nothing()
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 10, Padding = 1500 }, 20_000).With("--senders", "20");
        scene.Environment["DOTNET_GCHeapHardLimit"] = Hex(16 << 20);
        var starved = await scene.RunAsync();
        if (starved.ExitCode == 3)
        {
            Assert.Equal("", scene.Judge(starved)); // it was enough, as for the program that is compiled ahead of time
            return;
        }

        Assert.True(starved.ExitCode is 7 || (starved.ExitCode is 134 && !starved.Said.Contains("Unhandled exception", StringComparison.Ordinal)),
            starved.ToString());
        if (scene.ReadState() is { } state)
            Assert.Equal("", string.Join('\n', Oracle.JudgeState(null, state, [.. scene.Inputs.SelectMany(SourceRecord.ReadAll)], scene.Journal.Arrivals)));

        scene.Environment.Clear();
        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
    }

    /// <summary>Rows that share one large value, very many equal rows, one row with a very long list, and columns that each need a decompressor.</summary>
    [Theory]
    [InlineData("repeat('x', 900000) AS v FROM range(300)")]
    [InlineData("1 AS v FROM range(2000000)")]
    [InlineData("range(3000000) AS v")]
    [InlineData("repeat('x', 2000) || n AS v0, 1 AS v FROM range(20000) AS r(n)", 700)]
    public async Task A_small_parquet_file_does_not_become_a_large_process(string rows, int columns = 0)
    {
        var more = string.Concat(Enumerable.Range(0, columns).Select(n => $"hash(n + {n}) AS c{n}, "));
        await using var scene = new Scene();
        var file = scene.File("in.parquet");
        using (var connection = new DuckDBConnection("Data Source=:memory:"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"COPY (SELECT 'e' AS event, 1790000000 AS time, 'u' AS distinct_id, {more}{rows}) TO '{file}' (FORMAT parquet, "
                + $"COMPRESSION zstd, ROW_GROUP_SIZE 10000000)";
            command.ExecuteNonQuery();
        }

        scene.Inputs.Add(file);
        var done = await scene.With("--dry-run").RunAsync();
        Assert.True(done.ExitCode is 0 or 3 || (columns > 0 && done.ExitCode is 6), done.ToString());
        Assert.InRange(done.MostMemory, 1, 250_000_000);
    }

    /// <summary>
    /// Lookup tables of nearly 100 MB, of rows as short as they can be: of one column, and of two that must be joined with commas and quotes.
    /// </summary>
    [Theory]
    [InlineData("id", "", 12_000_000)]
    [InlineData("id\tn", "\t,", 8_000_000, "--delimiter", "tab")]
    public async Task A_large_lookup_table_takes_little_memory(string header, string rest, int rows, params string[] options)
    {
        await using var scene = new Scene().With(["--type", "lookup-table", "--table-id", "7b6c1f0e-0b5b-4c5e-9a39-3e4f0c6f2a11", .. options]);
        await using var mixpanel = await RecordingServer.StartAsync(_ => Answer.Json("""{"code":200,"status":"OK"}"""));
        scene.Environment["MIXPANEL_ENDPOINT"] = mixpanel.Url;
        scene.Inputs.Add(scene.File("table"));
        await using (var table = new StreamWriter(scene.File("table")))
        {
            await table.WriteAsync($"{header}\n");
            for (var i = 0; i < rows; i++) await table.WriteAsync($"{i:x}{rest}\n");
        }

        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal((rows, 1), (scene.Report()!.Value.GetProperty("accepted").GetInt32(), mixpanel.Requests.Count));
        Assert.InRange(done.MostMemory, 1, 300_000_000);
    }

    /// <summary>In a format that both runtimes read: with the prefix 0x, one of them ignores it and has no limit.</summary>
    static string Hex(int bytes) => bytes.ToString("x", CultureInfo.InvariantCulture);
}
