using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using MixpanelConnector.Queues;
using MixpanelConnector.Testing;

namespace MixpanelConnector.RabbitMq.Tests;

public class RabbitMqTests(BrokerFixture fixture)
{
    [Fact]
    public async Task What_is_published_is_consumed_and_nothing_else()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        await run.PublishAsync(500, events: 4);
        await run.PublishAsync([("packed", Gzip(RabbitMqRun.Event(5000)), "gzip"), ("bad", "no json\n"u8.ToArray(), null)]);

        var report = await run.RunAsync(run.Request);

        Assert.Equal((RunOutcome.Rejected, 502L, 2002L, 2001L, 1L, 0L, 0L, 0L),
            (report.Outcome, report.Messages, report.Read, report.Accepted, report.Rejected, report.Pending, report.Lag, report.Returned));
        Assert.Equal([.. Enumerable.Range(0, 2000).Select(n => (long)n), 5000], run.Numbers.Order());
        var letter = JsonElement.Parse(File.ReadAllLines(run.DeadLetterPath).Single());
        Assert.Equal((run.Address, "bad", 1),
            (letter.GetProperty("source").GetString(), letter.GetProperty("message_id").GetString(), letter.GetProperty("line").GetInt32()));
        Assert.Equal((RunOutcome.Complete, 0L), ((await run.RunAsync(run.Request)).Outcome, (await run.RunAsync(run.Request)).Messages));
    }

    [Fact]
    public async Task What_an_application_tracks_is_consumed()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        var services = new ServiceCollection();
        services.AddMixpanel(settings => settings.Token = new string('a', 32)).UseRabbitMq(run.Address, new() { Declare = true });
        await using (var provider = services.BuildServiceProvider())
        {
            var tracker = provider.GetRequiredService<IMixpanelTracker>();
            for (var n = 0; n < 20; n++) await tracker.TrackAsync("e", $"u{n}", new JsonObject { ["n"] = n });
            await tracker.FlushAsync();
        }

        var report = await run.RunAsync(run.Request);

        Assert.Equal((RunOutcome.Complete, 20L), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 20).Select(n => (long)n), run.Numbers.Order());
    }

    [Fact]
    public async Task Consumers_share_a_queue()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        await run.PublishAsync(2000);

        var reports = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => run.RunAsync(run.Request with { DeadLetterPath = run.Folder.File($"dead{i}") })));

        Assert.All(reports, report => Assert.Equal(RunOutcome.Complete, report.Outcome));
        Assert.Equal(2000, reports.Sum(report => report.Accepted));
        Assert.Equal(2000, run.Numbers.Count);
    }

    [Fact]
    public async Task Large_messages_are_held_within_their_bytes()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        await run.PublishAsync(60, extra: $",\"p\":\"{new string('x', 900_000)}\"");
        await using var queue = run.Open();
        await using var consumer = await queue.ConsumeAsync(new ConsumeLimits(10_000_000, 1000, UntilEmpty: false), CancellationToken.None);

        var held = new List<QueueMessage>();
        while (!consumer.IsFull) held.Add((await consumer.ReceiveAsync(CancellationToken.None))!);

        Assert.InRange(consumer.Held, 2, 16);
        while (held.Count < 60)
        {
            await consumer.SettleAsync([held[^1]], CancellationToken.None);
            held.Add((await consumer.ReceiveAsync(CancellationToken.None))!);
            Assert.InRange(consumer.Held, 1, 16);
        }
    }

    [Fact]
    public async Task In_an_outage_that_outlasts_the_brokers_patience_nothing_is_lost_and_one_delivery_used_up()
    {
        var broker = await fixture.GetAsync();
        using var run = new RabbitMqRun(broker);
        await run.PublishAsync(20);
        var asked = 0;
        run.Mixpanel.Script =
            request => request.Records.Count > 0 && asked < 40 || Interlocked.Increment(ref asked) < 40 ? MixpanelDouble.Answer(503, "{}") : null;

        var report = await run.RunAsync(run.Request);

        Assert.Equal((RunOutcome.Complete, 20L, 20L), (report.Outcome, report.Accepted, report.Read));
        Assert.InRange(report.Redelivered, 1, 20);
        Assert.Equal(report.Returned, report.Redelivered);
        Assert.Equal(20, run.Numbers.Count);
        Assert.Equal(0, await broker.DepthAsync($"{run.Name}.dead"));
    }

    [Fact]
    public async Task A_full_queue_refuses()
    {
        var broker = await fixture.GetAsync();
        using var run = new RabbitMqRun(broker);
        await run.PublishAsync(1);
        Assert.Equal(0, (await broker.ControlAsync(0, "set_policy", run.Name, $"^{run.Name}$", """{"max-length":3}""", "--apply-to", "queues")).ExitCode);
        await using var queue = run.Open();
        await using var publisher = await queue.PublishAsync(queue.Name, isLast: false, CancellationToken.None);

        var taken = 1;
        var refusal = await Assert.ThrowsAsync<QueueException>(async () =>
        {
            for (; taken < 100; taken++)
                await publisher.PublishAsync(new QueueBody(Encoding.UTF8.GetBytes(RabbitMqRun.Event(taken)), null, $"n{taken}"), CancellationToken.None);
        });

        Assert.Equal(QueueFault.Full, refusal.Fault);
        Assert.Equal(taken, (await run.RunAsync(run.Request)).Accepted);
    }

    [Fact]
    public async Task Dead_letters_go_to_a_queue_of_the_broker()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        await run.PublishAsync([("bad", "no json\n"u8.ToArray(), null)]);
        var letters = $"{run.Name}-letters";

        Assert.Equal(RunOutcome.Rejected, (await run.RunAsync(run.Request with { DeadLetterPath = null, DeadLetterQueue = letters })).Outcome);

        await using var queue = run.Open(address: run.Address.Replace(run.Name, letters, StringComparison.Ordinal));
        await using var consumer = await queue.ConsumeAsync(new ConsumeLimits(1 << 20, 10, UntilEmpty: true), CancellationToken.None);
        Assert.Equal("bad", JsonElement.Parse((await consumer.ReceiveAsync(CancellationToken.None))!.Body.Span).GetProperty("message_id").GetString());
        Assert.Null(await consumer.ReceiveAsync(CancellationToken.None));
    }

    [Fact]
    public async Task What_is_refused_is_told()
    {
        var broker = await fixture.GetAsync();
        using var run = new RabbitMqRun(broker);

        Assert.Equal(RunOutcome.Damaged, (await run.RunAsync(run.Request with { Queue = new() })).Outcome);
        Assert.Equal(RunOutcome.Damaged,
            (await run.RunAsync(run.Request with
            {
                Address = run.Address.Replace($"/{run.Name}", $"/nowhere/{run.Name}", StringComparison.Ordinal),
                Queue = new(),
            })).Outcome);
        var refused = await run.RunAsync(run.Request with { Queue = new() { Username = "guest", Password = new MixpanelSecret("canary-7d02") } });
        Assert.Equal(RunOutcome.NotAllowed, refused.Outcome);
        Assert.DoesNotContain("canary", string.Concat(refused.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_is_away_for_too_long_ends_it_with_5()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());

        var report = await run.RunAsync(run.Request with
        {
            Address = "amqp://127.0.0.1:1/q",
            Records = run.Request.Records with { MaxOutage = TimeSpan.FromSeconds(1) },
        });

        Assert.Equal(RunOutcome.Unavailable, report.Outcome);
    }

    [Fact]
    public async Task A_tracker_publishes_and_what_it_published_is_consumed()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        await using (var queue = new MixpanelQueue(run.Address, [RabbitMqScheme.Instance], new() { Declare = true }))
        await using (var tracker = new MixpanelTracker(run.Options, new TrackerOptions { Queue = queue }))
        {
            for (var i = 0; i < 100; i++) Assert.True(tracker.Track("e", $"u{i}", new System.Text.Json.Nodes.JsonObject { ["n"] = i }));
            await tracker.FlushAsync();
        }

        Assert.Empty(run.Mixpanel.Requests);
        Assert.Equal(100, (await run.RunAsync(run.Request)).Accepted);
        Assert.Equal(Enumerable.Range(0, 100).Select(n => (long)n), run.Numbers.Order());
    }

    [Fact]
    public async Task Everything_arrives_although_the_node_is_killed_and_started_again()
    {
        if (!Broker.IsInstalled) Assert.Skip("RabbitMQ is not installed: apt-get install rabbitmq-server");
        await using var broker = await Broker.StartAsync();
        using var run = new RabbitMqRun(broker);
        await run.PublishAsync(300);
        using (var last = new RabbitMqRun(broker)) await last.PublishAsync(1); // the queue that was declared last may not come back
        var killed = false;
        run.Mixpanel.Script = request =>
        {
            if (!killed && request.Records.Count > 0)
            {
                killed = true;
                broker.Kill(0);
                broker.StartNode(0);
            }

            return null;
        };

        var report = await run.RunAsync(run.Request);

        Assert.Equal(RunOutcome.Complete, report.Outcome);
        Assert.Equal(300, run.Numbers.Count);
        Assert.Equal((300L, 0L), (report.Accepted, report.Lag));
    }

    static byte[] Gzip(string text)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return compressed.ToArray();
    }
}
