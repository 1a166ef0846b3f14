using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Queues;
using MixpanelConnector.Testing;
using MixpanelConnector.Tests.Consume;

namespace MixpanelConnector.Sqlite.Tests;

/// <summary>Messages that a broker does not accept now are stored on disk, and published in order when it does.</summary>
public sealed class QueueOutboxTests : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly RecordedLog _log = new();
    readonly ConcurrentQueue<(QueuedKind Kind, string Body)> _published = new();
    Func<QueuedKind, string, QueueException?> _refuses = (_, _) => null;
    Func<string, bool> _hangs = _ => false;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    QueueOutbox Open(string queue = "events", ITrackerOutbox? outbox = null, bool ordersByKey = false) =>
        new(outbox ?? SqliteOutbox.Open(_folder.Path), queue, ordersByKey, BrokerAsync, ImpatientClock.ForImports(), _log.CreateLogger("q"));

    async Task BrokerAsync(QueuedKind kind, QueueBody body, CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        var text = Encoding.UTF8.GetString(body.Body.Span);
        Assert.Equal(("gzip", $"id of {text}", $"key of {text}"), (body.ContentEncoding, body.Id, body.Key));
        if (_refuses(kind, text) is { } refusal) throw refusal;
        if (_hangs(text)) await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        _published.Enqueue((kind, text));
    }

    static QueueBody Body(string text) => new(Encoding.UTF8.GetBytes(text), "gzip", $"id of {text}") { Key = $"key of {text}" };

    static Task PublishAsync(QueueOutbox outbox, string text, QueuedKind kind = QueuedKind.Profiles, bool isRepeatable = true) =>
        outbox.PublishAsync(kind, Body(text), isRepeatable, Cancelled);

    static async Task UntilEmptyAsync(QueueOutbox outbox)
    {
        while (outbox.Waiting > 0) await Task.Yield();
    }

    static QueueException Fault(QueueFault fault) => new(fault, "No.") { MayHaveArrived = fault is QueueFault.Unavailable };

    IEnumerable<string> Published(QueuedKind kind) => _published.Where(message => message.Kind == kind).Select(message => message.Body);

    [Fact]
    public async Task While_the_broker_takes_messages_nothing_is_kept()
    {
        await using var outbox = Open();

        for (var i = 0; i < 10; i++) await PublishAsync(outbox, $"{i}");

        Assert.Equal(0, outbox.Waiting);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), Published(QueuedKind.Profiles), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(nameof(QueueFault.Unavailable))]
    [InlineData(nameof(QueueFault.Full))]
    public async Task What_is_not_taken_now_is_published_in_its_order_when_it_is(string fault)
    {
        var isAway = true;
        _refuses = (_, _) => Volatile.Read(ref isAway) ? Fault(Enum.Parse<QueueFault>(fault)) : null;
        await using var outbox = Open();

        for (var i = 0; i < 100; i++) await PublishAsync(outbox, $"{i}", (QueuedKind)(i % 3));
        Assert.Equal(100, outbox.Waiting);
        Volatile.Write(ref isAway, false);
        await UntilEmptyAsync(outbox);
        await PublishAsync(outbox, "100", QueuedKind.Profiles);

        foreach (var kind in Enum.GetValues<QueuedKind>())
        {
            var expected = Enumerable.Range(0, 101).Where(i => i == 100 ? kind is QueuedKind.Profiles : (QueuedKind)(i % 3) == kind).Select(i => $"{i}");
            Assert.Equal(kind is QueuedKind.Events ? expected.Order(StringComparer.Ordinal) : expected,
                kind is QueuedKind.Events ? Published(kind).Order(StringComparer.Ordinal) : Published(kind), StringComparer.Ordinal);
        }

        Assert.Contains(_log.From(LogLevel.Warning), line => line.Contains("Messages waiting on this disk", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_next_process_publishes_what_was_left()
    {
        _refuses = (_, _) => Fault(QueueFault.Unavailable);
        await using (var first = Open())
            for (var i = 0; i < 50; i++) await PublishAsync(first, $"{i}");
        Assert.Empty(_published);
        _refuses = (_, _) => null;

        await using var second = Open();
        await UntilEmptyAsync(second);

        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{i}"), Published(QueuedKind.Profiles), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_comes_and_goes_gets_each_message_once_in_order_from_one_who_waits()
    {
        var random = new Random(20261130);
        _refuses = (_, _) =>
        {
            lock (random) return random.Next(3) == 0 ? Fault(random.Next(2) == 0 ? QueueFault.Unavailable : QueueFault.Full) : null;
        };
        await using (var outbox = Open())
        {
            for (var i = 0; i < 500; i++) await PublishAsync(outbox, $"{i}");
            await UntilEmptyAsync(outbox);
        }

        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"{i}"), Published(QueuedKind.Profiles), StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_may_not_be_published_twice_is_never_kept_nor_put_before_others()
    {
        var isAway = true;
        _refuses = (_, _) => Volatile.Read(ref isAway) ? Fault(QueueFault.Unavailable) : null;
        await using var outbox = Open();

        Assert.True((await Assert.ThrowsAsync<QueueException>(() => PublishAsync(outbox, "$add 1", isRepeatable: false))).MayHaveArrived);
        Assert.Equal(0, outbox.Waiting);
        await PublishAsync(outbox, "$set");
        Assert.False((await Assert.ThrowsAsync<QueueException>(() => PublishAsync(outbox, "$add 2", isRepeatable: false))).MayHaveArrived);
        Volatile.Write(ref isAway, false);
        await UntilEmptyAsync(outbox);
        await PublishAsync(outbox, "$add 3", isRepeatable: false);

        Assert.Equal(["$set", "$add 3"], Published(QueuedKind.Profiles), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(nameof(QueueFault.Missing))]
    [InlineData(nameof(QueueFault.Forbidden))]
    [InlineData(nameof(QueueFault.Refused))]
    [InlineData(nameof(QueueFault.Unconfigured))]
    public async Task What_waiting_does_not_mend_is_told_at_once(string fault)
    {
        _refuses = (_, _) => Fault(Enum.Parse<QueueFault>(fault));
        await using var outbox = Open();

        Assert.Equal(fault, $"{(await Assert.ThrowsAsync<QueueException>(() => PublishAsync(outbox, "a"))).Fault}");
        Assert.Equal(0, outbox.Waiting);
    }

    [Theory]
    [InlineData(nameof(QueuedKind.Events))]
    [InlineData(nameof(QueuedKind.Profiles))]
    public async Task A_message_that_the_broker_never_takes_holds_up_no_other_and_is_tried_by_the_next_process(string name)
    {
        var kind = Enum.Parse<QueuedKind>(name);
        var fault = QueueFault.Unavailable;
        _refuses = (_, text) => fault is QueueFault.Unavailable ? Fault(fault) : text.EndsWith('7') && fault is QueueFault.Refused ? Fault(fault) : null;
        await using (var first = Open())
        {
            for (var i = 0; i < 100; i++) await PublishAsync(first, $"{i}", kind);
            fault = QueueFault.Refused;
            await UntilEmptyAsync(first);
            Assert.Equal(90, _published.Count);
            Assert.Equal(10, _log.From(LogLevel.Warning).Count(line => line.Contains("cannot be published", StringComparison.Ordinal)));
        }

        fault = QueueFault.Full; // it refuses none
        await using var second = Open();
        await UntilEmptyAsync(second);

        Assert.Equal(Enumerable.Range(0, 100), Published(kind).Select(text => int.Parse(text, CultureInfo.InvariantCulture)).Order());
    }

    [Fact]
    public async Task A_kind_that_is_not_taken_holds_up_no_other()
    {
        var isAway = true;
        _refuses = (kind, _) => Volatile.Read(ref isAway) || kind is QueuedKind.Groups ? Fault(QueueFault.Full) : null;
        await using var outbox = Open();
        for (var i = 0; i < 400; i++) await PublishAsync(outbox, $"{i}", QueuedKind.Events);
        await PublishAsync(outbox, "group", QueuedKind.Groups);
        Volatile.Write(ref isAway, false);

        while (outbox.Waiting > 1) await Task.Yield();

        Assert.Equal(400, Published(QueuedKind.Events).Count());
        Assert.Empty(Published(QueuedKind.Groups));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_the_order_is_a_persons_one_who_is_refused_holds_up_no_other(bool ordersByKey)
    {
        var isAway = true;
        var refused = "";
        _refuses = (_, text) => Volatile.Read(ref isAway) || text == refused ? Fault(QueueFault.Unavailable) : null;
        await using var outbox = Open(ordersByKey: ordersByKey);
        for (var i = 0; i < 20; i++) await PublishAsync(outbox, $"{i}");
        refused = "7";
        Volatile.Write(ref isAway, false);

        while (_published.Count < (ordersByKey ? 19 : 7)) await Task.Yield();
        refused = "";
        await UntilEmptyAsync(outbox);

        Assert.Equal(20, Published(QueuedKind.Profiles).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(20, _published.Count);
    }

    [Fact]
    public async Task A_stop_publishes_nothing_again_that_was_confirmed()
    {
        _refuses = (_, _) => Fault(QueueFault.Unavailable);
        await using (var first = Open())
            for (var i = 0; i < 8; i++) await PublishAsync(first, $"{i}", QueuedKind.Events);
        _refuses = (_, _) => null;
        _hangs = text => text == "3";
        await using (Open())
            while (_published.Count < 7) await Task.Yield();
        _hangs = _ => false;

        await using (var second = Open()) await UntilEmptyAsync(second);

        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"{i}"), Published(QueuedKind.Events).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_is_damaged_on_the_disk_keeps_nobody_waiting()
    {
        _refuses = (_, _) => Fault(QueueFault.Unavailable);
        await using (var first = Open())
            for (var i = 0; i < 3; i++) await PublishAsync(first, $"{i}");
        await using (var connection =
            new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Directory.GetFiles(_folder.Path, "*.db").Single()};Pooling=False"))
        {
            connection.Open();
            using var damage = connection.CreateCommand();
            damage.CommandText = "UPDATE batches SET content = x'00' WHERE number = 2";
            Assert.Equal(1, damage.ExecuteNonQuery());
        }

        _refuses = (_, _) => null;
        await using var second = Open();
        await UntilEmptyAsync(second);
        await PublishAsync(second, "$add", isRepeatable: false);

        Assert.Equal(["0", "2", "$add"], Published(QueuedKind.Profiles), StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_may_have_arrived_is_told_so_although_it_could_not_be_kept()
    {
        _refuses = (_, _) => Fault(QueueFault.Unavailable);
        using var scripted = new ScriptedOutbox(SqliteOutbox.Open(_folder.Path)) { OnAppend = () => new OutboxException("The disk is full.", mayPass: true) };
        await using var outbox = Open(outbox: scripted);

        Assert.True((await Assert.ThrowsAsync<QueueException>(() => PublishAsync(outbox, "a"))).MayHaveArrived);
    }

    [Fact]
    public async Task Many_at_once_share_a_sync_and_keep_their_order()
    {
        _refuses = (_, _) => Fault(QueueFault.Unavailable);
        await using (var outbox = Open())
        {
            await PublishAsync(outbox, "first"); // those behind it are not tried
            await Task.WhenAll(Enumerable.Range(0, 2000).Select(i => PublishAsync(outbox, $"{i}")));
            Assert.Equal(2001, outbox.Waiting);
        }

        _refuses = (_, _) => null;
        await using (var second = Open()) await UntilEmptyAsync(second);

        Assert.Equal(["first", .. Enumerable.Range(0, 2000).Select(i => $"{i}")], Published(QueuedKind.Profiles), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Messages_of_another_queue_stay()
    {
        _refuses = (_, _) => Fault(QueueFault.Unavailable);
        await using (var other = Open("others")) await PublishAsync(other, "theirs");
        _refuses = (_, _) => null;

        await using (var own = Open())
        {
            await PublishAsync(own, "ours");
            Assert.Equal(0, own.Waiting);
        }

        Assert.Equal(["ours"], Published(QueuedKind.Profiles), StringComparer.Ordinal);
        Assert.Contains(_log.From(LogLevel.Warning), line => line.Contains("a queue other than", StringComparison.Ordinal));
        await using (var other = Open("others")) await UntilEmptyAsync(other);
        Assert.Equal(["ours", "theirs"], Published(QueuedKind.Profiles), StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_a_tracker_took_while_the_broker_was_away_is_published_by_the_next_process()
    {
        var broker = new FakeQueue { RefusesPublishers = () => Fault(QueueFault.Unavailable) };
        var options = new MixpanelOptions { Token = "token", TimeProvider = ImpatientClock.ForImports(), Randomizer = () => 0.5 };
        await using (var queue = new MixpanelQueue(FakeQueue.Address, [broker]))
        await using (var tracker = new MixpanelTracker(options, new() { Queue = queue, Outbox = SqliteOutbox.Open(_folder.Path), StopTimeout = TimeSpan.Zero }))
        {
            for (var i = 0; i < 100; i++) await tracker.TrackAsync("e", $"u{i}", cancellationToken: Cancelled);
            await tracker.Profile("u").SetAsync("plan", "pro", Cancelled);
        }

        Assert.Empty(broker.Published);
        broker.RefusesPublishers = () => null;
        await using (var queue = new MixpanelQueue(FakeQueue.Address, [broker]))
        await using (var tracker = new MixpanelTracker(options, new() { Queue = queue, Outbox = SqliteOutbox.Open(_folder.Path) }))
            await tracker.FlushAsync(Cancelled);

        Assert.Equal(["events", "events.profiles"],
            broker.Published.Select(message => message.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        var people = broker.Published.Where(message => message.Name == "events")
            .SelectMany(message => Lines(message.Body))
            .Select(line => JsonElement.Parse(line).GetProperty("properties").GetProperty("distinct_id").GetString()!);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"u{i}").Order(StringComparer.Ordinal), people.Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    static string[] Lines(QueueBody body)
    {
        using var plain = new StreamReader(new GZipStream(new MemoryStream(body.Body.ToArray()), CompressionMode.Decompress));
        return plain.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Theory, MemberData(nameof(FailingOutboxTests.Names), MemberType = typeof(FailingOutboxTests))]
    public async Task A_disk_that_fails_is_told_and_nothing_hangs(string failure)
    {
        _refuses = (_, _) => Fault(QueueFault.Unavailable);
        using var scripted = new ScriptedOutbox(SqliteOutbox.Open(_folder.Path)) { OnAppend = FailingOutboxTests.Failures[failure] };
        await using var outbox = Open(outbox: scripted);

        await Assert.ThrowsAsync<QueueException>(() => PublishAsync(outbox, "a"));
        scripted.OnAppend = null;
        await PublishAsync(outbox, "b");
        _refuses = (_, _) => null;
        await UntilEmptyAsync(outbox);

        Assert.Equal(["b"], Published(QueuedKind.Profiles), StringComparer.Ordinal);
    }
}
