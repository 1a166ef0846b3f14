using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.EndToEnd;

/// <summary>Concurrent commands with <c>--local</c>, and files that must not be damaged.</summary>
[Trait("tool", "native")]
public sealed class LocalTests
{
    [Fact]
    public async Task Commands_side_by_side_share_the_folder_and_outlive_each_other()
    {
        using var home = new Home();
        var commands = Enumerable.Range(0, 4).Select(n => Run.MixpanelAsync(home, n % 2 == 0
            ? ["import", home.Write($"events{n}.ndjson", Events(3000, n)), "--local", "--batch-events", "50", "--no-progress"]
            : ["get-all-service-accounts", "--local"])).ToArray();

        foreach (var done in await Task.WhenAll(commands)) Assert.True(done.ExitCode == 0, done.ToString());

        await using var mixpanel = await Emulator.EmulatedMixpanel.StartAsync(new() { DataDirectory = home.File("data/mixpanel/local") });
        Assert.Equal(6000, await mixpanel.CountEventsAsync(deduplicated: true));
    }

    [Fact]
    public async Task Of_imports_started_together_exactly_one_runs()
    {
        using var home = new Home();
        string[] command = ["import", home.Write("events.ndjson", Events(200, 0)), "--local", "--state", home.File("state"), "--no-progress"];

        var codes = (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Run.MixpanelAsync(home, command)))).Select(done => done.ExitCode).ToList();

        // A late one may find the state unlocked and finished.
        Assert.All(codes, code => Assert.True(code is 0 or 8, string.Join(", ", codes)));
        Assert.Contains(0, codes);
        Assert.Equal(200, Assert.Single(SqliteImportState.List(home.Path), state => state.Fault is null).Totals.Accepted);
    }

    [Theory]
    [InlineData("--dead-letter")]
    [InlineData("--report")]
    public async Task An_output_that_is_also_an_input_is_refused(string option)
    {
        using var home = new Home();
        var events = Events(3, 0);
        var input = home.Write("events.ndjson", events);
        File.CreateSymbolicLink(home.File("link.ndjson"), input);

        foreach (var output in (string[])[input, home.File("link.ndjson")])
        {
            foreach (string[] more in (string[][])[[], ["--dry-run"]])
            {
                var done = await Run.MixpanelAsync(home, ["import", input, "--local", option, output, .. more]);
                Assert.True(done.ExitCode == 2, done.ToString());
                Assert.Equal(events, await File.ReadAllTextAsync(input));
            }
        }
    }

    [Fact]
    public async Task A_file_that_the_import_did_not_write_is_kept_beside_its_dead_letters()
    {
        using var home = new Home();
        var letters = home.Write("letters.ndjson", "precious");
        string[] command = ["import", home.Write("events.ndjson", "not json\n"), "--local", "--dead-letter", letters, "--no-progress"];

        Assert.Equal(3, (await Run.MixpanelAsync(home, command)).ExitCode);
        Assert.Equal("precious", await File.ReadAllTextAsync(letters + ".1"));
        await File.AppendAllTextAsync(letters, "mended\n");
        Assert.Equal(3, (await Run.MixpanelAsync(home, command)).ExitCode);
        Assert.EndsWith("mended\n", await File.ReadAllTextAsync(letters + ".2"), StringComparison.Ordinal);
        Assert.Equal("invalid_json", JsonElement.Parse(await File.ReadAllTextAsync(letters)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_link_to_an_input_is_the_same_import()
    {
        using var home = new Home();
        Directory.CreateDirectory(home.File("real"));
        await File.WriteAllTextAsync(home.File("real/events.ndjson"), Events(5, 0));
        Directory.CreateSymbolicLink(home.File("linked"), home.File("real"));

        Assert.Equal(0, (await Run.MixpanelAsync(home, ["import", home.File("real/events.ndjson"), "--local", "--report", home.File("first")])).ExitCode);
        Assert.Equal(0, (await Run.MixpanelAsync(home, ["import", home.File("linked/events.ndjson"), "--local", "--report", home.File("second")])).ExitCode);

        Assert.Equal(await File.ReadAllTextAsync(home.File("first")), await File.ReadAllTextAsync(home.File("second")));
    }

    [Fact]
    public async Task A_damaged_store_ends_with_7_and_names_the_file()
    {
        using var home = new Home();
        Assert.Equal(0, (await Run.MixpanelAsync(home, ["get-all-service-accounts", "--local"])).ExitCode);
        await File.WriteAllTextAsync(home.File("data/mixpanel/local/mixpanel.duckdb"), "this is no database");

        var done = await Run.MixpanelAsync(home, ["get-all-service-accounts", "--local"]);

        Assert.True(done.ExitCode == 7, done.ToString());
        Assert.Contains("mixpanel.duckdb", done.Error, StringComparison.Ordinal);
    }

    static string Events(int count, int series)
    {
        var text = new StringBuilder();
        for (var n = 0; n < count; n++)
            text.Append(CultureInfo.InvariantCulture,
                $$$"""{"event":"Counted","properties":{"time":1757000000,"distinct_id":"series-{{{series}}}","n":{{{n}}}}}""")
                .Append('\n');
        return text.ToString();
    }
}
