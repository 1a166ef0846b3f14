using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Bench;

/// <summary>
/// The embedded Mixpanel as a program: start-up, memory when idle, a million events through <c>/import</c>, reports over
/// them, and many small tests with a project each. The CPU time of the events is reported as a multiple of one pass of
/// <see cref="Utf8JsonReader"/> over the same bytes on the same machine, a ratio that other load does not change much.
/// </summary>
static class EmulatorLoad
{
    const int EventLength = 510, LineLength = EventLength + 1, EventsPerRequest = 2000, Senders = 4;
    const string Month = "project_id=1&event=Page+Viewed&from_date=2026-08-23&to_date=2026-09-21";

    static readonly AuthenticationHeaderValue Owner = new("Basic", Convert.ToBase64String("local:local"u8));

    /// <summary>Requested in turns; the result of each report is its shortest time.</summary>
    static readonly (string Name, string Address)[] Reports =
    [
        ("segmentation by a property", $"/api/query/segmentation?{Month}&on=properties%5B%22%24browser%22%5D"),
        ("segmentation by a property, unique", $"/api/query/segmentation?{Month}&type=unique&on=properties%5B%22%24browser%22%5D"),
        ("segmentation with a condition", $"/api/query/segmentation?{Month}&where=properties%5B%22price%22%5D+%3E+50"),
        ("segmentation", $"/api/query/segmentation?{Month}"),
    ];

    public static async Task RunAsync(Settings settings)
    {
        Console.WriteLine($"{Throughput.Machine()}; {RuntimeInformation.FrameworkDescription}\n");
        var tool = settings.Tool ?? Throughput.Tool();
        using var folder = new Throughput.Scratch();
        var part = settings.Text("--part");
        if (part is null or "start") await StartAsync(tool, settings.Rounds);
        if (part is null or "events") await EventsAsync(tool, folder, settings);
        if (part is null or "tests") await TestsAsync(tool, settings.Number("--tests", 10_000));
    }

    static async Task StartAsync(string tool, int rounds)
    {
        var (first, idle) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            using var emulator = await Emulator.StartAsync(tool, ":memory:");
            first = Math.Min(first, clock.Elapsed.TotalMilliseconds);
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
            idle = Math.Min(idle, emulator.Status("VmRSS"));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"start to first answer {first:0} ms, at rest {idle:0} MB (the least of {rounds})"));
    }

    static async Task EventsAsync(string tool, Throughput.Scratch folder, Settings settings)
    {
        var input = folder.File("events.ndjson");
        EventFile.Write(input, settings.Events, length: EventLength);
        var reader = ReaderSeconds(input);
        var bodies = BodiesOf(input, settings.Events / EventsPerRequest);
        foreach (var data in settings.Text("--data") is { } only ? (string[])[only] : ["folder", ":memory:"])
        {
            using var emulator = await Emulator.StartAsync(tool, data == "folder" ? folder.File(data) : data);
            var clock = Stopwatch.StartNew();
            await Parallel.ForEachAsync(bodies, new ParallelOptions { MaxDegreeOfParallelism = Senders },
                async (body, _) => await SendAsync(emulator.Http, body));
            var (seconds, cpu) = (clock.Elapsed.TotalSeconds, emulator.CpuSeconds);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"\n{settings.Events:N0} events of {EventLength} bytes, {data}: {seconds:0.0} s, {cpu:0.00} s of CPU, {cpu / reader:0.0} times the "
                + $"reader's {reader:0.00} s; peak {emulator.Status("VmHWM"):0} MB, afterwards {emulator.Status("VmRSS"):0} MB"));
            foreach (var (name, address) in Reports)
            {
                var (least, leastCpu) = (double.MaxValue, double.MaxValue);
                for (var round = 0; round < settings.Rounds; round++)
                {
                    var before = emulator.CpuSeconds;
                    clock.Restart();
                    await emulator.Http.GetByteArrayAsync(new Uri(address, UriKind.Relative));
                    least = Math.Min(least, clock.Elapsed.TotalSeconds);
                    leastCpu = Math.Min(leastCpu, emulator.CpuSeconds - before);
                }
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name}: {least:0.00} s, {leastCpu:0.00} s of CPU (the least of {settings.Rounds})"));
            }
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak in all {emulator.Status("VmHWM"):0} MB"));
        }
    }

    /// <summary>Each test creates a project, sends an event and a profile, reads them, and deletes the project.</summary>
    static async Task TestsAsync(string tool, int tests)
    {
        using var emulator = await Emulator.StartAsync(tool, ":memory:");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{tests:N0} tests with a project each"));
        for (var test = 1; test <= tests; test++)
        {
            var made = await PostAsync(emulator.Http, "/emulator/projects", """{"name":"test"}""");
            using var answer = JsonDocument.Parse(made);
            var project = answer.RootElement.GetProperty("results");
            var (id, token) = (project.GetProperty("id").GetInt32(), project.GetProperty("token").GetString());
            await PostAsync(emulator.Http, "/track", $$$"""[{"event":"e","properties":{"token":"{{{token}}}","distinct_id":"u"}}]""");
            await PostAsync(emulator.Http, "/engage", $$$"""[{"$token":"{{{token}}}","$distinct_id":"u","$set":{"plan":"pro"}}]""");
            await emulator.Http.GetByteArrayAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"/api/query/events/names?type=general&project_id={id}"),
                UriKind.Relative));
            using (await emulator.Http.DeleteAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"/emulator/projects/{id}"), UriKind.Relative))) { }
            if (test % Math.Max(tests / 10, 1) == 0)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"after {test:N0}: {emulator.CpuSeconds * 1000 / test:0.0} ms of CPU a test, {emulator.Status("VmRSS"):0} MB"));
        }
    }

    /// <summary>The request bodies as an import sends them, gzipped arrays. Built before the measurement, because both share the machine's cores.</summary>
    static byte[][] BodiesOf(string input, int count)
    {
        using var file = File.OpenHandle(input);
        var lines = new byte[EventsPerRequest * LineLength];
        var bodies = new byte[count][];
        for (var number = 0; number < count; number++)
        {
            RandomAccess.Read(file, lines, (long)number * lines.Length);
            for (var end = LineLength - 1; end < lines.Length; end += LineLength) lines[end] = (byte)',';
            var body = new MemoryStream();
            using (var gzip = new GZipStream(body, CompressionLevel.Fastest))
            {
                gzip.Write("["u8);
                gzip.Write(lines.AsSpan(0, lines.Length - 1));
                gzip.Write("]"u8);
            }
            bodies[number] = body.ToArray();
        }
        return bodies;
    }

    static async Task SendAsync(HttpClient http, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        using var answer = await http.PostAsync(new Uri("/import?strict=1&project_id=1", UriKind.Relative), content);
        var text = await answer.Content.ReadAsStringAsync();
        if (!text.Contains(string.Create(CultureInfo.InvariantCulture, $"\"num_records_imported\":{EventsPerRequest}"), StringComparison.Ordinal))
            throw new InvalidOperationException(text);
    }

    static async Task<byte[]> PostAsync(HttpClient http, string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        return await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
    }

    static double ReaderSeconds(string input)
    {
        var bytes = new byte[EventsPerRequest * LineLength];
        using var file = File.OpenHandle(input);
        var before = Process.GetCurrentProcess().UserProcessorTime;
        for (var at = 0L; RandomAccess.Read(file, bytes, at) is > 0 and var read; at += read)
        {
            var lines = bytes.AsSpan(0, read);
            while (!lines.IsEmpty)
            {
                var reader = new Utf8JsonReader(lines[..EventLength]);
                while (reader.Read()) { }
                lines = lines[LineLength..];
            }
        }
        return (Process.GetCurrentProcess().UserProcessorTime - before).TotalSeconds;
    }

    sealed class Emulator(Process process, HttpClient http) : IDisposable
    {
        public HttpClient Http => http;

        public double CpuSeconds
        {
            get
            {
                process.Refresh();
                return process.TotalProcessorTime.TotalSeconds;
            }
        }

        public static async Task<Emulator> StartAsync(string tool, string data)
        {
            string[] arguments = ["emulator", "--port", "0", "--data", data];
            var isAssembly = tool.EndsWith(".dll", StringComparison.Ordinal);
            var process = Process.Start(new ProcessStartInfo(isAssembly ? "dotnet" : tool, isAssembly ? [tool, .. arguments] : arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
            })!;
            using var greeting = JsonDocument.Parse((await process.StandardOutput.ReadLineAsync())!);
            var http = new HttpClient { BaseAddress = new Uri(greeting.RootElement.GetProperty("address").GetString()!), Timeout = TimeSpan.FromMinutes(10) };
            http.DefaultRequestHeaders.Authorization = Owner;
            await http.GetByteArrayAsync(new Uri("/healthz", UriKind.Relative));
            return new Emulator(process, http);
        }

        /// <summary>In megabytes of 10^6 bytes.</summary>
        public double Status(string name)
        {
            var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}/status"))
                .First(line => line.StartsWith(name + ":", StringComparison.Ordinal));
            return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024 / 1e6;
        }

        public void Dispose()
        {
            http.Dispose();
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }
}
