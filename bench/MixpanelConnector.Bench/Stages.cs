using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Compress;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Validate;

namespace MixpanelConnector.Bench;

/// <summary>The stages one by one, on one thread, over events in memory; several rounds in turns, reported as best and median.</summary>
static class Stages
{
    const int Events = 20_000;

    public static void Run(Settings settings)
    {
        var lines = EventFile.Lines(Events).Select(line => line[..^1]).ToArray();
        var whole = EventFile.Lines(Events).SelectMany(line => line).ToArray();
        var body = lines[..2000].SelectMany(line => line.Append((byte)',')).ToArray();
        var (walk, rules) = (new JsonScanner(), new EventRules(SharedProperties.None));
        var preparer = new EventPreparer(TimeProvider.System, SharedProperties.None);
        var buffers = new BufferPool(40_000_000);
        preparer.Begin("bench", ImportIds.None);
        preparer.ReadClock();

        var stages = new List<(string Name, Action Run, List<double> Rates)>
        {
            ("newlines found", () => { for (var at = 0; whole.AsSpan(at).IndexOf((byte)'\n') is var next and >= 0; at += next + 1) { } }, []),
            ("fingerprint (XxHash128) of all bytes", () => XxHash128.HashToUInt128(whole), []),
            ("UTF-8 checked", () => { foreach (var line in lines) Utf8.IsValid(line); }, []),
            ("Utf8JsonReader alone, no UTF-8 check, no rules", () => { foreach (var line in lines) Read(line); }, []),
            ("JsonScanner with the rules of events",
                () =>
                {
                    foreach (var line in lines) { rules.Reset(2_000_000_000); if (walk.Check(line, rules) is not null) throw new InvalidDataException(); }
                },
                []),
            ("the same, and copied into batches", () => Fill(preparer, lines, buffers), []),
            ("gzip by GZipStream at its fastest", () => { for (var i = 0; i < Events / 2000; i++) GzipByStream(body); }, []),
            ("gzip", () => { for (var i = 0; i < Events / 2000; i++) CompressedBody.Gzip(body, buffers).Dispose(); }, []),
        };

        Console.WriteLine($"{Throughput.Machine()}\n");
        for (var round = 0; round < settings.Rounds * 4; round++)
        {
            foreach (var (_, run, rates) in stages)
            {
                var began = Stopwatch.GetTimestamp();
                run();
                rates.Add(Events / Stopwatch.GetElapsedTime(began).TotalSeconds);
            }
        }

        Console.WriteLine("| stage | M events/s, best | median |\n|---|---|---|");
        foreach (var (name, _, rates) in stages)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {rates.Max() / 1e6:0.00} | {rates.Order().ElementAt(rates.Count / 2) / 1e6:0.00} |"));
    }

    static void GzipByStream(byte[] body)
    {
        using var packed = new MemoryStream(body.Length / 2);
        using var gzip = new GZipStream(packed, CompressionLevel.Fastest);
        gzip.Write(body);
    }

    static void Read(byte[] line)
    {
        var reader = new Utf8JsonReader(line);
        while (reader.Read()) { }
    }

    static void Fill(EventPreparer preparer, byte[][] lines, BufferPool buffers)
    {
        RecordBatch? batch = null;
        for (var i = 0; i < lines.Length; i++)
        {
            batch ??= new RecordBatch(0, 2000, 1200 << 10, buffers);
            var record = new Record { Bytes = lines[i], Offset = i, Line = i };
            if (preparer.TryAdd(in record, "bench", maybeSent: false, batch) is not null) throw new InvalidDataException();
            if (batch.Count < 2000) continue;
            batch.Release();
            batch = null;
        }

        batch?.Release();
    }
}
