using System.Text.Json;
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
        using var http = new HttpClient(mixpanel);
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
    public async Task Many_who_wait_share_a_transaction_and_nothing_is_lost()
    {
        var mixpanel = new MixpanelDouble();
        using var http = new HttpClient(mixpanel);
        using var client = Client(http);
        var outbox = new CountingOutbox(SqliteOutbox.Open(_folder.Path));
        await using var tracker = Tracker(client, outbox);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++) await tracker.TrackAsync("E", "u", new { Number = (writer * 40) + i });
        })));
        await tracker.FlushAsync();

        Assert.Equal(Enumerable.Range(0, 2000), Numbers(mixpanel));
        Assert.InRange(outbox.Appends, 40, 1000);
        Assert.Equal(0, tracker.Pending);
    }

    [Fact]
    public async Task Every_refusal_of_a_full_outbox_is_seen_by_its_caller()
    {
        var (mixpanel, up) = (new MixpanelDouble(), false);
        mixpanel.Script = _ => Volatile.Read(ref up) ? null : MixpanelDouble.Answer(503, "");
        using var http = new HttpClient(mixpanel);
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
        using var http = new HttpClient(mixpanel);
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
        Assert.Contains("sync", tracker.Trouble!.Message, StringComparison.Ordinal);
    }

    static readonly TrackerOptions StopAtOnce = new() { StopTimeout = TimeSpan.Zero };

    static MixpanelClient Client(HttpClient http) => new(new MixpanelOptions { Token = "0123456789abcdef0123456789abcdef", TimeProvider = ImpatientClock.ForImports(), Randomizer = () => 0.5, AttemptTimeout = TimeSpan.FromHours(2) }, http);

    static MixpanelTracker Tracker(MixpanelClient client, ITrackerOutbox outbox, TrackerOptions? options = null) =>
        new(client, (options ?? new() { StopTimeout = TimeSpan.FromHours(2) }) with { Outbox = outbox });

    static List<int> Numbers(MixpanelDouble mixpanel) =>
        [.. mixpanel.Stored.Select(record => JsonElement.Parse(record)).Where(record => record.TryGetProperty("event", out _)).Select(record => record.GetProperty("properties").GetProperty("Number").GetInt32()).Order()];

    sealed class CountingOutbox(ITrackerOutbox inner) : ITrackerOutbox
    {
        public int Appends { get; private set; }

        public OutboxException? Failure { get; set; }

        public long Quarantined => inner.Quarantined;

        public long LastNumber => inner.LastNumber;

        public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches)
        {
            if (Failure is { } failure) throw failure;
            Appends++;
            return inner.Append(batches);
        }

        public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records) => inner.Read(kind, after, records);

        public void Remove(IReadOnlyList<long> numbers) => inner.Remove(numbers);

        public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind) => inner.Count(kind);

        public void Dispose() => inner.Dispose();
    }
}
