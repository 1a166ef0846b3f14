using System.Globalization;
using System.Text;

namespace MixpanelConnector.Faults;

/// <summary>A program that tracks durably into an outbox, with all its runs, and the outcome of each of its events.</summary>
sealed class TrackedScene : IAsyncDisposable
{
    static readonly string Program = ToolUnderTest.Built("tests/DurableTracker", "MixpanelConnector.DurableTracker.dll");

    readonly HashSet<long> _taken = [];
    readonly HashSet<long> _refused = [];
    readonly Scene _scene = new();
    long _first;

    public TrackedScene() => _scene.Server.Script = _ => File.Exists(Up) ? Reply.Good : Reply.Error(503);

    public Scene Scene => _scene;

    public IReadOnlySet<long> Taken => _taken;

    public IReadOnlySet<long> Refused => _refused;

    /// <summary>While this file does not exist, Mixpanel is down.</summary>
    string Up => _scene.File("up");

    public int Padding { get; init; } = 200;

    public TrackedScene MixpanelIsUp()
    {
        File.WriteAllText(Up, "");
        return this;
    }

    /// <summary>The folder of the outbox, and the steps: see the program.</summary>
    public Task<IReadOnlyList<string>> RunAsync(string outbox, params string[] steps) => RunAsync(null, outbox, steps);

    public async Task<IReadOnlyList<string>> RunAsync(Shim? shim, string outbox, params string[] steps)
    {
        Directory.CreateDirectory(_scene.File("disk"));
        Ended = await RunAsync("dotnet", [Program, Path.Combine(_scene.Folder, outbox), .. steps], shim);
        return Note(Ended);
    }

    /// <summary>A shell script in a separate mount namespace, where <c>"$@"</c> is the program with these steps.</summary>
    public async Task<IReadOnlyList<string>> InNamespaceAsync(string script, string outbox, params string[] steps)
    {
        Directory.CreateDirectory(_scene.File("disk"));
        Ended = await RunAsync("unshare",
            ["--map-root-user", "--mount", "bash", "-c", $"cd '{_scene.Folder}'; {script}", "bash", "dotnet", Program, outbox, .. steps], null);
        return Note(Ended);
    }

    public Ended Ended { get; private set; } = new(0, [], []);

    /// <summary>I12, from outside: accepted events arrived, refused ones did not, and Mixpanel counts none twice. Empty if it holds.</summary>
    public string Judge()
    {
        var arrived = _scene.Journal.Arrivals;
        var oids = arrived.Select(arrival => arrival.Oid).ToHashSet();
        var keys = arrived.Select(arrival => (arrival.Key, arrival.Oid)).Distinct().ToList();
        var findings = new List<string>();
        if (_taken.Except(oids).ToList() is { Count: > 0 } lost)
            findings.Add($"{lost.Count} of {_taken.Count} that were taken did not arrive, such as {lost[0]}");
        if (_refused.Intersect(oids).ToList() is { Count: > 0 } sent) findings.Add($"{sent.Count} that were refused arrived, such as {sent[0]}");
        if (keys.GroupBy(key => key.Oid).FirstOrDefault(group => group.Count() > 1) is { } doubled)
            findings.Add($"{doubled.Key} counts {doubled.Count()} times");
        if (keys.GroupBy(key => key.Key).FirstOrDefault(group => group.Count() > 1) is { } merged)
            findings.Add($"{string.Join(" and ", merged.Select(key => key.Oid))} count as one");
        findings.AddRange(_scene.Server.Complaints);
        return string.Join('\n', findings);
    }

    /// <summary>Like <see cref="Judge"/>, but a refused event may arrive: its sync failed, or its process died, after it had reached the disk.</summary>
    public string JudgeTaken()
    {
        _refused.Clear();
        return Judge();
    }

    public ValueTask DisposeAsync() => _scene.DisposeAsync();

    async Task<Ended> RunAsync(string program, IEnumerable<string> arguments, Shim? shim)
    {
        var settings = _scene.Settings(shim)
            .Concat([new("FIRST", _first.ToString(CultureInfo.InvariantCulture)), new("PADDING", Padding.ToString(CultureInfo.InvariantCulture))]);
        _first += 1_000_000;
        using var process = Importer.StartOther(program, arguments, settings);
        return await process.EndAsync();
    }

    /// <summary>The complete lines; a kill may truncate the last one.</summary>
    List<string> Note(Ended ended)
    {
        var text = Encoding.UTF8.GetString(ended.Output);
        var lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).ToList();
        foreach (var words in lines.Select(line => line.Split(' ')))
        {
            if (words[0] == "taken") Assert.True(_taken.Add(Number(words[1])));
            else if (words[0] == "refused") Assert.True(_refused.Add(Number(words[1])));
        }

        return lines;
    }

    static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
