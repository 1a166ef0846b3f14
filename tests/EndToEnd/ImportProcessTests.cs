using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator;
using MixpanelConnector.Testing;

namespace MixpanelConnector.EndToEnd;

/// <summary>The import as a process: signals, locks, and an exit code for each way to end.</summary>
public sealed class ImportProcessTests
{
    const string ImportedAll = """{"code":200,"num_records_imported":COUNT,"status":"OK"}""";

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    public async Task A_signal_stops_in_order_and_the_same_command_finishes(string signal, int exitCode)
    {
        using var home = new Home();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = 0;
        var stalling = true;
        await using var server = await RecordingServer.StartAsync(request =>
        {
            if (Interlocked.Increment(ref answered) <= 3 || !Volatile.Read(ref stalling)) return Accept(request);
            gate.TrySetResult();
            return Answer.Stall;
        });
        var environment = For(server);
        string[] command = ["import", home.Write("events.ndjson", Events(1000)), "--batch-events", "100", "--senders", "1", "--report", home.File("report.json"), "--no-progress"];

        using var process = Run.StartMixpanel(home, command, environment);
        await gate.Task;
        using (var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        var stopped = await Run.EndAsync(process);

        Assert.True(stopped.ExitCode == exitCode, stopped.ToString());
        var first = Report(home);
        Assert.Equal(exitCode, first.GetProperty("exit_code").GetInt32());
        Assert.Equal(300, first.GetProperty("accepted").GetInt64());
        Assert.Equal(Number(first, "read"), Number(first, "accepted") + Number(first, "pending"));

        Volatile.Write(ref stalling, false);
        var finished = await Run.MixpanelAsync(home, command, environment);
        Assert.True(finished.ExitCode == 0, finished.ToString());
        Assert.Equal(1000, Number(Report(home), "accepted"));
        Assert.Equal(300, Number(Report(home), "resumed_from"));
    }

    [Fact]
    public async Task A_second_import_of_the_same_state_ends_with_8()
    {
        using var home = new Home();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await RecordingServer.StartAsync(_ =>
        {
            gate.TrySetResult();
            return Answer.Stall;
        });
        string[] command = ["import", home.Write("events.ndjson", Events(10)), "--no-progress"];
        using var first = Run.StartMixpanel(home, command, For(server));
        await gate.Task;

        var second = await Run.MixpanelAsync(home, command, For(server));

        Assert.True(second.ExitCode == 8, second.ToString());
        Assert.Contains(first.Id.ToString(CultureInfo.InvariantCulture), second.Error, StringComparison.Ordinal);
        first.Kill();
        await first.WaitForExitAsync();
    }

    [Fact]
    public async Task Refused_credentials_end_with_4_and_nothing_is_dead_lettered()
    {
        using var home = new Home();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""", 401));
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
    public async Task A_damaged_state_ends_with_7_and_restart_begins_again()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        var environment = Credentials.For(mixpanel);
        string[] command = ["import", home.Write("events.ndjson", Events(10)), "--state", home.File("state"), "--no-progress"];
        Assert.Equal(0, (await Run.MixpanelAsync(home, command, environment)).ExitCode);
        await File.WriteAllBytesAsync(home.File("state/import.db"), new byte[8192]);

        var damaged = await Run.MixpanelAsync(home, command, environment);
        Assert.True(damaged.ExitCode == 7, damaged.ToString());

        var again = await Run.MixpanelAsync(home, [.. command, "--restart"], environment);
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.Equal(10, await mixpanel.CountEventsAsync(deduplicated: true));
    }

    [Fact]
    public async Task Killed_imports_show_in_the_status_which_writes_their_dead_letters()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        // Each of these requests waits for a commit: by the three hundredth there were checkpoints, which come five a second.
        var input = home.Write("events.ndjson", "{\"event\":\"\"}\nnot json\n" + Events(30_000));
        using var process = Run.StartMixpanel(home, ["import", input, "--batch-events", "20", "--senders", "1", "--state", home.File("states/one"), "--no-progress"], Credentials.For(mixpanel));
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
        await Run.MixpanelAsync(home, ["import", home.Write("events.ndjson", events), "--report", home.File("report.json"), "--no-progress", .. options], For(server));

    static Answer Accept(RecordedRequest request) =>
        Answer.Json(ImportedAll.Replace("COUNT", request.Json.GetArrayLength().ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

    static IReadOnlyDictionary<string, string> For(RecordingServer server) => Credentials.At(server.Url);

    static JsonElement Report(Home home) => JsonElement.Parse(File.ReadAllText(home.File("report.json")));

    static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();

    static string Events(int count)
    {
        var text = new StringBuilder();
        for (var n = 0; n < count; n++) text.Append(CultureInfo.InvariantCulture, $$$"""{"event":"Counted","properties":{"time":1757000000,"distinct_id":"u{{{n % 50}}}","n":{{{n}}}}}""").Append('\n');
        return text.ToString();
    }
}
