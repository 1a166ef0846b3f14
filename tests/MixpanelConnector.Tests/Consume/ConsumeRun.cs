using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Consume;

/// <summary>What every test of consuming needs: a queue, a fake Mixpanel, and a folder for dead letters.</summary>
sealed class ConsumeRun : IDisposable
{
    public TemporaryFolder Folder { get; } = new();

    public MixpanelDouble Mixpanel { get; } = new();

    public FakeQueue Queue { get; } = new();

    public ConcurrentQueue<ImportDiagnostic> Diagnostics { get; } = new();

    public MixpanelOptions Options { get; set; } = new()
    {
        ServiceAccount = new("account", new MixpanelSecret("canary-58c1")),
        ProjectId = 1,
        Token = "token",
        BackoffMin = TimeSpan.FromMilliseconds(10),
        BackoffMax = TimeSpan.FromMilliseconds(50),
    };

    public string DeadLetterPath => Folder.File("dead.ndjson");

    /// <summary>The dead letters, even while a consumer has their file open.</summary>
    public List<JsonElement> DeadLetters
    {
        get
        {
            // .NET takes a lock even for reading; other programs do not.
            using var cat = Process.Start(new ProcessStartInfo("cat", [DeadLetterPath]) { RedirectStandardOutput = true, UseShellExecute = false })!;
            return [.. cat.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
        }
    }

    public ConsumeRequest Request => new()
    {
        Address = FakeQueue.Address,
        Schemes = [Queue],
        DeadLetterPath = DeadLetterPath,
        UntilEmpty = true,
        Records = new() { Diagnostics = new Sink(Diagnostics) },
    };

    public async Task<ConsumeReport> RunAsync(ConsumeRequest request, CancellationToken cancellationToken = default)
    {
        using var http = new HttpClient(Mixpanel, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        using var client = new MixpanelClient(Options, http);
        var report = await client.ConsumeAsync(request, cancellationToken);
        Assert.Equal(report.Read, report.Accepted + report.Rejected + report.Pending + report.Blank + (report.LeftOut?.Values.Sum() ?? 0));
        Assert.Equal(Queue.Settled.Count, report.Messages);
        return report;
    }

    public void Dispose()
    {
        Mixpanel.Dispose();
        Folder.Dispose();
    }

    sealed class Sink(ConcurrentQueue<ImportDiagnostic> all) : IProgress<ImportDiagnostic>
    {
        public void Report(ImportDiagnostic value) => all.Enqueue(value);
    }
}
