using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>One import with its folder, its input, its server, and the command. At the end, the oracle judges it.</summary>
sealed class Scene : IAsyncDisposable
{
    /// <summary>The maximum memory of an import.</summary>
    public const long MostMemory = 150_000_000;

    const string User = "importer.service";

    readonly TemporaryFolder _folder = new();
    readonly List<Ended> _ended = [];

    public Scene(IJournal? journal = null) => Server = new JournalServer(journal ?? Journal);

    public FullJournal Journal { get; } = new();

    public JournalServer Server { get; }

    /// <summary>Must not appear in anything that the import writes.</summary>
    public string Secret { get; } = $"canary+{Guid.NewGuid():N}/=";

    public string Folder => _folder.Path;

    /// <summary>The files to import.</summary>
    public List<string> Inputs { get; } = [];

    public string State => File("state");

    public string DeadLetterPath => Path.Combine(State, "dead-letters.ndjson");

    public string ReportPath => File("report.json");

    /// <summary>Additional arguments of the command.</summary>
    public List<string> Options { get; } = [];

    public IEnumerable<string> Command =>
        [
            "import", .. Inputs, .. (IEnumerable<string>)(Options.Contains("--state") ? [] : ["--state", State]), "--report", ReportPath, "--no-progress",
            "--backoff-min", "1ms", "--backoff-max", "20ms", .. Options,
        ];

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public string File(string name) => _folder.File(name);

    /// <summary>Creates an input.</summary>
    public Scene Given(Lines lines, int count, string name = "events.ndjson", long from = 0)
    {
        Inputs.Add(File(name));
        lines.WriteFile(File(name), from, from + count);
        return this;
    }

    public Scene With(params string[] options)
    {
        Options.AddRange(options);
        return this;
    }

    public Importer Start(Shim? shim = null) => Importer.Start(Command, Settings(shim));

    public IEnumerable<KeyValuePair<string, string>> Settings(Shim? shim = null) =>
    [
        new("XDG_CONFIG_HOME", File("config")),
        new("XDG_DATA_HOME", File("data")),
        new("XDG_STATE_HOME", File("user-state")),
        new("MIXPANEL_ENDPOINT", Server.Url),
        new("MIXPANEL_SERVICE_ACCOUNT_USERNAME", User),
        new("MIXPANEL_SERVICE_ACCOUNT_SECRET", Secret),
        new("MIXPANEL_PROJECT_ID", "1"),
        .. Environment,
        .. shim?.Environment ?? [],
    ];

    public async Task<Ended> RunAsync(Shim? shim = null)
    {
        using var importer = Start(shim);
        return await EndAsync(importer);
    }

    /// <summary>Waits for the exit, and keeps the output for the search for secrets.</summary>
    public async Task<Ended> EndAsync(Importer importer)
    {
        var ended = await importer.EndAsync();
        _ended.Add(ended);
        return ended;
    }

    /// <summary>A shell script in a separate mount namespace, where <c>"$@"</c> is the import.</summary>
    public async Task<Ended> InNamespaceAsync(string script)
    {
        Directory.CreateDirectory(File("disk"));
        using var shell = Importer.StartOther("unshare",
            ["--map-root-user", "--mount", "bash", "-c", $"cd '{Folder}'; {script}", "bash", .. ToolUnderTest.Command, .. Command], Settings());
        return await EndAsync(shell);
    }

    /// <summary>Reads the state as the last process left it, from a copy.</summary>
    public StoredState? ReadState() => StoredState.Read(State, File("state-copy"));

    public JsonElement? Report() => System.IO.File.Exists(ReportPath) ? JsonElement.Parse(System.IO.File.ReadAllBytes(ReportPath)) : null;

    /// <summary>The oracle's findings after a run that was not killed; empty if there are none.</summary>
    public string Judge(Ended ended, double mostRequestsPerBatch = 4, bool deadLettersWritten = true) =>
        string.Join('\n', Findings(ended, mostRequestsPerBatch, deadLettersWritten).Take(20));

    public IEnumerable<string> Findings(Ended ended, double mostRequestsPerBatch = 4, bool deadLettersWritten = true)
    {
        var evidence = new Evidence
        {
            Source = [.. Inputs.SelectMany(SourceRecord.ReadAll)],
            Sink = Journal.Arrivals,
            DeadLetters = deadLettersWritten ? DeadLine.ReadAll(DeadLetterPath) : null,
            Report = Report(),
            ExitCode = ended.ExitCode,
            Said = ended.Said,
        };
        foreach (var finding in Oracle.Judge(evidence)) yield return finding;
        foreach (var finding in OfBounds(ended, mostRequestsPerBatch)) yield return finding;
        foreach (var finding in OfSecrets()) yield return finding;
        foreach (var complaint in Server.Complaints) yield return $"server: {complaint}";
    }

    IEnumerable<string> OfBounds(Ended ended, double mostRequestsPerBatch)
    {
        if (ended.MostMemory > MostMemory) yield return $"I9 took {ended.MostMemory:N0} bytes of memory";
        if (ended.MostFiles > 300) yield return $"I9 held {ended.MostFiles} files";
        if (ended.MostThreads > 80) yield return $"I9 ran {ended.MostThreads} threads";
        if (Server.UniqueBodies > 0 && (double)Server.Requests / Server.UniqueBodies > mostRequestsPerBatch)
            yield return $"I9 sent {Server.Requests} requests for {Server.UniqueBodies} batches";
    }

    /// <summary>I11: the secret arrived where it belongs, and appears nowhere else.</summary>
    IEnumerable<string> OfSecrets()
    {
        var canary = new Canary(User, Secret);
        foreach (var authorization in Server.Authorizations.Where(authorization => authorization != canary.Authorization))
            yield return $"I11 sent as authorization: {authorization[..Math.Min(12, authorization.Length)]}…";
        foreach (var ended in _ended)
        {
            if (canary.IsIn(ended.Output)) yield return "I11 the secret stands on standard output";
            if (canary.IsIn(ended.Error)) yield return "I11 the secret stands on standard error";
        }

        foreach (var file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Where(file => !Inputs.Contains(file)))
            if (canary.IsIn(System.IO.File.ReadAllBytes(file))) yield return $"I11 the secret stands in {file}";
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _folder.Dispose();
    }
}
