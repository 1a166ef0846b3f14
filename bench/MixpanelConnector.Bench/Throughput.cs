using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace MixpanelConnector.Bench;

/// <summary>Whole programs against one fast sink, in turns, so that a quiet moment of the machine benefits all of them.</summary>
static class Throughput
{
    /// <param name="Name">The name of the program.</param>
    /// <param name="Sink">Its sink: programs with the same sink are compared with the first of them. The sink's CPU time is reported separately.</param>
    /// <param name="Program">The executable.</param>
    /// <param name="Arguments">Its arguments; <c>{state}</c> stands for a new folder.</param>
    public sealed record Row(string Name, Sinks Sink, string Program, string[] Arguments)
    {
        public List<Measured> Rounds { get; } = [];

        /// <summary>A row for the tool: <c>mixpanel.dll</c>, or the program itself.</summary>
        public static Row Of(string name, Sinks sink, string tool, params string[] arguments) =>
            tool.EndsWith(".dll", StringComparison.Ordinal) ? new(name, sink, "dotnet", [tool, .. arguments]) : new(name, sink, tool, arguments);

        /// <summary>The CPU time of the sink in each round, in seconds.</summary>
        public List<double> OfSink { get; } = [];
    }

    public static readonly string Here = Path.Combine(AppContext.BaseDirectory, "MixpanelConnector.Bench.dll");

    public static async Task RunAsync(Settings settings)
    {
        using var folder = new Scratch();
        var input = folder.File("events.ndjson");
        EventFile.Write(input, settings.Events);
        using var sink = await Sinks.StartAsync(0);
        using var slow = await Sinks.StartAsync(150);

        var tool = settings.Tool ?? Tool();
        var rows = new List<Row>
        {
            new("naive .NET program", sink, "dotnet", [Here, "naive", input, sink.Url, "8"]),
            Row.Of("mixpanel import", sink, tool, Import(sink, input)),
            new("library, durable state", sink, "dotnet", [Here, "library", input, sink.Url, "{state}"]),
            new("library, no state", sink, "dotnet", [Here, "library", input, sink.Url]),
            new("naive, 20 senders, 150 ms", slow, "dotnet", [Here, "naive", input, slow.Url, "20"]),
            Row.Of("mixpanel import --senders 20, 150 ms", slow, tool, Import(slow, input, "--senders", "20")),
        };
        if (settings.Other is { } other) rows.Insert(2, Row.Of("the other mixpanel import", sink, other, Import(sink, input)));
        await MeasureAsync(rows, settings.Rounds, Environment);
        Print(rows, settings.Events);
    }

    public static async Task RunMemoryAsync(Settings settings)
    {
        using var folder = new Scratch();
        using var sink = await Sinks.StartAsync(0);
        using var slow = await Sinks.StartAsync(150);
        var gzip = folder.File("events.ndjson.gz");
        EventFile.Write(gzip, settings.Events, gzip: true);
        var giant = folder.File("giant.ndjson");
        using (var file = new StreamWriter(giant))
        {
            file.Write("{\"event\":\"");
            for (var i = 0; i < 100; i++) file.Write(new string('x', 1_000_000));
            file.Write("\"}\n");
        }

        var bad = folder.File("bad.ndjson");
        File.WriteAllText(bad, string.Concat(Enumerable.Repeat("{\"event\":\"no properties\"}\n", 200_000)));
        var large = folder.File("large.ndjson");
        using (var file = new StreamWriter(large))
            for (var i = 0; i < 400; i++)
                file.Write(string.Create(CultureInfo.InvariantCulture,
                    $$$"""{"event":"e","properties":{"time":1790000000,"distinct_id":"u","$insert_id":"{{{i}}}","x":"{{{new string('x', 1_000_000)}}}"}}""")
                    + "\n");

        // One gzip member repeated, like concatenated rotated files: 10^10 bytes of events, small on disk.
        var vast = folder.File("vast.ndjson.gz");
        var member = folder.File("member.gz");
        EventFile.Write(member, 100_000, gzip: true);
        using (var file = File.Create(vast))
            for (var bytes = 0L; settings.Vast && bytes < 10_000_000_000; bytes += 100_000 * EventFile.EventLength) file.Write(File.ReadAllBytes(member));

        var many = Directory.CreateDirectory(folder.File("many")).FullName;
        foreach (var (line, number) in EventFile.Lines(100_000).Select((line, number) => (line, number)))
            File.WriteAllBytes(Path.Combine(many, $"{number}.ndjson"), line);

        var rows = new List<Row>();
        foreach (var (tool, which) in new[] { (settings.Tool ?? Tool(), ""), (settings.Other, " (other)") })
        {
            if (tool is null) continue;
            rows.Add(Row.Of("gzip" + which, sink, tool, Import(sink, gzip)));
            rows.Add(Row.Of("gzip, 20 senders, 150 ms" + which, slow, tool, Import(slow, gzip, "--senders", "20")));
            if (settings.Vast) rows.Add(Row.Of("10 GB of gzip" + which, sink, tool, Import(sink, vast)));
            rows.Add(Row.Of("100,000 files" + which, sink, tool, Import(sink, many)));
            rows.Add(Row.Of("one line of 100 MB" + which, sink, tool, "import", giant, "--dry-run", "--no-progress"));
            rows.Add(Row.Of("200,000 bad records, dry run" + which, sink, tool, "import", bad, "--dry-run", "--no-progress"));
            rows.Add(Row.Of("records of 1 MB, dry run" + which, sink, tool, "import", large, "--dry-run", "--no-progress"));
        }

        await MeasureAsync(rows, settings.Rounds, Environment);
        Console.WriteLine("| input | peak RSS, MB (median) | highest |\n|---|---|---|");
        foreach (var row in rows)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {row.Name} | {Median(row, round => round.PeakMegabytes):0} | {row.Rounds.Max(round => round.PeakMegabytes):0} |"));
    }

    static string[] Import(Sinks sink, string input, params string[] more) =>
        ["import", input, .. more, "--endpoint", sink.Url, "--state", "{state}", "--no-progress"];

    public static async Task MeasureAsync(List<Row> rows, int rounds, IReadOnlyDictionary<string, string> environment)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Machine()}; {RuntimeInformation.FrameworkDescription}; {rounds} rounds in turns\n"));
        // The first round is not counted: the sink's code is compiled in it, which would only affect the first program.
        for (var round = -1; round < rounds; round++)
        {
            foreach (var row in rows)
            {
                using var folder = new Scratch();
                var hasRejections = row.Arguments.Contains("--dry-run") ? 3 : 0;
                var before = row.Sink.CpuSeconds;
                var measured = await Measured.RunAsync(row.Program, row.Arguments.Select(argument => argument is "{state}" ? folder.File("state") : argument),
                    hasRejections, environment);
                if (round < 0) continue;
                row.Rounds.Add(measured);
                row.OfSink.Add(row.Sink.CpuSeconds - before);
            }
        }
    }

    public static readonly Dictionary<string, string> Environment = new(StringComparer.Ordinal) { ["MIXPANEL_TOKEN"] = "bench" };

    public static void Print(List<Row> rows, int events)
    {
        Console.WriteLine(
            "| program | events/s (median) | best | CPU s per million | the sink's | peak RSS, MB | events/s against the first | CPU | memory "
            + "|\n|---|---|---|---|---|---|---|---|---|");
        foreach (var row in rows)
        {
            var first = rows.First(other => other.Sink == row.Sink);
            var line = new StringBuilder();
            line.Append(CultureInfo.InvariantCulture,
                $"| {row.Name} | {events / Median(row, round => round.Seconds):N0} | {events / row.Rounds.Min(round => round.Seconds):N0} ");
            line.Append(CultureInfo.InvariantCulture,
                $"| {Median(row, round => round.CpuSeconds) * 1e6 / events:0.00} | {Median(row.OfSink) * 1e6 / events:0.00} | {Median(row, round => round.PeakMegabytes):0} ");
            line.Append(CultureInfo.InvariantCulture,
                $"| {Ratio(row, first, round => 1 / round.Seconds):0.00}× | {Ratio(row, first, round => round.CpuSeconds):0.00}× | {Ratio(row, first, round => round.PeakMegabytes):0.00}× |");
            Console.WriteLine(line);
        }
    }

    static double Median(Row row, Func<Measured, double> figure) => Median(row.Rounds.Select(figure));

    /// <summary>The median of the rounds' ratios, so that a slow minute of the machine affects both sides.</summary>
    static double Ratio(Row row, Row to, Func<Measured, double> figure) => Median(row.Rounds.Zip(to.Rounds, (one, other) => figure(one) / figure(other)));

    static double Median(IEnumerable<double> figures)
    {
        var sorted = figures.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    public static string Machine()
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            ?? "unknown CPU";
        return string.Create(CultureInfo.InvariantCulture, $"{model}, {System.Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}");
    }

    /// <summary>The tool from this repository, built with the benchmark.</summary>
    public static string Tool()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MixpanelConnector.slnx"))) folder = folder.Parent;
        return Path.Combine(folder?.FullName ?? ".", "src/MixpanelConnector.Tool/bin/Release/net10.0/mixpanel.dll");
    }

    public sealed class Sinks(Process process, string url) : IDisposable
    {
        public string Url => url;

        public double CpuSeconds
        {
            get
            {
                process.Refresh();
                return process.TotalProcessorTime.TotalSeconds;
            }
        }

        public static Task<Sinks> StartAsync(int latency, int eventLength = EventFile.EventLength) =>
            StartAsync("sink", latency.ToString(CultureInfo.InvariantCulture), eventLength.ToString(CultureInfo.InvariantCulture));

        public static async Task<Sinks> StartAsync(params string[] command)
        {
            var start = new ProcessStartInfo("dotnet", [Here, .. command]) { UseShellExecute = false, RedirectStandardOutput = true };
            start.Environment["DOTNET_TieredPGO"] = "0"; // so that it is warm after one round
            var process = Process.Start(start)!;
            return new(process, (await process.StandardOutput.ReadLineAsync())!);
        }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    public sealed class Scratch : IDisposable
    {
        readonly string _path = Directory.CreateTempSubdirectory("mixpanel-bench-").FullName;

        public string File(string name) => Path.Combine(_path, name);

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }
}
