using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Bench;

/// <summary>
/// Kills a process that tracks durably, again and again, and then compares the accepted events with those that arrived. The process
/// writes the number of each event to standard output once its <c>TrackAsync</c> has completed; the campaign reads them.
/// </summary>
static class Campaign
{
    const int Writers = 200;

    /// <summary>The victim: tracks numbered events until it is killed or has tracked <paramref name="count"/> of them.</summary>
    public static async Task VictimAsync(string folder, string endpoint, long first, int count)
    {
        await using var tracker = new MixpanelTracker(
            new MixpanelOptions
            {
                Endpoint = new Uri(endpoint),
                Token = "0123456789abcdef0123456789abcdef",
                BackoffMin = TimeSpan.FromMilliseconds(50),
                BackoffMax = TimeSpan.FromSeconds(1),
            },
            new TrackerOptions { Outbox = SqliteOutbox.Open(folder), StopTimeout = TimeSpan.FromMinutes(2) });
        using var output = Console.OpenStandardOutput();
        var (next, writing) = (-1, new Lock());
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
            {
                await tracker.TrackAsync("Numbered", "user-1", new { Number = first + i });
                var line = System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{first + i}\n"));
                lock (writing) output.Write(line); // one write per line: a pipe accepts a write this small atomically
            }
        })));
        await tracker.FlushAsync();
    }

    public static async Task<int> RunAsync(Settings settings)
    {
        var (kills, seed) = (settings.Number("--kills", 10), settings.Number("--seed", 1));
        var random = new Random(seed);
        var perRun = Math.Max(1, settings.Events / (kills + 1));
        var arrived = new Dictionary<string, long>(StringComparer.Ordinal); // by $insert_id, as Mixpanel deduplicates
        var requests = 0L;
        using var listener = Listen(out var endpoint);
        var serving = ServeAsync(listener, random.Next(), records =>
        {
            lock (arrived)
            {
                requests++;
                foreach (var (id, number) in records)
                {
                    if (arrived.TryGetValue(id, out var known) && known != number) throw new InvalidOperationException($"Two events have the id {id}.");
                    arrived[id] = number;
                }
            }
        });
        var folder = Directory.CreateTempSubdirectory("mixpanel-campaign-").FullName;
        var accepted = new HashSet<long>();
        var (killed, first) = (0, 0L);
        try
        {
            while (killed < kills || first == 0)
            {
                using var victim = Start(folder, endpoint, first, perRun);
                var life = TimeSpan.FromMilliseconds(random.Next(150, 3000));
                var reading = ReadAsync(victim, accepted);
                var ended = victim.WaitForExitAsync();
                await Task.WhenAny(ended, Task.Delay(life, TimeProvider.System));
                if (!victim.HasExited)
                {
                    victim.Kill();
                    killed++;
                }

                await ended;
                await reading;
                first += perRun;
            }

            // The remaining events are tracked and sent without a kill.
            using var last = Start(folder, endpoint, first, (int)Math.Max(1, settings.Events - accepted.Count));
            var rest = ReadAsync(last, accepted);
            await last.WaitForExitAsync();
            await rest;
            if (last.ExitCode != 0) throw new InvalidOperationException($"The last run ended with {last.ExitCode}.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
            listener.Stop();
            await serving;
        }

        var numbers = arrived.Values.ToList();
        var lost = accepted.Except(numbers).Count();
        var doubled = numbers.Count - numbers.Distinct().Count();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"seed {seed}: {killed} kills, {accepted.Count} events accepted, {numbers.Count} arrived in {requests} requests, {lost} accepted "
            + $"and lost, {doubled} doubled"));
        return lost == 0 && doubled == 0 && accepted.Count > 0 ? 0 : 1;
    }

    static Process Start(string folder, string endpoint, long first, int count) => Process.Start(new ProcessStartInfo(
        "dotnet",
        [Path.Combine(AppContext.BaseDirectory, "MixpanelConnector.Bench.dll"), "campaign-victim", folder, endpoint,
            first.ToString(CultureInfo.InvariantCulture), count.ToString(CultureInfo.InvariantCulture)])
    { UseShellExecute = false, RedirectStandardOutput = true })!;

    static async Task ReadAsync(Process victim, HashSet<long> accepted)
    {
        var text = await victim.StandardOutput.ReadToEndAsync();
        var whole = text[..(text.LastIndexOf('\n') + 1)];
        foreach (var line in whole.Split('\n', StringSplitOptions.RemoveEmptyEntries)) accepted.Add(long.Parse(line, CultureInfo.InvariantCulture));
    }

    static HttpListener Listen(out string endpoint)
    {
        // Ask the system for a free port, and release it for the listener.
        using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            endpoint = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
        }

        var listener = new HttpListener();
        listener.Prefixes.Add(endpoint);
        listener.Start();
        return listener;
    }

    /// <summary>Accepts most requests; every tenth is refused, before or after its records were counted.</summary>
    static async Task ServeAsync(HttpListener listener, int seed, Action<List<(string Id, long Number)>> take)
    {
        var (random, choosing) = (new Random(seed), new Lock());
        try
        {
            while (true)
            {
                var context = await listener.GetContextAsync();
                _ = Task.Run(async () =>
                {
                    try
                    {
                        int choice;
                        lock (choosing) choice = random.Next(20);
                        using var body = new System.IO.Compression.GZipStream(context.Request.InputStream, System.IO.Compression.CompressionMode.Decompress);
                        using var document = await JsonDocument.ParseAsync(body);
                        var records = document.RootElement.EnumerateArray()
                            .Select(record => record.GetProperty("properties"))
                            .Select(properties => (properties.GetProperty("$insert_id").GetString()!, properties.GetProperty("Number").GetInt64())).ToList();
                        if (choice != 0) take(records);
                        context.Response.StatusCode = choice <= 1 ? 503 : 200;
                        if (choice > 1)
                            await JsonSerializer.SerializeAsync(context.Response.OutputStream,
                                new Dictionary<string, object>(StringComparer.Ordinal)
                                {
                                    ["code"] = 200,
                                    ["num_records_imported"] = records.Count,
                                    ["status"] = "OK",
                                });
                        context.Response.Close();
                    }
                    catch (Exception e) when (e is HttpListenerException or IOException or InvalidDataException or JsonException or ObjectDisposedException)
                    {
                        // The victim was killed during the request.
                    }
                });
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // Stopped.
        }
    }
}
