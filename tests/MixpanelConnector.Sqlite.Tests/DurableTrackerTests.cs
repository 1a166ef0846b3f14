using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Sqlite.Tests;

public sealed class DurableTrackerTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_tracked_in_an_outage_arrives_after_a_restart_with_its_ids()
    {
        var (mixpanel, up) = (new MixpanelDouble(), false);
        mixpanel.Script = _ => Volatile.Read(ref up) ? null : MixpanelDouble.Answer(503, "");
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = Client(http);
        await using (var tracker = Tracker(client, SqliteOutbox.Open(_folder.Path), StopAtOnce))
        {
            for (var i = 0; i < 50; i++) await tracker.TrackAsync("E", "u", new { Number = i });
            await tracker.Profile("u").SetAsync("Plan", "pro");
            Assert.Equal(51, tracker.Pending);
        }

        var tried = mixpanel.Requests.SelectMany(request => request.Records).Distinct(StringComparer.Ordinal).ToList();
        Assert.Empty(mixpanel.Stored);
        Volatile.Write(ref up, true);
        await using (var tracker = Tracker(client, SqliteOutbox.Open(_folder.Path)))
        {
            await tracker.FlushAsync();
            Assert.Equal(0, tracker.Pending);
        }

        Assert.Equal(51, mixpanel.Stored.Count);
        Assert.Subset(mixpanel.Stored.ToHashSet(StringComparer.Ordinal), tried.ToHashSet(StringComparer.Ordinal)); // the same bytes
        Assert.Equal(Enumerable.Range(0, 50), Numbers(mixpanel));
        using var empty = SqliteOutbox.Open(_folder.Path);
        Assert.Equal(0, empty.LastNumber);
    }

    [Fact]
    public async Task An_outbox_belongs_to_one_tracker_until_that_ends()
    {
        var mixpanel = new MixpanelDouble();
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = Client(http);
        using var outbox = new Reusable(SqliteOutbox.Open(_folder.Path));
        await using (var tracker = Tracker(client, outbox))
        {
            var refused = Assert.Throws<MixpanelException>(() => Tracker(client, outbox));
            Assert.Equal("outbox", refused.Error.Field);
            Assert.Contains("open one for each", refused.Message, StringComparison.Ordinal);
            await tracker.TrackAsync("E", "u"); // not disturbed
            await tracker.FlushAsync();
        }

        await using (var next = Tracker(client, outbox)) await next.TrackAsync("E", "u");
        Assert.Equal(2, mixpanel.Stored.Count);
    }

    /// <summary>An outbox that a tracker does not close.</summary>
    sealed class Reusable(SqliteOutbox inner) : ITrackerOutbox
    {
        public long Quarantined => inner.Quarantined;

        public long LastNumber => inner.LastNumber;

        public long Claim(Func<OutboxBatch, bool> isOwn) => inner.Claim(isOwn);

        public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches) => inner.Append(batches);

        public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records) => inner.Read(kind, after, records);

        public void Remove(IReadOnlyList<long> numbers) => inner.Remove(numbers);

        public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind) => inner.Count(kind);

        public void Dispose()
        {
            if (IsLastUse) inner.Dispose();
            IsLastUse = true;
        }

        bool IsLastUse { get; set; }
    }

    [Fact]
    public async Task What_is_taken_out_of_records_is_never_on_the_disk()
    {
        var mixpanel = new MixpanelDouble { Script = _ => MixpanelDouble.Answer(503, "") };
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = Client(http);
        var options = StopAtOnce with
        {
            BeforeSend = [record => record.Name == "fail" ? throw new InvalidDataException() : record.Properties.Remove("hooked") && record.Name != "drop"],
            Redaction = new() { Names = ["password"], EmailAddresses = true },
            IsOptedOut = user => user.DistinctId == "eve",
        };
        await using (var tracker = Tracker(client, SqliteOutbox.Open(_folder.Path), options))
        {
            for (var i = 0; i < 20; i++)
            {
                await tracker.TrackAsync("E", "u", new { Number = i, hooked = "4711", password = "4711", note = "mail 4711@example.com" });
                await tracker.TrackAsync("drop", "u", new { Number = i, hooked = "4711" });
                await tracker.TrackAsync("E", "eve", new { Number = i, hooked = "x", more = "4711" });
                await Assert.ThrowsAsync<MixpanelException>(() => tracker.TrackAsync("fail", "u", new { more = "4711" }).AsTask());
                await tracker.Profile("u").SetAsync(new { hooked = "4711", password = "4711", kept = 1 });
            }

            Assert.Equal(40, tracker.Pending);
            foreach (var file in Directory.GetFiles(_folder.Path, "*.db*"))
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                var content = new byte[stream.Length];
                stream.ReadExactly(content);
                Assert.Equal(-1, content.AsSpan().IndexOf("4711"u8));
            }
        }

        Assert.All(mixpanel.Requests, request => Assert.Equal(-1, request.Body.AsSpan().IndexOf("4711"u8)));
    }

    [Fact]
    public async Task Many_who_wait_share_a_transaction()
    {
        var mixpanel = new MixpanelDouble();
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = Client(http);
        using var called = new CountdownEvent(50);
        var outbox = new CountingOutbox(SqliteOutbox.Open(_folder.Path)) { BeforeAppend = () => Assert.True(called.Wait(Hang.Limit)) };
        await using var tracker = Tracker(client, outbox);

        await Task.WhenAll(Enumerable.Range(0, called.InitialCount).Select(number => Task.Run(async () =>
        {
            var safe = tracker.TrackAsync("E", "u", new { Number = number });
            called.Signal();
            await safe;
        })));

        Assert.InRange(outbox.Appends, 1, 2); // of the first one or more, and of all others
    }

    [Fact]
    public async Task Of_many_who_wait_none_loses_anything()
    {
        var mixpanel = new MixpanelDouble();
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = Client(http);
        await using var tracker = Tracker(client, SqliteOutbox.Open(_folder.Path));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++) await tracker.TrackAsync("E", "u", new { Number = (writer * 40) + i });
        })));
        await tracker.FlushAsync();

        Assert.Equal(Enumerable.Range(0, 2000), Numbers(mixpanel));
        Assert.Equal(0, tracker.Pending);
    }

    [Fact]
    public async Task Every_refusal_of_a_full_outbox_is_seen_by_its_caller()
    {
        var (mixpanel, up) = (new MixpanelDouble(), false);
        mixpanel.Script = _ => Volatile.Read(ref up) ? null : MixpanelDouble.Answer(503, "");
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = Client(http);
        await using var tracker = Tracker(client, SqliteOutbox.Open(_folder.Path, 2 << 20));
        var accepted = new List<int>();
        var refused = 0;
        for (var i = 0; refused < 20; i++)
        {
            try
            {
                await tracker.TrackAsync("E", "u", new { Number = i, Text = new string('x', 20_000) });
                accepted.Add(i);
            }
            catch (MixpanelException e)
            {
                Assert.Contains("full", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Volatile.Write(ref up, true);
        await tracker.FlushAsync();
        Assert.Equal(accepted, Numbers(mixpanel));
        await tracker.TrackAsync("E", "u", new { Number = -1 });
        await tracker.FlushAsync();
        Assert.Equal(-1, Numbers(mixpanel)[0]);
    }

    [Fact]
    public async Task After_a_disk_that_does_not_sync_nothing_is_promised_any_more()
    {
        var mixpanel = new MixpanelDouble();
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = Client(http);
        var outbox = new CountingOutbox(SqliteOutbox.Open(_folder.Path));
        await using var tracker = Tracker(client, outbox, StopAtOnce);
        await tracker.TrackAsync("E", "u", new { Number = 1 });
        outbox.Failure = new OutboxException("The disk does not sync.", mayPass: false);

        var failed = await Assert.ThrowsAsync<MixpanelException>(() => tracker.TrackAsync("E", "u", new { Number = 2 }).AsTask());
        outbox.Failure = null;
        await Assert.ThrowsAsync<MixpanelException>(() => tracker.TrackAsync("E", "u", new { Number = 3 }).AsTask());

        Assert.Contains("sync", failed.Message, StringComparison.Ordinal);
        Assert.False(tracker.Track("E", "u"));
        Assert.Contains("sync", tracker.LastError!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_its_file_turns_to_garbage_in_use_every_call_ends_and_the_next_start_sends_what_can_be_read()
    {
        var (mixpanel, up) = (new MixpanelDouble(), false);
        mixpanel.Script = _ => Volatile.Read(ref up) ? null : MixpanelDouble.Answer(503, "");
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = Client(http);
        await using (var tracker = Tracker(client, SqliteOutbox.Open(_folder.Path), StopAtOnce with { BatchRecords = 1, Senders = 1 }))
        {
            for (var i = 0; i < 12; i++)
                await tracker.TrackAsync("E", "u", new { Number = i, Text = new string('x', 600_000) }); // more than SQLite keeps in memory
            Spoil("outbox-1.db-wal");
            Spoil("outbox-1.db");
            Volatile.Write(ref up, true);

            var failed = await Assert.ThrowsAsync<MixpanelException>(() => tracker.FlushAsync());

            Assert.Contains("outbox-1.db is damaged", failed.Message, StringComparison.Ordinal);
            Assert.Contains("damaged", tracker.LastError!.Message, StringComparison.Ordinal);
            Assert.False(tracker.Track("E", "u"));
            await Assert.ThrowsAsync<MixpanelException>(() => tracker.TrackAsync("E", "u").AsTask());
        }

        await using (var tracker = Tracker(client, SqliteOutbox.Open(_folder.Path)))
        {
            await tracker.TrackAsync("E", "u", new { Number = 12 });
            await tracker.FlushAsync();
        }

        Assert.Subset(Enumerable.Range(0, 13).ToHashSet(), Numbers(mixpanel).ToHashSet());
        Assert.Contains(12, Numbers(mixpanel));
        Assert.NotEmpty(Directory.GetFiles(_folder.Path, "*.corrupt-*"));

        void Spoil(string name)
        {
            using var file = new FileStream(_folder.File(name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            var page = new byte[4096];
            new Random(7).NextBytes(page);
            for (file.Position = 8192; file.Position < file.Length;) file.Write(page);
        }
    }

    [Fact]
    public async Task A_stop_without_time_says_what_stays_and_what_is_lost()
    {
        var mixpanel = new MixpanelDouble { Stalls = _ => true };
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        var log = new RecordedLog();
        using var client = new MixpanelClient(Options with { LoggerFactory = log, TimeProvider = new FakeTimeProvider(ImpatientClock.Noon) },
            http); // a clock that stands: no answer is late
        await using (var durable = Tracker(client, SqliteOutbox.Open(_folder.Path)))
        {
            for (var i = 0; i < 10; i++) durable.Track("E", "u");
            await durable.StopAsync(new CancellationToken(canceled: true));
        }

        await using (var inMemory = new MixpanelTracker(client, new TrackerOptions { FlushInterval = TimeSpan.FromHours(1) }))
        {
            for (var i = 0; i < 10; i++) inMemory.Track("E", "u");
            await inMemory.StopAsync(new CancellationToken(canceled: true));
        }

        Assert.Equal(["Error: 10 tracked records were not accepted in time and are lost"], log.From(LogLevel.Warning), StringComparer.Ordinal);
        Assert.Contains("Information: 10 tracked records stay in the outbox for the next start", log.From(LogLevel.Information), StringComparer.Ordinal);
        using var outbox = SqliteOutbox.Open(_folder.Path);
        Assert.Equal(10, outbox.Count(TrackedKind.Event).Records);
    }

    [Fact]
    public async Task After_the_stop_health_and_gauges_still_answer()
    {
        var services = new ServiceCollection();
        services.AddMixpanel(settings => (settings.Token, settings.Endpoint,
            settings.StopTimeout) = (Options.Token, new Uri("http://127.0.0.1:9"), TimeSpan.Zero))
            .UseSqliteOutbox(_folder.Path);
        services.AddHealthChecks().AddMixpanel();
        services.AddLogging();
        await using var provider = services.BuildServiceProvider();
        var tracker = provider.GetRequiredService<MixpanelTracker>();
        await tracker.TrackAsync("E", "u");
        using var gauges = new MeterListener
        {
            InstrumentPublished = (instrument, listener) => { if (instrument.Meter.Name == "MixpanelConnector") listener.EnableMeasurementEvents(instrument); },
        };
        gauges.SetMeasurementEventCallback<long>((_, _, _, _) => { });
        gauges.SetMeasurementEventCallback<double>((_, _, _, _) => { });
        gauges.Start();

        await tracker.DisposeAsync();

        gauges.RecordObservableInstruments();
        var report = (await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["mixpanel"];
        Assert.Equal((HealthStatus.Unhealthy, 1L), (report.Status, report.Data["pending"]));
        Assert.Contains("stopped", report.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_is_put_back_makes_no_age_negative_and_holds_nothing_up()
    {
        var mixpanel = new MixpanelDouble();
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        var clock = new JumpyClock();
        using var client = new MixpanelClient(Options with { TimeProvider = clock }, http);
        await using var tracker = Tracker(client, SqliteOutbox.Open(_folder.Path));
        foreach (var days in (int[])[1, -1])
        {
            clock.Jump = TimeSpan.FromDays(days);
            await tracker.TrackAsync("E", "u", new { Number = days });
            Assert.InRange(tracker.OldestAge, TimeSpan.Zero, TimeSpan.FromDays(2.5));
        }

        await tracker.FlushAsync();
        Assert.Equal([-1, 1], Numbers(mixpanel));
    }

    static readonly MixpanelOptions Options = new()
    {
        Token = "0123456789abcdef0123456789abcdef",
        TimeProvider = ImpatientClock.ForImports(),
        Randomizer = () => 0.5,
        AttemptTimeout = TimeSpan.FromHours(2),
    };

    static readonly TrackerOptions StopAtOnce = new() { StopTimeout = TimeSpan.Zero };

    static MixpanelClient Client(HttpClient http) => new(Options, http);

    static MixpanelTracker Tracker(MixpanelClient client, ITrackerOutbox outbox, TrackerOptions? options = null) =>
        new(client, (options ?? new() { StopTimeout = TimeSpan.FromHours(2) }) with { Outbox = outbox });

    static List<int> Numbers(MixpanelDouble mixpanel) =>
        [
            .. mixpanel.Stored.Select(record => JsonElement.Parse(record))
                .Where(record => record.TryGetProperty("event", out _))
                .Select(record => record.GetProperty("properties").GetProperty("Number").GetInt32()).Order(),
        ];

    sealed class JumpyClock : TimeProvider
    {
        public TimeSpan Jump { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Jump;
    }

    sealed class CountingOutbox(ITrackerOutbox inner) : ITrackerOutbox
    {
        public int Appends { get; private set; }

        public OutboxException? Failure { get; set; }

        public Action BeforeAppend { get; init; } = static () => { };

        public long Quarantined => inner.Quarantined;

        public long LastNumber => inner.LastNumber;

        public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches)
        {
            if (Failure is { } failure) throw failure;
            BeforeAppend();
            Appends++;
            return inner.Append(batches);
        }

        public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records) => inner.Read(kind, after, records);

        public void Remove(IReadOnlyList<long> numbers) => inner.Remove(numbers);

        public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind) => inner.Count(kind);

        public void Dispose() => inner.Dispose();
    }
}
