using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Faults;

/// <summary>
/// Exports that are killed at random moments, and restarted until they are done. After each kill, no entry of the manifest is ahead of its
/// file, and nothing is left over except started files; at the end, the files equal those of an uninterrupted export.
/// </summary>
public sealed class ExportKillTests
{
    const int Days = 12, Parallel = 3;

    [Theory]
    [InlineData("ndjson", "gzip")]
    [InlineData("csv", "zstd")]
    [InlineData("parquet", "zstd")]
    public async Task An_export_that_is_killed_ends_with_the_same_files(string format, string compression)
    {
        var (seed, kills, killed) = (Campaign.Number("SEED", 20261123), Campaign.Number("EXPORT_KILLS", 4), 0);
#pragma warning disable CA5394 // to be repeated, not to be secret
        var random = new Random(seed);
        await using var server = await RecordingServer.StartAsync(request => AnswerTo(request, random));
        using var folder = new TemporaryFolder();
        Assert.Equal(0, (await RunAsync(folder.File("whole"))).ExitCode);
        var whole = Hashes(folder.File("whole"));
        Assert.Equal(Days - 1, whole.Count);

        for (var round = 0; killed < kills; round++)
        {
            var to = folder.File($"killed{round}");
            for (var kill = random.Next(1, 5); kill > 0 && killed < kills; kill--)
            {
                using var export = Start(to);
                var goal = server.Requests.Count + random.Next(Days);
                while (export.IsRunning && server.Requests.Count < goal) await Task.WhenAny(Task.Delay(1), export.Exit);
                await Task.WhenAny(Task.Delay(random.Next(20)), export.Exit);
                export.Send(Signal.Kill);
                if ((await export.EndAsync()).ExitCode == 137) killed++;
                Judge(to);
            }

            var done = await RunAsync(to);
            Assert.True(done.ExitCode == 0, $"round {round} of seed {seed}: {done}");
            Judge(to);
            Assert.Equal(whole.AsEnumerable(), Hashes(to));
            Assert.Equal(Days,
                JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(to, "manifest.json"),
                    TestContext.Current.CancellationToken))!["files"]!.AsArray().Count);
            Assert.DoesNotContain(Directory.GetFiles(to), path => path.EndsWith(".part", StringComparison.Ordinal));
            Campaign.Show(string.Create(CultureInfo.InvariantCulture, $"{format}: {killed} of {kills} kills"));
        }
#pragma warning restore CA5394

        Importer Start(string to) => Importer.Start(
            ["export", "events", "--output", "json", "--to", to, "--from-date", "2026-10-01", "--to-date", Day(Days), "--format", format, "--compression",
                compression, "--parallel", $"{Parallel}", "--calls-per-hour", "0", "--calls-per-second", "0", "--backoff-min", "10ms"],
            Exports.Settings(server, folder));

        async Task<Ended> RunAsync(string to)
        {
            using var export = Start(to);
            return await export.EndAsync();
        }
    }

    static string Day(int day) => $"2026-10-{day:00}";

#pragma warning disable CA5394
    /// <summary>A day of events: each day has a different size, one is empty; sometimes truncated.</summary>
    static Answer AnswerTo(RecordedRequest request, Random random)
    {
        var day = int.Parse(request.Query.Split("from_date=2026-10-")[1][..2], CultureInfo.InvariantCulture);
        var time = new DateTimeOffset(2026, 10, day, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        var lines = new StringBuilder();
        if (day != 5)
            for (var i = 0; i < day * 700; i++)
                lines.Append(CultureInfo.InvariantCulture,
                    $$$"""{"event":"E{{{i % 7}}}","properties":{"time":{{{time + i}}},"distinct_id":"u{{{i % 90}}}","$insert_id":"{{{day}}}-{{{i}}}","n":{{{i}}}}}""")
                    .Append('\n');
        using var body = new MemoryStream();
        using (var gzip = new GZipStream(body, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(lines.ToString()));
        var bytes = body.ToArray();
        return new Answer { Body = random.Next(15) == 0 ? bytes[..^9] : bytes, Headers = [("Content-Encoding", "gzip")] };
    }
#pragma warning restore CA5394

    static Dictionary<string, string> Hashes(string folder) =>
        Directory.GetFiles(folder)
            .Where(path => Path.GetFileName(path) != "manifest.json")
            .Order(StringComparer.Ordinal)
            .ToDictionary(path => Path.GetFileName(path)!, path => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), StringComparer.Ordinal);

    /// <summary>Each entry's file exists with its hash; other files are only started ones, and at most one finished file per download.</summary>
    static void Judge(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "manifest.json")))
        {
            Assert.True(!Directory.Exists(folder) || Directory.GetFiles(folder).All(path => Path.GetFileName(path) == "manifest.json.part"));
            return;
        }

        var hashes = Hashes(folder);
        var entries =
            JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "manifest.json")))!["files"]!.AsArray().Where(file => file!["name"] is not null).ToList();
        foreach (var entry in entries) Assert.Equal((string)entry!["sha256"]!, hashes[(string)entry["name"]!]);
        Assert.InRange(hashes.Keys.Count(name => !name.EndsWith(".part", StringComparison.Ordinal)) - entries.Count, 0, Parallel);
    }
}
