using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MixpanelConnector.Bench;

/// <summary>
/// Load on <c>mixpanel serve</c>, 50 events per request through the action that imports events: at a fixed rate, as fast as
/// possible, with ten times as many callers as it can serve, and with idle connections. Mixpanel is a sink in this process that
/// counts every event it receives: all acknowledged events must be among them.
/// </summary>
static class ServeLoad
{
    const int EventsPerRequest = 50;
    const string Address = "/v1/actions/import_events";

    // Built in advance: the callers share the machine with the server.
    static readonly byte[][] Bodies = [.. Enumerable.Range(0, 256).Select(Body)];

    static long _received;

    public static async Task RunAsync(Settings settings)
    {
        using var sink = new TcpListener(IPAddress.Loopback, 0);
        sink.Start(1024);
        _ = AcceptAsync(sink);
        var folder = Directory.CreateTempSubdirectory("mixpanel-load-").FullName;
        using var serve = Start(settings, ((IPEndPoint)sink.LocalEndpoint).Port, folder);
        try
        {
            var line = await serve.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await serve.StandardError.ReadToEndAsync());
            var address = new Uri(line.Split(" at ")[^1]);
            Console.WriteLine($"{RuntimeName()}, {Environment.ProcessorCount} cores for server, callers and sink together; {EventsPerRequest} events a "
                + $"request, {Body(0).Length} bytes");
            await PhaseAsync(serve, address, "warm-up", callers: 16, Seconds(3), perSecond: null);
            await PhaseAsync(serve, address, "steady, 100 requests/s", callers: 32, Seconds(20), perSecond: 100);
            await PhaseAsync(serve, address, "as fast as it goes, 16 callers", callers: 16, Seconds(10), perSecond: null);
            await PhaseAsync(serve, address, "overload, 3,200 callers at once", callers: 3200, Seconds(settings.Overload), perSecond: null);
            await PhaseAsync(serve, address, "steady again", callers: 32, Seconds(10), perSecond: 100);
            var idle = await IdleAsync(address, 5000);
            await PhaseAsync(serve, address, "steady, with 4,500 idle and 500 slow connections", callers: 32, Seconds(20), perSecond: 100);
            foreach (var client in idle) client.Dispose();
        }
        finally
        {
            serve.Kill();
            await serve.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    static Process Start(Settings settings, int sink, string folder)
    {
        var tool = settings.Tool ?? Path.Combine(AppContext.BaseDirectory, "../../../../../src/MixpanelConnector.Tool/bin/Release/net10.0/mixpanel.dll");
        var start = new ProcessStartInfo("dotnet", [tool, "serve", "--port", "0", "--state", folder, "--rate", "1000000"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MIXPANEL_ENDPOINT"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{sink}");
        start.Environment["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "load";
        start.Environment["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "load";
        start.Environment["MIXPANEL_PROJECT_ID"] = "1";
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return process;
    }

    static async Task PhaseAsync(Process serve, Uri address, string name, int callers, TimeSpan duration, int? perSecond)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5) };
        using var http = new HttpClient(handler) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        var times = new ConcurrentBag<(int Status, double Milliseconds)>();
        var withoutRetryAfter = 0;
        var failed = 0;
        var before = Interlocked.Read(ref _received);
        using var ticks = new SemaphoreSlim(0);
        var clock = Stopwatch.StartNew();
        var ticking = perSecond is { } rate ? TickAsync(ticks, rate, duration) : Task.CompletedTask;
        using var end = new CancellationTokenSource(duration, TimeProvider.System);
        var peak = 0.0;
        var watching = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                peak = Math.Max(peak, Resident(serve.Id));
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            for (var n = 0; !end.IsCancellationRequested; n++)
            {
                if (perSecond is not null && !await ticks.WaitAsync(TimeSpan.FromMilliseconds(200))) continue;
                var body = Bodies[(caller + n) % Bodies.Length];
                var start = Stopwatch.GetTimestamp();
                try
                {
                    using var content = new ByteArrayContent(body);
                    content.Headers.ContentType = new("application/json");
                    using var answer = await http.PostAsync(new Uri(Address, UriKind.Relative), content);
                    times.Add(((int)answer.StatusCode, Stopwatch.GetElapsedTime(start).TotalMilliseconds));
                    if (answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
                    {
                        if (answer.Headers.RetryAfter is null) Interlocked.Increment(ref withoutRetryAfter);
                        // A caller that ignores Retry-After, without a busy loop.
                        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
                    }
                }
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
                {
                    Interlocked.Increment(ref failed);
                }
            }
        })));
        var seconds = clock.Elapsed.TotalSeconds;
        await Task.WhenAll(watching, ticking);

        var accepted = times.Where(time => time.Status == 200).Select(time => time.Milliseconds).Order().ToList();
        var refused = times.Where(time => time.Status != 200)
            .GroupBy(time => time.Status)
            .OrderBy(group => group.Key)
            .Select(group => string.Create(CultureInfo.InvariantCulture,
                $"{group.Count()} x {group.Key} (p99 {At([.. group.Select(time => time.Milliseconds).Order()], .99):0} ms)"));
        var arrived = Interlocked.Read(ref _received) - before;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {accepted.Count * EventsPerRequest / seconds:0} events/s; p50 {At(accepted, .5):0.0} ms, p99 {At(accepted, .99):0.0} ms; "
            + $"refused: {string.Join(", ", refused)}; without Retry-After {withoutRetryAfter}; broken {failed}; peak RSS {peak:0} MB; acknowledged {accepted.Count * EventsPerRequest}, arrived {arrived}"));
        if (arrived < accepted.Count * EventsPerRequest) throw new InvalidOperationException("Events were acknowledged that did not arrive.");
    }

    static async Task TickAsync(SemaphoreSlim ticks, int perSecond, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        for (var given = 0; clock.Elapsed < duration;)
        {
            var due = (int)(clock.Elapsed.TotalSeconds * perSecond);
            if (due > given) ticks.Release(due - given);
            given = Math.Max(given, due);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    static async Task<List<TcpClient>> IdleAsync(Uri address, int count)
    {
        var clients = new List<TcpClient>();
        for (var n = 0; n < count; n++)
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, address.Port);
            if (n % 10 == 0)
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                    $"POST {Address} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Length: 1000\r\nX-Slow: "));
            clients.Add(client);
        }

        return clients;
    }

    static byte[] Body(int number)
    {
        var events = Enumerable.Range(0, EventsPerRequest)
            .Select(n => string.Create(CultureInfo.InvariantCulture,
                $$$"""{"event":"Page Viewed","properties":{"time":1790000000,"distinct_id":"user-{{{n}}}","$insert_id":"load-{{{number:x8}}}-{{{n:x2}}}","page":"/products/{{{n}}}","referrer":"https://www.example.com/search","browser":"Firefox","os":"Linux","price":{{{n}}}.25,"plan":"pro","campaign":"spring","session":"s-{{{number}}}","position":{{{n}}}}}"""));
        return Encoding.UTF8.GetBytes($$"""{"strict":"1","properties":{},"events":[{{string.Join(',', events)}}]}""");
    }

    static double At(List<double> sorted, double share) => sorted.Count == 0 ? 0 : sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * share)];

    static TimeSpan Seconds(int number) => TimeSpan.FromSeconds(number);

    static string RuntimeName() => System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription;

    static double Resident(int id) =>
        double.Parse(
            File.ReadLines($"/proc/{id}/status")
                .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
            CultureInfo.InvariantCulture) * 1024 / 1e6;

    static async Task AcceptAsync(TcpListener sink)
    {
        while (true) _ = AnswerAsync(await sink.AcceptTcpClientAsync());
    }

    static async Task AnswerAsync(TcpClient client)
    {
        using var owned = client;
        client.NoDelay = true;
        var stream = client.GetStream();
        var buffer = new byte[1 << 20];
        var filled = 0;
        try
        {
            while (true)
            {
                int head;
                while ((head = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
                {
                    var read = await stream.ReadAsync(buffer.AsMemory(filled));
                    if (read == 0) return;
                    filled += read;
                }

                var headers = Encoding.ASCII.GetString(buffer, 0, head).Split("\r\n");
                var length = int.Parse(headers.First(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)).Split(':')[1],
                    CultureInfo.InvariantCulture);
                while (filled < head + 4 + length)
                    filled += await stream.ReadAsync(buffer.AsMemory(filled)) is var read and > 0 ? read : throw new IOException();
                var events = Count(buffer.AsSpan(head + 4, length), headers.Any(line => line.EndsWith("gzip", StringComparison.OrdinalIgnoreCase)));
                filled = 0;
                Interlocked.Add(ref _received, events);
                var reply = string.Create(CultureInfo.InvariantCulture, $$"""{"code":200,"num_records_imported":{{events}},"status":"OK"}""");
                await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
                    $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {reply.Length}\r\n\r\n{reply}")));
            }
        }
        catch (IOException)
        {
            // The server has ended.
        }
    }

    static int Count(ReadOnlySpan<byte> body, bool compressed)
    {
        if (!compressed) return body.Count("\"event\":"u8);
        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(body.ToArray()), CompressionMode.Decompress)) gzip.CopyTo(plain);
        return plain.GetBuffer().AsSpan(0, (int)plain.Length).Count("\"event\":"u8);
    }
}
