using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The import as a process: an exit code for each outcome. Kills, signals, locks and disks are tested in tests/Faults.</summary>
[Trait("tool", "native")]
public sealed class ImportProcessTests
{
    [Fact]
    public async Task Refused_credentials_end_with_4_and_nothing_is_dead_lettered()
    {
        using var home = new Home();
        await using var server =
            await RecordingServer.StartAsync(_ => Answer.Json("""{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""", 401));
        var done = await ImportAsync(home, server, Events(10));

        Assert.True(done.ExitCode == 4, done.ToString());
        Assert.Equal((10L, 0L, 10L), (Number(Report(home), "read"), Number(Report(home), "rejected"), Number(Report(home), "pending")));
    }

    [Fact]
    public async Task A_server_that_stays_away_ends_with_5_after_the_longest_outage()
    {
        using var home = new Home();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("upstream is down", 503));
        var done = await ImportAsync(home, server, Events(10), "--max-outage", "300ms", "--backoff-min", "50ms", "--backoff-max", "100ms");

        Assert.True(done.ExitCode == 5, done.ToString());
        Assert.True(server.Requests.Count > 1);
        Assert.All(server.Requests, request => Assert.Equal(server.Requests[0].Body, request.Body));
    }

    [Fact]
    public async Task A_truncated_gzip_ends_with_6_after_what_was_whole_is_imported()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(Events(5000)));
        var path = home.File("events.ndjson.gz");
        await File.WriteAllBytesAsync(path, compressed.ToArray()[..^200]);

        var done = await Run.MixpanelAsync(home, ["import", path, "--report", home.File("report.json"), "--no-progress"], Credentials.For(mixpanel));

        Assert.True(done.ExitCode == 6, done.ToString());
        Assert.Contains("events.ndjson.gz", done.Error, StringComparison.Ordinal);
        var accepted = Number(Report(home), "accepted");
        Assert.InRange(accepted, 1, 4999);
        Assert.Equal(accepted, await mixpanel.CountEventsAsync(deduplicated: true));
    }

    [Fact]
    public async Task Killed_imports_show_in_the_status_which_writes_their_dead_letters()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        // Each of these requests waits for a commit: by the three hundredth there were checkpoints, which are saved five times a second.
        var input = home.Write("events.ndjson", "{\"event\":\"\"}\nnot json\n" + Events(30_000));
        using var process = Run.StartMixpanel(home,
            ["import", input, "--batch-events", "20", "--senders", "1", "--state", home.File("states/one"), "--no-progress"], Credentials.For(mixpanel));
        while (!process.HasExited && await mixpanel.CountEventsAsync() < 6000) await Task.Yield();
        process.Kill();
        await process.WaitForExitAsync();
        Assert.False(File.Exists(home.File("states/one/dead-letters.ndjson")));

        var status = await Run.MixpanelAsync(home, ["import", "status", "--state", home.File("states/one")]);

        Assert.True(status.ExitCode == 0, status.ToString());
        var import = JsonElement.Parse(status.Output).GetProperty("imports")[0];
        Assert.Equal("unfinished", import.GetProperty("progress").GetString());
        Assert.Equal(2, Number(import, "rejected"));
        Assert.Equal(2, (await File.ReadAllLinesAsync(home.File("states/one/dead-letters.ndjson"))).Length);
    }

    static async Task<Finished> ImportAsync(Home home, RecordingServer server, string events, params string[] options) =>
        await Run.MixpanelAsync(home, ["import", home.Write("events.ndjson", events), "--report", home.File("report.json"), "--no-progress", .. options],
            For(server));

    static IReadOnlyDictionary<string, string> For(RecordingServer server) => Credentials.At(server.Url);

    static JsonElement Report(Home home) => JsonElement.Parse(File.ReadAllText(home.File("report.json")));

    static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();

    static string Events(int count)
    {
        var text = new StringBuilder();
        for (var n = 0; n < count; n++)
            text.Append(CultureInfo.InvariantCulture, $$$"""{"event":"Counted","properties":{"time":1757000000,"distinct_id":"u{{{n % 50}}}","n":{{{n}}}}}""")
                .Append('\n');
        return text.ToString();
    }
}
