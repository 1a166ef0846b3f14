using System.Diagnostics;
using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>One long import against a server with a fault in one request of thirty. Memory must stay flat, and every event is accounted for.</summary>
sealed class SoakCampaign(int events, int seed, int batchEvents, Action<string> progress)
{
    const int OneIn = 30;
    const int EventsPerFile = 1_000_000;
    const int EnoughSamples = 300;

    readonly Lines _lines = new() { BadEvery = 1000, BlankEvery = 5003 };
    readonly List<long> _memory = [];
    readonly int[] _faults = new int[Kinds];
    int _firstBatch;

    const int Kinds = 9;

    static readonly string[] Names =
    [
        "429", "429 with Retry-After", "500 after storing", "503", "reset before storing", "reset after storing", "cut answer", "slow answer",
        "500 before storing",
    ];

    public async Task RunAsync()
    {
        var oracle = new SoakOracle(_lines, events);
        await using var scene = new Scene(oracle);
        Directory.CreateDirectory(scene.File("input"));
        for (var from = 0; from < events; from += EventsPerFile)
            _lines.WriteFile(scene.File(string.Create(CultureInfo.InvariantCulture, $"input/{from / EventsPerFile:000}.ndjson")), from,
                Math.Min(from + EventsPerFile, events));
        scene.Inputs.Add(scene.File("input"));
        scene.With("--batch-events", batchEvents.ToString(CultureInfo.InvariantCulture));
        scene.Server.Refuses = Refused;
        scene.Server.Script = asked => Decide(scene.Server, asked);

        var clock = Stopwatch.StartNew();
        using var importer = Importer.Start(scene.Command, scene.Settings(), memory =>
        {
            _memory.Add(memory);
            if (_memory.Count % 50 == 0)
                progress(string.Create(CultureInfo.InvariantCulture,
                    $"{scene.Server.Stored:N0} of {events:N0} stored, {scene.Server.Requests:N0} requests, {memory / 1e6:N0} MB"));
        });
        var ended = await importer.EndAsync();
        clock.Stop();

        var report = scene.Report() ?? throw new InvalidOperationException($"There is no report.\n{ended}");
        var findings = oracle.Judge(DeadLine.Read(scene.DeadLetterPath), report, ended.ExitCode, Refused).Concat(scene.Server.Complaints).ToList();
        Assert.True(findings.Count == 0, $"{string.Join('\n', findings)}\n{Tail(ended)}");
        var (early, late) = Memory();
        progress(string.Create(CultureInfo.InvariantCulture, $"""
            {events:N0} events, seed {seed}: all accounted for; {report.GetProperty("accepted")} accepted, {report.GetProperty("rejected")} rejected, {report.GetProperty("blank")} blank, exit {ended.ExitCode}
            {scene.Server.Requests:N0} requests for {scene.Server.UniqueBodies:N0} batches, {_faults.Sum():N0} faults ({string.Join(", ", Names.Select((name, kind) => $"{_faults[kind]} {name}"))}), refusals and 413 beside
            {clock.Elapsed.TotalSeconds:N0} s, {events / clock.Elapsed.TotalSeconds:N0} events/s; memory at most {ended.MostMemory / 1e6:N0} MB, {early / 1e6:N0} MB in the first half, {late / 1e6:N0} MB in the second
            """));
        Assert.InRange(ended.MostMemory, 1, Scene.MostMemory);
        Assert.True(late <= (early * 1.1) + 8_000_000, $"memory grew from {early / 1e6:N0} to {late / 1e6:N0} MB");
        Assert.InRange((double)scene.Server.Requests / scene.Server.UniqueBodies, 1, 1.2);
        Assert.All(Enumerable.Range(0, Kinds),
            kind => Assert.True(_faults[kind] > 0 || scene.Server.Requests < 3000, $"no {Names[kind]} in {scene.Server.Requests} requests"));
    }

    /// <summary>The peak of the first half, without its start, and of the second. A run too short to compare is only checked against the limit.</summary>
    (double Early, double Late) Memory()
    {
        var samples = _memory.ToArray();
        if (samples.Length < EnoughSamples) return (Scene.MostMemory, samples.Max());
        var half = samples.Length / 2;
        return (samples[(half / 5)..half].Max(), samples[half..].Max());
    }

    /// <summary>Refuses so few events that about one request in a hundred contains one.</summary>
    bool Refused(long n) => n % (100 * batchEvents) == 77 && _lines.KindOf(n) is LineKind.Good;

    Reply Decide(JournalServer server, Asked asked)
    {
        // Halfway, the server lowers its size limit.
        Interlocked.CompareExchange(ref _firstBatch, asked.Bytes, 0);
        if (server.Stored > events / 2 && asked.Bytes > _firstBatch * 0.6) return Reply.Error(413);

        var draw = (uint)KillCampaign.HashCodeOf(seed, (int)asked.Number);
        if (draw % OneIn != 0) return Reply.Good;
        var kind = (int)(draw / OneIn % Kinds);
        Interlocked.Increment(ref _faults[kind]);
        return kind switch
        {
            0 => Reply.Error(429),
            1 => Reply.Error(429, headers: "Retry-After: 1\r\n"),
            2 => Reply.Error(500, stores: true),
            3 => Reply.Error(503),
            4 => Reply.Reset(stores: false),
            5 => Reply.Reset(stores: true),
            6 => new Reply { Ending = Ending.Cut },
            7 => new Reply { Delay = TimeSpan.FromMilliseconds(300) },
            _ => Reply.Error(500),
        };
    }

    static string Tail(Ended ended) => ended.ToString() is { Length: > 3000 } text ? text[^3000..] : ended.ToString();
}
