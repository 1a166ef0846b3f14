using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The import is killed at a random moment, again and again, and started again until it is done.</summary>
public sealed class KillTests
{
    const int Kills = 20, Records = 40_000;

    [Fact]
    public async Task Nothing_is_lost_and_nothing_is_doubled()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        var environment = Credentials.For(mixpanel);
        var input = home.Write("events.ndjson", Events());
        var random = new Random(20261123);
        string[] command = ["import", input, "--batch-events", "100", "--senders", "2", "--dead-letter", home.File("dead.ndjson"), "--report", home.File("report.json"), "--no-progress"];

        for (var kill = 0; kill < Kills; kill++)
        {
            var before = await mixpanel.CountEventsAsync();
            using var process = Run.StartMixpanel(home, command, environment);
            // Wait until this run has got somewhere, so that no two kills hit the same place.
            var goal = before + random.Next(Records / Kills / 4);
            while (!process.HasExited && await mixpanel.CountEventsAsync() <= goal) await Task.Yield();
            process.Kill();
            await process.WaitForExitAsync();
        }

        var done = await Run.MixpanelAsync(home, command, environment);
        Assert.True(done.ExitCode == 3, done.ToString());

        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(home.File("report.json")));
        long Count(string name) => report.RootElement.GetProperty(name).GetInt64();
        Assert.Equal(Records, Count("read"));
        Assert.Equal(Records / 100, Count("rejected"));
        Assert.Equal(Records - (Records / 100), Count("accepted"));
        Assert.Equal(0, Count("pending"));
        Assert.True(Count("resumed_from") > 0);

        // What is stored, judged from outside: each number once after Mixpanel's own deduplication, and none of the bad ones.
        var stored = (await mixpanel.EventsAsync()).GroupBy(e => (e.Name, e.Time, e.DistinctId, e.InsertId)).Select(g => g.First()).Select(Number).Order().ToArray();
        Assert.Equal(Enumerable.Range(0, Records).Where(n => n % 100 != 7), stored);
        var dead = (await File.ReadAllLinesAsync(home.File("dead.ndjson"))).Select(line => JsonElement.Parse(line)).ToArray();
        Assert.Equal(Enumerable.Range(0, Records).Where(n => n % 100 == 7).Select(n => n + 1L), dead.Select(d => d.GetProperty("line").GetInt64()).Order());
    }

    static int Number(StoredEvent e) => JsonElement.Parse(e.Properties).GetProperty("n").GetInt32();

    static string Events()
    {
        var text = new StringBuilder();
        for (var n = 0; n < Records; n++)
            text.Append(CultureInfo.InvariantCulture, $$$"""{"event":"Counted","properties":{"time":{{{(n % 100 == 7 ? "\"late\"" : "1757000000")}}},"distinct_id":"u{{{n % 50}}}","n":{{{n}}}}}""").Append('\n');
        return text.ToString();
    }
}
