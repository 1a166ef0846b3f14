using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using MixpanelConnector.Files;
using MixpanelConnector.Sqlite;
using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector.Bench;

/// <summary>The tracker: the cost of a call, the throughput of events, and how fast they are made durable.</summary>
static class TrackerBench
{
    static readonly OrderPlaced Order = new(12.5m, "EUR", 3);

    static MixpanelOptions At(string endpoint) => new() { Endpoint = new Uri(endpoint), Token = "0123456789abcdef0123456789abcdef" };

    /// <summary>The latency of single calls at a rate that the sender keeps up with, and the bytes allocated by the caller's thread.</summary>
    public static async Task RunTrackAsync(Settings settings)
    {
        Console.WriteLine($"{Throughput.Machine()}; {RuntimeInformation.FrameworkDescription}; {settings.Events:N0} calls a row\n");
        Console.WriteLine("| call | median, ns | p99, ns | p99.9, ns | mean, ns | bytes allocated | of them the payload |\n|---|---|---|---|---|---|---|");
        foreach (var round in Enumerable.Range(0, 2)) // the first warms up
        {
            foreach (var (name, payload, call) in new (string, int, Action<IMixpanelTracker>)[]
            {
                ("no properties", 0, tracker => tracker.Track("Order placed", "user-1")),
                ("new { Total, Currency, Items }", PayloadBytes(),
                    tracker => tracker.Track("Order placed", "user-1", new { Total = 12.5m, Currency = "EUR", Items = 3 })),
                ("[MixpanelEvent] record, source-generated", 0, tracker => tracker.Track("user-1", Order, BenchJson.Default.OrderPlaced)),
            })
            {
                using var sink = await Throughput.Sinks.StartAsync(0, LengthOf(call));
                await using var tracker = new MixpanelTracker(At(sink.Url), new TrackerOptions { MaxBufferedBytes = 1 << 30 });
                var ticks = new long[settings.Events];
                for (var i = 0; i < 20_000; i++) call(tracker);
                await tracker.FlushAsync();
                var allocated = GC.GetAllocatedBytesForCurrentThread();
                var started = Stopwatch.GetTimestamp();
                for (var i = 0; i < ticks.Length; i++)
                {
                    var before = Stopwatch.GetTimestamp();
                    call(tracker);
                    ticks[i] = Stopwatch.GetTimestamp() - before;
                }

                var mean = Stopwatch.GetElapsedTime(started).TotalNanoseconds / ticks.Length;
                allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
                await tracker.FlushAsync();
                Array.Sort(ticks);
                if (round == 0) continue;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {name} | {At(ticks, 0.5):0} | {At(ticks, 0.99):0} | {At(ticks, 0.999):0} | {mean:0} | {(double)allocated / ticks.Length:0.0} | {payload} |"));
            }
        }
    }

    /// <summary>Events per second from <c>Track</c> to the sink's answer.</summary>
    public static async Task RunThroughAsync(Settings settings)
    {
        using var sink = await Throughput.Sinks.StartAsync(0, LengthOf(tracker => tracker.Track("user-1", Order, BenchJson.Default.OrderPlaced)));
        Console.WriteLine(
            $"{Throughput.Machine()}; {RuntimeInformation.FrameworkDescription}; {settings.Events:N0} events a round\n\n| round | events/s | CPU s per "
            + $"million |\n|---|---|---|");
        for (var round = 0; round < settings.Rounds; round++)
        {
            await using var tracker = new MixpanelTracker(At(sink.Url), new TrackerOptions { WhenFull = WhenFull.Wait });
            var (cpu, started) = (Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.GetTimestamp());
            for (var i = 0; i < settings.Events; i++) tracker.Track("user-1", Order, BenchJson.Default.OrderPlaced);
            await tracker.FlushAsync();
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {round + 1} | {settings.Events / seconds:N0} | {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds * 1e6 / settings.Events:0.00} |"));
        }
    }

    /// <summary>Awaited events per second with many writers, the wait for the disk, and the disk's own time. Figures are medians of the rounds.</summary>
    public static async Task RunOutboxAsync(Settings settings)
    {
        using var sink = await Throughput.Sinks.StartAsync(0, LengthOf(tracker => tracker.Track("user-1", Order, BenchJson.Default.OrderPlaced)));
        Console.WriteLine(
            $"{Throughput.Machine()}; {RuntimeInformation.FrameworkDescription}; medians of {settings.Rounds} rounds\n\n| writers | awaited events/s | "
            + $"median, ms | p99, ms | worst, ms |\n|---|---|---|---|---|");
        await OfRoundsAsync("the disk: 4 KB and fsync", settings.Rounds, OfTheDiskAsync);
        foreach (var writers in (int[])[1, 16, 256])
            await OfRoundsAsync(writers.ToString(CultureInfo.InvariantCulture), settings.Rounds,
                () => OfWritersAsync(writers, settings.Events / 5 / Math.Max(writers, 50), sink.Url));
    }

    static async Task OfRoundsAsync(string name, int rounds, Func<Task<(double, double, double, double)>> round)
    {
        await round(); // warms up
        var all = new List<(double Rate, double Median, double P99, double Worst)>();
        for (var i = 0; i < rounds; i++) all.Add(await round());
        double Middle(Func<(double Rate, double Median, double P99, double Worst), double> figure) => all.Select(figure).Order().ElementAt(all.Count / 2);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {Middle(r => r.Rate):N0} | {Middle(r => r.Median):0.00} | {Middle(r => r.P99):0.00} | {Middle(r => r.Worst):0.00} |"));
    }

    static async Task<(double Rate, double Median, double P99, double Worst)> OfWritersAsync(int writers, int each, string endpoint)
    {
        var folder = Directory.CreateTempSubdirectory("mixpanel-bench-").FullName;
        try
        {
            await using var tracker = new MixpanelTracker(At(endpoint), new TrackerOptions { Outbox = SqliteOutbox.Open(folder) });
            await tracker.TrackAsync("user-1", Order, BenchJson.Default.OrderPlaced);
            var started = Stopwatch.GetTimestamp();
            var waits = await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(async () =>
            {
                var ticks = new long[each];
                for (var i = 0; i < each; i++)
                {
                    var before = Stopwatch.GetTimestamp();
                    await tracker.TrackAsync("user-1", Order, BenchJson.Default.OrderPlaced);
                    ticks[i] = Stopwatch.GetTimestamp() - before;
                }

                return ticks;
            })));
            var figures = Figures([.. waits.SelectMany(ticks => ticks)], Stopwatch.GetElapsedTime(started).TotalSeconds);
            await tracker.FlushAsync();
            return figures;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static Task<(double, double, double, double)> OfTheDiskAsync()
    {
        var path = Path.GetTempFileName();
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        var (ticks, page) = (new long[1000], new byte[4096]);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < ticks.Length; i++)
        {
            var before = Stopwatch.GetTimestamp();
            file.Write(page);
            Durable.Sync(file);
            ticks[i] = Stopwatch.GetTimestamp() - before;
        }

        return Task.FromResult(Figures(ticks, Stopwatch.GetElapsedTime(started).TotalSeconds));
    }

    static (double Rate, double Median, double P99, double Worst) Figures(long[] ticks, double seconds)
    {
        Array.Sort(ticks);
        return (ticks.Length / seconds, At(ticks, 0.5) / 1e6, At(ticks, 0.99) / 1e6, At(ticks, 1) / 1e6);
    }

    static double At(long[] sorted, double quantile) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * quantile))] * 1e9 / Stopwatch.Frequency;

    /// <summary>The size of an event on the wire, in bytes, from which the sink computes how many a body contains.</summary>
    static int LengthOf(Action<IMixpanelTracker> call)
    {
        var measure = new Measure();
        call(measure);
        return measure.Length;
    }

    sealed class Measure : IMixpanelTracker
    {
        public int Length { get; private set; }

        public bool Enqueue(in TrackedRecord record)
        {
            var writer = RecordWriter.Rent();
            writer.WriteEvent(in record, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), "0123456789abcdef0123456789abcdef"u8,
                new EventAdditions([]));
            Length = writer.Written.Length;
            writer.Return();
            return true;
        }

        public ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task FlushAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }

    static int PayloadBytes()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var payload = new { Total = 12.5m, Currency = "EUR", Items = 3 };
        var bytes = (int)(GC.GetAllocatedBytesForCurrentThread() - before);
        GC.KeepAlive(payload);
        return bytes;
    }
}

[MixpanelEvent("Order placed")]
sealed record OrderPlaced(decimal Total, string Currency, int Items);

[JsonSerializable(typeof(OrderPlaced))]
sealed partial class BenchJson : JsonSerializerContext;
