using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Kafka.Tests;

public sealed class KafkaTests(Cluster cluster) : IClassFixture<Cluster>, IDisposable
{
    const long Time = 1_790_000_000; // September 2026

    readonly TemporaryFolder _folder = new();
    readonly MixpanelDouble _mixpanel = new();

    public void Dispose()
    {
        _mixpanel.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_published_is_consumed_from_where_the_group_is()
    {
        var address = cluster.NewTopic(out var topic);
        await cluster.PublishAsync(topic, Enumerable.Range(0, 200).Select(i => ((string?)$"k{i}", Event(i))).Append((null, "no json")));

        var report = await RunAsync(address);

        Assert.Equal((RunOutcome.Rejected, 201L, 200L, 1L, 0L), (report.Outcome, report.Messages, report.Accepted, report.Rejected, report.Lag));
        Assert.Equal(Enumerable.Range(0, 200).Select(n => (long)n), Numbers.Order());
        var letter = JsonElement.Parse(File.ReadAllLines(_folder.File("dead")).Single());
        Assert.Equal(address, letter.GetProperty("source").GetString());
        Assert.Matches($"^{topic}:[0-3]:[0-9]+$", letter.GetProperty("message_id").GetString());

        await cluster.PublishAsync(topic, [(null, Event(1000))]);
        Assert.Equal((RunOutcome.Complete, 1L), await RunAsync(address) is var again ? (again.Outcome, again.Messages) : default);
    }

    [Fact]
    public async Task A_missing_insert_id_comes_from_the_place_in_the_topic()
    {
        var address = cluster.NewTopic(out var topic);
        await cluster.PublishAsync(topic,
            Enumerable.Repeat(((string?)null, $$$"""{"event":"e","properties":{"time":{{{Time}}},"distinct_id":"u","n":1}}"""), 5));

        await RunAsync(address);
        await RunAsync(address, request => request with { Queue = new() { Group = "another" } });

        var ids = _mixpanel.Stored.Select(record => JsonElement.Parse(record).GetProperty("properties").GetProperty("$insert_id").GetString()).ToList();
        Assert.Equal((10, 5), (ids.Count, ids.Distinct(StringComparer.Ordinal).Count()));
    }

    [Fact]
    public async Task What_cannot_be_repeated_is_not_sent_by_whoever_takes_over()
    {
        var address = cluster.NewTopic(out var topic);
        await cluster.PublishAsync(topic, [("a", """{"$distinct_id":"a","$add":{"n":1}}""")]);
        _mixpanel.Script = _ => MixpanelDouble.Answer(401, """{"error":"no"}"""); // it was sent, and is not settled
        var first = await RunAsync(address, Updates);
        Assert.True(first.Outcome is RunOutcome.NotAllowed && first.Messages == 0, first.ToString());

        _mixpanel.Script = _ => null;
        var report = await RunAsync(address, Updates);

        Assert.Equal((RunOutcome.Rejected, 1L, 1L), (report.Outcome, report.Rejected, report.Redelivered));
        Assert.True(JsonElement.Parse(File.ReadAllLines(_folder.File("dead")).Single()).GetProperty("maybe_delivered").GetBoolean());

        static ConsumeRequest Updates(ConsumeRequest request) => request with { Records = request.Records with { Type = ImportType.Profiles } };
    }

    [Fact]
    public async Task Consumers_that_come_and_go_lose_nothing()
    {
        var address = cluster.NewTopic(out var topic);
        await cluster.PublishAsync(topic, Enumerable.Range(0, 400).Select(i => ((string?)$"k{i}", Event(i))));

        for (var round = 0; round < 3; round++)
        {
            using var stop = new CancellationTokenSource();
            var before = _mixpanel.Stored.Count;
            _mixpanel.Script = _ =>
            {
                if (_mixpanel.Stored.Count - before > 20) stop.Cancel();
                return null;
            };
            await RunAsync(address, request => request with { Records = request.Records with { BatchEvents = 10, Senders = 1 } }, stop.Token);
        }

        _mixpanel.Script = _ => null;
        Assert.Equal((RunOutcome.Complete, 0L), await RunAsync(address) is var last ? (last.Outcome, last.Lag) : default);
        Assert.Equal(Enumerable.Range(0, 400).Select(n => (long)n), Numbers.Order());
    }

    [Fact]
    public async Task A_tracker_publishes_by_person()
    {
        var address = cluster.NewTopic(out var topic);
        await using (var queue = new MixpanelQueue(address, [KafkaScheme.Instance]))
        await using (var tracker = new MixpanelTracker(Options, new TrackerOptions { Queue = queue }))
        {
            for (var i = 0; i < 50; i++) Assert.True(tracker.Track("e", $"u{i}", new System.Text.Json.Nodes.JsonObject { ["n"] = i }));
            await tracker.FlushAsync();
        }

        Assert.Empty(_mixpanel.Requests);
        Assert.Equal(50, (await RunAsync(address)).Accepted);
    }

    [Fact]
    public async Task What_is_not_there_is_told()
    {
        Assert.Equal(RunOutcome.Unavailable,
            (await RunAsync("kafka://127.0.0.1:1/t",
                request => request with
                {
                    Queue = new() { Timeout = TimeSpan.FromSeconds(1) },
                    Records = request.Records with { MaxOutage = TimeSpan.FromSeconds(1) },
                })).Outcome);
    }

    HashSet<long> Numbers => [.. _mixpanel.Stored.Select(record => JsonElement.Parse(record).GetProperty("properties").GetProperty("n").GetInt64())];

    MixpanelOptions Options { get; } = new()
    {
        ServiceAccount = new("account", new MixpanelSecret("canary-58c1")),
        ProjectId = 1,
        Token = "token",
        BackoffMin = TimeSpan.FromMilliseconds(50),
        BackoffMax = TimeSpan.FromMilliseconds(500),
    };

    async Task<ConsumeReport> RunAsync(string address, Func<ConsumeRequest, ConsumeRequest>? change = null, CancellationToken cancellationToken = default)
    {
        using var http = new HttpClient(_mixpanel, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        using var client = new MixpanelClient(Options, http);
        var request = new ConsumeRequest { Address = address, Schemes = [KafkaScheme.Instance], DeadLetterPath = _folder.File("dead"), UntilEmpty = true };
        var report = await client.ConsumeAsync(change?.Invoke(request) ?? request, cancellationToken);
        Assert.Equal(report.Read, report.Accepted + report.Rejected + report.Pending + report.Blank);
        return report;
    }

    static string Event(int number) =>
        $$$"""{"event":"e","properties":{"time":{{{Time}}},"distinct_id":"u{{{number}}}","$insert_id":"id-{{{number}}}","n":{{{number}}}}}""";
}
