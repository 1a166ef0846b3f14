using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Queues;
using MixpanelConnector.Testing;

namespace MixpanelConnector.RabbitMq.Tests;

/// <summary>Consumers as processes that are killed and stopped. <c>eng/campaign.sh queues</c> sets how often.</summary>
public class ConsumerKillTests(BrokerFixture fixture)
{
    static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable($"CAMPAIGN_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    [Fact]
    public async Task Everything_published_is_accepted_or_a_dead_letter_although_the_consumer_is_killed_again_and_again()
    {
        var broker = await fixture.GetAsync();
        using var run = new RabbitMqRun(broker);
        var kills = Number("QUEUE_KILLS", 6);
        var random = new Random(Number("SEED", 20261129));
        var accepted = new ConcurrentDictionary<long, int>();
        Process? consumer = null;
        var left = 0;
        await using var mixpanel = await RecordingServer.StartAsync(request =>
        {
            var records = request.Json.EnumerateArray().ToList();
            if (records.Count > 0 && Interlocked.Decrement(ref left) == 0) consumer!.Kill(); // before it can know the answer
            foreach (var record in records) accepted.AddOrUpdate(record.GetProperty("properties").GetProperty("n").GetInt64(), 1, (_, times) => times + 1);
            return Answer.Json($$"""{"code":200,"num_records_imported":{{records.Count}},"status":"OK"}""");
        });

        var published = 0;
        for (var kill = 0; kill < kills; kill++)
        {
            await PublishAsync(40);
            left = random.Next(1, 4);
            consumer = Consumer.Start(mixpanel.Address, run.Address, run.Folder.Path, "--batch-events", "20", "--senders", "2");
            await consumer.EndAsync();
            consumer.Dispose();
        }

        left = 0;
        using var last = Consumer.Start(mixpanel.Address, run.Address, run.Folder.Path, "--until-empty");
        var (exitCode, output, error) = await last.EndAsync();

        Assert.True(exitCode is 0 or 3, error);
        Assert.Equal(0, JsonElement.Parse(output).GetProperty("lag").GetInt64());
        Assert.Equal(Enumerable.Range(0, published).Where(n => n % 10 != 9).Select(n => (long)n), accepted.Keys.Order());
        Assert.Equal(
            Enumerable.Range(0, published).Where(n => n % 10 == 9).Select(n => $"m{n / 4}"),
            File.ReadAllLines(run.DeadLetterPath)
                .Select(line => JsonElement.Parse(line))
                .Select(letter => (Id: letter.GetProperty("message_id").GetString()!, Line: letter.GetProperty("line").GetInt64())).Distinct()
                .Select(letter => letter.Id)
                .OrderBy(id => int.Parse(id[1..], CultureInfo.InvariantCulture)),
            StringComparer.Ordinal);
        Assert.Equal(0, await broker.DepthAsync($"{run.Name}.dead"));

        // Every tenth record is invalid.
        async Task PublishAsync(int messages)
        {
            var from = published;
            published += 4 * messages;
            await run.PublishAsync(Enumerable.Range(from / 4, messages)
                .Select(m => ($"m{m}",
                    Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(4 * m, 4).Select(n => (n % 10 == 9 ? "no record" : RabbitMqRun.Event(n)) + "\n"))),
                    default(string))));
        }
    }

    [Fact]
    public async Task Nothing_is_added_twice_although_the_consumer_is_killed()
    {
        var broker = await fixture.GetAsync();
        using var run = new RabbitMqRun(broker);
        var added = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        Process? consumer = null;
        var left = 0;
        await using var mixpanel = await RecordingServer.StartAsync(request =>
        {
            var records = request.Json.EnumerateArray().ToList();
            foreach (var record in records) added.AddOrUpdate(record.GetProperty("$distinct_id").GetString()!, 1, (_, times) => times + 1);
            if (records.Count > 0 && Interlocked.Decrement(ref left) == 0) consumer!.Kill(); // it took effect, and nobody knows
            return Answer.Json("""{"status":1,"error":null}""");
        });
        await run.PublishAsync(Enumerable.Range(0, 100)
            .Select(i => ($"m{i}", Encoding.UTF8.GetBytes($$$"""{"$distinct_id":"u{{{i}}}","$add":{"n":1}}"""), default(string))));

        for (var kill = 0; kill < Number("QUEUE_KILLS", 3) / 2 + 1; kill++)
        {
            left = 2;
            consumer = Consumer.Start(mixpanel.Address, run.Address, run.Folder.Path, "--type", "profiles", "--until-empty");
            await consumer.EndAsync();
            consumer.Dispose();
        }

        left = 0;
        using var last = Consumer.Start(mixpanel.Address, run.Address, run.Folder.Path, "--type", "profiles", "--until-empty");
        Assert.True((await last.EndAsync()).ExitCode is 0 or 3);

        var letters = File.Exists(run.DeadLetterPath) ? File.ReadAllLines(run.DeadLetterPath).Select(line => JsonElement.Parse(line)).ToList() : [];
        Assert.All(added.Values, times => Assert.Equal(1, times));
        Assert.All(letters, letter => Assert.True(letter.GetProperty("maybe_delivered").GetBoolean()));
        Assert.Equal(100,
            added.Keys.Union(letters.Select(letter => letter.GetProperty("raw").GetProperty("$distinct_id").GetString()!), StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task SIGTERM_settles_what_was_answered_and_gives_back_the_rest()
    {
        var broker = await fixture.GetAsync();
        using var run = new RabbitMqRun(broker);
        var accepted = new ConcurrentDictionary<long, int>();
        Process? consumer = null;
        var left = 5;
        await using var mixpanel = await RecordingServer.StartAsync(request =>
        {
            var records = request.Json.EnumerateArray().ToList();
            if (records.Count > 0 && Interlocked.Decrement(ref left) == 0) Assert.Equal(0, Signal(consumer!.Id, 15));
            foreach (var record in records) accepted.AddOrUpdate(record.GetProperty("properties").GetProperty("n").GetInt64(), 1, (_, times) => times + 1);
            return Answer.Json($$"""{"code":200,"num_records_imported":{{records.Count}},"status":"OK"}""");
        });
        await run.PublishAsync(3000);

        consumer = Consumer.Start(mixpanel.Address, run.Address, run.Folder.Path, "--batch-events", "20");
        var (exitCode, output, error) = await consumer.EndAsync();
        consumer.Dispose();

        Assert.True(exitCode == 143, error);
        var report = JsonElement.Parse(output);
        Assert.Equal(accepted.Count, report.GetProperty("messages").GetInt64());
        Assert.Equal(3000 - accepted.Count, report.GetProperty("lag").GetInt64());
        left = 0;
        using var rest = Consumer.Start(mixpanel.Address, run.Address, run.Folder.Path, "--until-empty");
        Assert.Equal(0, (await rest.EndAsync()).ExitCode);
        Assert.Equal(3000, accepted.Count);
        Assert.All(accepted.Values, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task A_cluster_loses_nothing_when_its_leader_is_killed_or_freezes()
    {
        if (!Broker.IsInstalled) Assert.Skip("RabbitMQ is not installed: apt-get install rabbitmq-server");
        var rounds = Number("QUEUE_LEADERS", 0);
        if (rounds == 0) Assert.Skip("Three nodes take minutes: part of bash eng/campaign.sh queues");
        await using var broker = await Broker.StartAsync(nodes: 3);
        using var run = new RabbitMqRun(broker);
        await using var publishing = new MixpanelQueue(run.Address, [RabbitMqScheme.Instance], new() { Declare = true, Timeout = TimeSpan.FromSeconds(10) });
        using var stop = new CancellationTokenSource();
        await PublishAsync(0);
        using (var last = new RabbitMqRun(broker)) await last.PublishAsync(1); // the queue that was declared last may not come back
        var consuming = run.RunAsync(run.Request with { UntilEmpty = false, ConsumerTimeout = TimeSpan.FromMinutes(30) }, stop.Token);

        var published = 1;
        for (var round = 0; round < rounds; round++)
        {
            var leader = await broker.LeaderAsync(run.Name);
            if (round % 3 == 2) Assert.Equal(0, Signal(broker.ProcessOf(leader), 19)); // SIGSTOP
            else broker.Kill(leader);
            for (var until = published + 100; published < until; published++) await PublishAsync(published);
            if (round % 3 == 2) Assert.Equal(0, Signal(broker.ProcessOf(leader), 18)); // SIGCONT
            else broker.StartNode(leader);
            await broker.WaitAsync(leader);
        }

        await stop.CancelAsync();
        var report = await consuming;
        var rest = await run.RunAsync(run.Request);

        Assert.Equal((RunOutcome.Stopped, RunOutcome.Complete), (report.Outcome, rest.Outcome));
        Assert.Equal(0, rest.Lag);
        Assert.Equal(Enumerable.Range(0, published).Select(n => (long)n), run.Numbers.Order());

        // Retry until it is confirmed: an unconfirmed one may have been stored.
        async Task PublishAsync(int number)
        {
            while (true)
            {
                try
                {
                    await publishing.PublishAsync(QueuedKind.Events, new QueueBody(Encoding.UTF8.GetBytes(RabbitMqRun.Event(number)), null, $"m{number}"),
                        isRepeatable: true, CancellationToken.None);
                    return;
                }
                catch (QueueException e) when (e.Fault is QueueFault.Unavailable or QueueFault.Full)
                {
                    // It is available again when another node is the leader.
                }
            }
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Signal(int process, int signal);
}
