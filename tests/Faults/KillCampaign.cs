using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>
/// Many imports, each killed with SIGKILL at random moments and restarted until it is done. After each kill, the state is
/// read and judged; after each import, everything is. All parameters are derived from the seed.
/// </summary>
sealed class KillCampaign(int seed, int kills, Action<string> progress)
{
    const int MostKillsPerImport = 8;

    int _killed, _imports;

    public async Task<string> RunAsync(int lanes)
    {
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, lanes).Select(async _ =>
        {
            while (Volatile.Read(ref _killed) < kills) await ImportAsync(Interlocked.Increment(ref next));
        }));
        return string.Create(CultureInfo.InvariantCulture, $"kills {_killed}, imports {_imports}, seed {seed}: 0 lost, 0 doubled, 0 merged, 0 altered");
    }

    async Task ImportAsync(int number)
    {
#pragma warning disable CA5394 // to be repeated, not to be secret
        var random = new Random(HashCodeOf(seed, number));
        await using var scene = new Scene();
        var lines = new Lines
        {
            BadEvery = random.Next(3) switch { 0 => 0, 1 => 7, _ => 100 },
            BlankEvery = random.Next(3) == 0 ? 31 : 0,
            OwnIdEvery = random.Next(4),
            Padding = random.Next(3) == 0 ? random.Next(1000) : 0,
        };
        var suffix = random.Next(3) == 0 ? ".ndjson.gz" : ".ndjson";
        var count = random.Next(200, 3000);
        scene.Given(lines, count, "first" + suffix);
        if (random.Next(3) == 0) scene.Given(lines, random.Next(1, 1000), "second" + suffix, from: count);
        var batch = random.Next(3, 60);
        scene.With("--batch-events", Text(batch), "--senders", Text(random.Next(1, 7)));
        var (faults, slowness) = (random.Next(2) == 0 ? 0 : 20, random.Next(1, 8));
        scene.Server.Script = asked => Decide(HashCodeOf(seed, (number * 100_003) + (int)asked.Number), faults, slowness);

        var source = scene.Inputs.SelectMany(SourceRecord.ReadAll).ToList();
        var good = source.Count(record => record.Oid >= 0 && lines.KindOf(record.Oid) is LineKind.Good);
        StoredState? before = null;
        var planned = random.Next(1, MostKillsPerImport);
        for (var kill = 0; kill < planned && Volatile.Read(ref _killed) < kills; kill++)
        {
            using var importer = scene.Start();
            await UntilAsync(scene.Server, importer, random, good, batch);
            importer.Send(Signal.Kill);
            var ended = await scene.EndAsync(importer);
            if (ended.ExitCode != 137) continue; // it was quicker
            Interlocked.Increment(ref _killed);
            var now = scene.ReadState();
            Expect(number, string.Join('\n', Oracle.JudgeState(before, now, source, scene.Journal.Arrivals)), ended);
            before = now;
        }

        var done = await scene.RunAsync();
        Expect(number, done.ExitCode is 0 or 3 ? scene.Judge(done, mostRequestsPerBatch: 4 + planned) : "it did not finish", done);
        var litter = Directory.EnumerateFileSystemEntries(scene.State)
            .Select(file => Path.GetFileName(file)!)
            .Except(["import.db", "import.created", "dead-letters.ndjson", "ended.json"], StringComparer.Ordinal);
        Expect(number, string.Join(' ', litter), done);
        if (random.Next(5) == 0) await AgainAsync(number, scene, done, planned);
#pragma warning restore CA5394

        Interlocked.Increment(ref _imports);
        progress(string.Create(CultureInfo.InvariantCulture, $"{Volatile.Read(ref _killed)} of {kills} kills, {_imports} imports"));
    }

    /// <summary>A finished import resends nothing, and reports the same.</summary>
    async Task AgainAsync(int number, Scene scene, Ended done, int planned)
    {
        var requests = scene.Server.Requests;
        var again = await scene.RunAsync();
        Expect(number,
            again.ExitCode == done.ExitCode && scene.Server.Requests == requests
                ? scene.Judge(again, mostRequestsPerBatch: 4 + planned)
                : "a finished import did something",
            again);
    }

#pragma warning disable CA5394
    /// <summary>Waits for a moment: at the start, between two requests, or at the end.</summary>
    static async Task UntilAsync(JournalServer server, Importer importer, Random random, int good, int batch)
    {
        switch (random.Next(4))
        {
            case 0:
                await Within(importer, random.Next(500));
                break;
            case 1:
                await server.UntilAsync(() => server.Stored >= good, importer.Exit);
                await Within(importer, random.Next(60));
                break;
            default:
                var goal = server.Requests + random.Next(1, Math.Max(2, good / batch));
                await server.UntilAsync(() => server.Requests >= goal, importer.Exit);
                await Within(importer, random.Next(15));
                break;
        }
    }
#pragma warning restore CA5394

    static Task<Task> Within(Importer importer, int milliseconds) => Task.WhenAny(Task.Delay(milliseconds), importer.Exit);

    static Reply Decide(int chance, int faults, int slowness)
    {
        var draw = (int)((uint)chance % 1000);
        var delay = TimeSpan.FromMilliseconds(draw % slowness);
        if (faults == 0 || draw % faults != 0) return new Reply { Delay = delay };
        return (draw / faults % 5) switch
        {
            0 => Reply.Error(500, stores: true),
            1 => Reply.Error(503),
            2 => Reply.Reset(stores: true),
            3 => Reply.Reset(stores: false),
            _ => Reply.Error(429),
        };
    }

    void Expect(int number, string findings, Ended ended)
    {
        if (findings.Length > 0) Assert.Fail($"import {number} of seed {seed}:\n{findings}\n{ended}");
    }

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Stable across processes, unlike a hash code.</summary>
    internal static int HashCodeOf(int a, int b)
    {
        var x = ((ulong)(uint)a << 32) | (uint)b;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return (int)(x ^ (x >> 31));
    }
}
