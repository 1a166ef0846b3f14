// Tracks durably, step by step, and writes a line for each outcome: "taken 7", "refused 8 WHY".
//   FOLDER STEP…    track:N  N events, awaited concurrently           sh:COMMAND  a command in between, for example on the disk
//                   crowd:N  N events by each of more threads than the pool may have, all of which wait for space
//                   flush    until Mixpanel has all, or a timeout     kill        like a power loss
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.Json.Nodes;
using MixpanelConnector;
using MixpanelConnector.Sqlite;

const int Writers = 16;
var padding = new string('x', int.Parse(Environment.GetEnvironmentVariable("PADDING") ?? "200", CultureInfo.InvariantCulture));
var next = long.Parse(Environment.GetEnvironmentVariable("FIRST") ?? "0", CultureInfo.InvariantCulture);
var isCrowded = args.Any(step => step.StartsWith("crowd:", StringComparison.Ordinal));
using var output = Console.OpenStandardOutput();
var writing = new Lock();
var dropped = 0L;
using var meters = new MeterListener();
meters.InstrumentPublished = (instrument, listener) =>
{
    if (instrument.Name == "mixpanel.tracker.records") listener.EnableMeasurementEvents(instrument);
};
meters.SetMeasurementEventCallback<long>((_, count, tags, _) =>
{
    foreach (var (name, value) in tags)
        if (name == "mixpanel.outcome" && value is "dropped") Interlocked.Add(ref dropped, count);
});
meters.Start();

SqliteOutbox outbox;
try
{
    outbox = SqliteOutbox.Open(args[0]);
}
catch (OutboxException e)
{
    Say($"not opened {e.Message}");
    return 7;
}

var tracker = new MixpanelTracker(
    new MixpanelOptions
    {
        Endpoint = new Uri(Environment.GetEnvironmentVariable("MIXPANEL_ENDPOINT")!),
        Token = "0123456789abcdef0123456789abcdef",
        BackoffMin = TimeSpan.FromMilliseconds(5),
        BackoffMax = TimeSpan.FromMilliseconds(50),
    },
    new TrackerOptions
    {
        Outbox = outbox,
        FlushInterval = TimeSpan.FromMilliseconds(10),
        WaitTimeout = TimeSpan.FromMilliseconds(50),
        WhenFull = isCrowded ? WhenFull.Wait : WhenFull.Drop,
        MaxBufferedBytes = isCrowded ? 1 << 20 : 32 << 20,
    });
await using (tracker)
{
    foreach (var step in args[1..])
    {
        var (verb, value) = step.Split(':', 2) is [var first, var rest] ? (first, rest) : (step, "");
        switch (verb)
        {
            case "track":
                await TrackAsync(int.Parse(value, CultureInfo.InvariantCulture));
                break;
            case "crowd":
                Crowd(int.Parse(value, CultureInfo.InvariantCulture));
                break;
            case "sh":
                using (var shell = Process.Start("bash", ["-e", "-c", value]))
                {
                    await shell.WaitForExitAsync();
                    if (shell.ExitCode != 0) return 99;
                }

                break;
            case "flush":
                using (var patience = new CancellationTokenSource(TimeSpan.FromHours(1)))
                {
                    try
                    {
                        await tracker.FlushAsync(patience.Token);
                        Say($"flushed {tracker.Pending}");
                    }
                    catch (Exception e) when (e is MixpanelException or OperationCanceledException)
                    {
                        Say($"not flushed {e.Message}");
                    }
                }

                break;
            case "kill":
                Process.GetCurrentProcess().Kill();
                await Task.Delay(Timeout.Infinite);
                break;
            default:
                return 98;
        }

        Say($"did {verb}; dropped {Interlocked.Read(ref dropped)}, trouble {tracker.LastError?.Message ?? "none"}");
    }
}

return 0;

async Task TrackAsync(int count)
{
    var (from, end) = (next, next + count);
    next = end;
    var at = from - 1;
    await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
    {
        for (long oid; (oid = Interlocked.Increment(ref at)) < end;)
        {
            try
            {
                await tracker.TrackAsync("Numbered", "user-1", new JsonObject { ["oid"] = oid, ["padding"] = padding });
                Say($"taken {oid}");
            }
            catch (MixpanelException e)
            {
                Say($"refused {oid} {e.Message}");
            }
        }
    })));
}

// On the main thread: those of the pool are all in use.
void Crowd(int each)
{
    var threads = Environment.ProcessorCount;
    if (!ThreadPool.SetMinThreads(threads, threads) || !ThreadPool.SetMaxThreads(threads, threads)) throw new InvalidOperationException();
    Task.WaitAll(Enumerable.Range(0, 4 * threads).Select(_ => Task.Run(() =>
    {
        for (var i = 0; i < each; i++)
        {
            var oid = Interlocked.Increment(ref next) - 1;
            Say(tracker.Track("Numbered", "user-1", new JsonObject { ["oid"] = oid, ["padding"] = padding }) ? $"taken {oid}" : $"refused {oid}");
        }
    })));
}

// One write per line: a pipe accepts a write this small atomically.
void Say(string line)
{
    var bytes = System.Text.Encoding.UTF8.GetBytes(line.ReplaceLineEndings(" ") + "\n");
    lock (writing) output.Write(bytes);
}
