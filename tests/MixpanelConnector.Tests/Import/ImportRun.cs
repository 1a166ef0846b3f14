using System.Collections.Concurrent;
using System.Text.Json;
using MixpanelConnector.Files;
using MixpanelConnector.Testing;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tests.Import;

/// <summary>What every test of the import needs: a folder, a fake Mixpanel, and a clock that does not wait.</summary>
sealed class ImportRun : IDisposable
{
    public const long Time = 1_790_000_000; // September 2026

    public TemporaryFolder Folder { get; } = new();

    public MixpanelDouble Mixpanel { get; } = new();

    /// <summary>The connection to a real server, instead of the fake.</summary>
    public SocketsHttpHandler? Network { get; private set; }

    public ImpatientClock Clock { get; } = ImpatientClock.ForImports();

    public ConcurrentQueue<ImportDiagnostic> Diagnostics { get; } = new();

    public MixpanelOptions Options { get; set; }

    public ImportRun()
    {
        Options = new()
        {
            ServiceAccount = new("account", new MixpanelSecret("canary-58c1")),
            ProjectId = 1,
            Token = "token",
            TimeProvider = Clock,
            Randomizer = () => 0.5,
            AttemptTimeout = TimeSpan.FromHours(2),
        };
    }

    public string DeadLetterPath => Folder.File("dead.ndjson");

    public static string Event(int number, string extra = "") =>
        $$$"""{"event":"e","properties":{"time":{{{Time}}},"distinct_id":"u{{{number}}}","$insert_id":"id-{{{number}}}","n":{{{number}}}{{{extra}}}}}""";

    public static string Events(int count) => string.Concat(Enumerable.Range(0, count).Select(i => Event(i) + "\n"));

    public ImportRequest Request(params string[] inputs) => new()
    {
        Inputs = inputs,
        DeadLetterPath = DeadLetterPath,
        Diagnostics = new Sink(Diagnostics),
        // A deadline on this clock, so that a stop waits for all replies. The default ends at once: for tests whose replies never come.
        Grace = TimeSpan.FromHours(1),
    };

    /// <summary>From now on, sends over the network, through the product's own handler.</summary>
    public void Reach(Uri endpoint, Action<SocketsHttpHandler>? change = null)
    {
        Options = Options with { Endpoint = endpoint };
        Network?.Dispose();
        Network = (SocketsHttpHandler)MixpanelTransport.NewHandler(Options);
        change?.Invoke(Network);
    }

    /// <summary>Runs an import; without a state, a new one, which does not replace the dead letters of others.</summary>
    public async Task<ImportReport> RunAsync(ImportRequest request, IImportState? state = null, CancellationToken cancellationToken = default)
    {
        if (state is null && request.DeadLetterPath == DeadLetterPath) File.Delete(DeadLetterPath);
        using var http = new HttpClient((HttpMessageHandler?)Network ?? Mixpanel, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        using var client = new MixpanelClient(Options, http);
        var report = await client.ImportAsync(request, state, cancellationToken);
        Assert.Equal(report.Read, report.Accepted + report.Rejected + report.Pending + report.Blank + (report.LeftOut?.Values.Sum() ?? 0));
        if (report.DeadLetter is not null && !SpecialFile.IsAt(report.DeadLetter)) Assert.Equal(report.Rejected, File.ReadLines(report.DeadLetter).LongCount());
        if (report.Outcome is RunOutcome.Complete) Assert.Equal(0, report.Rejected + report.Pending);
        else Assert.NotEmpty(report.Problems);
        return report;
    }

    public Task<ImportReport> RunAsync(string text, IImportState? state = null) => RunAsync(Request(Folder.Write("input.ndjson", text)), state);

    public List<JsonElement> DeadLetters() => [.. File.ReadLines(DeadLetterPath).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>The <c>n</c> of each accepted record, in order.</summary>
    public List<int> StoredNumbers() =>
        [.. Mixpanel.Stored.Select(record => JsonDocument.Parse(record).RootElement.GetProperty("properties").GetProperty("n").GetInt32())];

    public void Dispose()
    {
        Folder.Dispose();
        Mixpanel.Dispose();
        Network?.Dispose();
    }

    sealed class Sink(ConcurrentQueue<ImportDiagnostic> queue) : IProgress<ImportDiagnostic>
    {
        public void Report(ImportDiagnostic value) => queue.Enqueue(value);
    }
}
