using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Formats;
using MixpanelConnector.Queues;
using MixpanelConnector.Testing;

namespace MixpanelConnector.RabbitMq.Tests;

/// <summary>What every test with a broker needs: a separate queue, a fake Mixpanel, and a folder for dead letters.</summary>
sealed class RabbitMqRun : IDisposable
{
    public const long Time = 1_790_000_000; // September 2026

    static int s_queues;

    readonly Broker _broker;

    public RabbitMqRun(Broker broker)
    {
        _broker = broker;
        Name = $"q{Interlocked.Increment(ref s_queues)}-{Guid.CreateVersion7():N}";
    }

    public TemporaryFolder Folder { get; } = new();

    public MixpanelDouble Mixpanel { get; } = new();

    public ConcurrentQueue<ImportDiagnostic> Diagnostics { get; } = new();

    public string Name { get; }

    public string Address => _broker.Address(Name);

    public string DeadLetterPath => Folder.File("dead.ndjson");

    public ConsumeRequest Request => new()
    {
        Address = Address,
        Schemes = [RabbitMqScheme.Instance],
        Queue = new() { Declare = true },
        DeadLetterPath = DeadLetterPath,
        UntilEmpty = true,
        ConsumerTimeout = TimeSpan.FromSeconds(10),
        Records = new() { Compressions = FileFormats.AllCompressions, Diagnostics = new Sink(Diagnostics) },
    };

    public static string Event(int number, string extra = "") =>
        $$$"""{"event":"e","properties":{"time":{{{Time}}},"distinct_id":"u{{{number}}}","$insert_id":"id-{{{number}}}","n":{{{number}}}{{{extra}}}}}""";

    /// <summary>The queue, for those that are not consumers.</summary>
    public DeliveryQueue Open(QueueOptions? options = null, string? address = null) =>
        QueueScheme.Open(address ?? Address, [RabbitMqScheme.Instance], options ?? new QueueOptions { Declare = true }, TimeProvider.System, "address");

    public async Task PublishAsync(IEnumerable<(string Id, byte[] Body, string? Encoding)> messages)
    {
        await using var queue = Open();
        await using var publisher = await queue.PublishAsync(queue.Name, isLast: false, CancellationToken.None);
        await Task.WhenAll(messages.Select(message => publisher.PublishAsync(new QueueBody(message.Body, message.Encoding, message.Id),
            CancellationToken.None)));
    }

    public Task PublishAsync(int messages, int events = 1, string extra = "") =>
        PublishAsync(Enumerable.Range(0, messages)
            .Select(i => ($"m{i}", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(i * events, events).Select(n => Event(n, extra) + "\n"))),
                default(string))));

    public async Task<ConsumeReport> RunAsync(ConsumeRequest request, CancellationToken cancellationToken = default)
    {
        using var http = new HttpClient(Mixpanel, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        using var client = new MixpanelClient(Options, http);
        var report = await client.ConsumeAsync(request, cancellationToken);
        Assert.Equal(report.Read, report.Accepted + report.Rejected + report.Pending + report.Blank);
        return report;
    }

    public MixpanelOptions Options { get; } = new()
    {
        ServiceAccount = new("account", new MixpanelSecret("canary-58c1")),
        ProjectId = 1,
        Token = "token",
        BackoffMin = TimeSpan.FromMilliseconds(50),
        BackoffMax = TimeSpan.FromMilliseconds(500),
    };

    /// <summary>The numbers of the events that Mixpanel received, without duplicates.</summary>
    public HashSet<long> Numbers => [.. Mixpanel.Stored.Select(record => JsonElement.Parse(record).GetProperty("properties").GetProperty("n").GetInt64())];

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
