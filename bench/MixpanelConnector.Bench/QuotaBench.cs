using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace MixpanelConnector.Bench;

/// <summary>Imports against sinks with a quota, in real time: how much of the quota they use, and how many requests are refused.</summary>
static class QuotaBench
{
    const int MemberEvents = 50_000;

    /// <param name="Quota">The quota that the sink enforces.</param>
    /// <param name="Members">The multiple of <see cref="MemberEvents"/> that each import sends.</param>
    /// <param name="Ideal">The events per second that the quota allows.</param>
    /// <param name="Imports">The number of imports that share it.</param>
    sealed record Scenario(string Quota, int Members, double Ideal, int Imports = 1);

    static readonly Scenario[] Scenarios =
    [
        new("rolling 1800000", 90, 30_000),
        new("bucket 30000", 90, 30_000),
        new("rolling 1800000", 45, 30_000, Imports: 2),
        new("rolling 1800000 halves", 135, 22_500),
        new("bucket 3000", 9, 3_000),
        new("bucket 3000 halves", 12, 2_400),
        new("bucket 3000", 5, 3_000, Imports: 2),
    ];

    /// <summary>Serves until it is killed.</summary>
    public static Task RunSinkAsync(string quota, bool tellsWhen)
    {
        var known = new Quota(quota);
        var gate = new Lock();
        long? began = null;
        return Sink.RunAsync(TimeSpan.FromMilliseconds(40), EventFile.EventLength, port: 0, certificate: null, Admit, tellsWhen);

        double Admit(int events)
        {
            lock (gate) return known.Admit(Stopwatch.GetElapsedTime(began ??= Stopwatch.GetTimestamp()).TotalSeconds, events);
        }
    }

    public static async Task RunAsync(Settings settings)
    {
        using var folder = new Throughput.Scratch();
        var member = folder.File("member.gz");
        EventFile.Write(member, MemberEvents, gzip: true);
        Console.WriteLine(
            "| quota | Retry-After | imports | seconds | of the quota used | requests refused | seconds of each |\n|---|---|---|---|---|---|---|");
        foreach (var scenario in Scenarios)
        {
            var input = folder.File("events.ndjson.gz");
            using (var file = File.Create(input))
                for (var i = 0; i < scenario.Members; i++) file.Write(await File.ReadAllBytesAsync(member));
            foreach (var line in await Task.WhenAll(RunAsync(scenario, tellsWhen: false), RunAsync(scenario, tellsWhen: true))) Console.WriteLine(line);

            async Task<string> RunAsync(Scenario scenario, bool tellsWhen)
            {
                using var sink = await Throughput.Sinks.StartAsync("quota-sink", scenario.Quota, tellsWhen ? "true" : "false");
                var began = Stopwatch.GetTimestamp();
                var ends = await Task.WhenAll(Enumerable.Range(0, scenario.Imports).Select(async number =>
                {
                    using var own = new Throughput.Scratch();
                    var report = own.File("report.json");
                    await Measured.RunAsync("dotnet",
                        [settings.Tool ?? Throughput.Tool(), "import", input, "--endpoint", sink.Url, "--state", own.File("state"), "--report", report,
                            "--no-progress"],
                        alsoFine: 0, Throughput.Environment);
                    using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(report));
                    var root = json.RootElement;
                    return (Seconds: Stopwatch.GetElapsedTime(began).TotalSeconds, Accepted: root.GetProperty("accepted").GetInt64(),
                        Requests: root.GetProperty("requests").GetInt64(), Retries: root.GetProperty("retries").GetInt64());
                }));
                var seconds = ends.Max(end => end.Seconds);
                if (ends.Sum(end => end.Accepted) != (long)scenario.Members * MemberEvents * scenario.Imports)
                    throw new InvalidOperationException("Not every event was accepted.");
                return string.Create(CultureInfo.InvariantCulture,
                    $"| {scenario.Quota} | {(tellsWhen ? "yes" : "no")} | {scenario.Imports} | {seconds:0} | {ends.Sum(end => end.Accepted) / scenario.Ideal / seconds:0.00} | {100.0 * ends.Sum(end => end.Retries) / ends.Sum(end => end.Requests):0.0} % | {string.Join(", ", ends.Select(end => end.Seconds.ToString("0", CultureInfo.InvariantCulture)))} |");
            }
        }
    }
}
