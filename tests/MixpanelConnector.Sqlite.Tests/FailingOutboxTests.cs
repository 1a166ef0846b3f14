using Microsoft.Extensions.Logging;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Sqlite.Tests;

/// <summary>An outbox that fails, temporarily or permanently, in expected and unexpected ways: nothing stops, and every call returns.</summary>
public sealed class FailingOutboxTests : IDisposable
{
    public static readonly Dictionary<string, Func<Exception>> Failures = new(StringComparer.Ordinal)
    {
        ["in passing"] = () => new OutboxException("The disk is full.", mayPass: true),
        ["unforeseen"] = () => new InvalidOperationException(),
        ["a cancellation that nobody asked for"] = () => new OperationCanceledException(),
    };

    readonly TemporaryFolder _folder = new();
    readonly MixpanelDouble _mixpanel = new();
    readonly RecordedLog _log = new();
    readonly HttpClient _http;
    readonly MixpanelClient _client;
    readonly ScriptedOutbox _outbox;

    public FailingOutboxTests()
    {
        _http = new HttpClient(_mixpanel) { Timeout = Hang.Limit };
        _client = new MixpanelClient(
            new MixpanelOptions
            {
                Token = "0123456789abcdef0123456789abcdef",
                TimeProvider = ImpatientClock.ForImports(),
                Randomizer = () => 0.5,
                AttemptTimeout = TimeSpan.FromHours(2),
                LoggerFactory = _log,
            },
            _http);
        _outbox = new ScriptedOutbox(SqliteOutbox.Open(_folder.Path));
    }

    public void Dispose()
    {
        _client.Dispose();
        _http.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<string> Names => [.. Failures.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task An_append_that_fails_is_seen_by_its_callers_and_the_next_is_made(string failure)
    {
        await using var tracker = Tracker();
        for (var i = 0; i < 5; i++)
        {
            _outbox.OnAppend = Failures[failure];
            await Assert.ThrowsAsync<MixpanelException>(() => tracker.TrackAsync("lost", "u").AsTask());
            _outbox.OnAppend = null;
            await tracker.TrackAsync("kept", "u");
        }

        await tracker.FlushAsync();
        Assert.Equal(5, _mixpanel.Stored.Count);
        Assert.Equal(0, tracker.Pending);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_flush_whose_records_could_not_be_kept_fails_and_those_that_were_are_sent(string failure)
    {
        await using var tracker = Tracker();
        await tracker.TrackAsync("kept", "u");
        _outbox.OnAppend = Failures[failure];
        var (entered, go) = _outbox.HoldAppends();
        tracker.Track("lost", "u");
        entered.Wait(Hang.Limit);
        var flushed = tracker.FlushAsync();
        go();

        await Assert.ThrowsAsync<MixpanelException>(() => flushed);
        Assert.Contains("kept", Assert.Single(_mixpanel.Stored), StringComparison.Ordinal);
        _outbox.OnAppend = null;
        await tracker.FlushAsync();
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_read_that_fails_is_tried_again(string failure)
    {
        await using var tracker = Tracker();
        var left = 2;
        _outbox.OnRead = () => Interlocked.Decrement(ref left) >= 0 ? Failures[failure]() : null!;

        await tracker.TrackAsync("E", "u");
        while (tracker.Pending > 0) await Task.Yield();
        await tracker.FlushAsync();

        Assert.Single(_mixpanel.Stored);
        Assert.Null(tracker.LastError);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task An_outbox_that_cannot_be_read_ends_the_flush_and_goes_on_when_it_can(string failure)
    {
        await using var tracker = Tracker();
        _outbox.OnRead = Failures[failure];
        await tracker.TrackAsync("E", "u");

        await Assert.ThrowsAsync<MixpanelException>(() => tracker.FlushAsync());
        Assert.NotNull(tracker.LastError);
        Assert.Equal(1, tracker.Pending);

        _outbox.OnRead = null;
        while (tracker.LastError is not null || tracker.Pending > 0) await Task.Yield(); // each kind is read by itself
        await tracker.FlushAsync();
        Assert.Single(_mixpanel.Stored);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_removal_that_fails_is_tried_again_and_holds_no_flush_for_ever(string failure)
    {
        await using var tracker = Tracker();
        _outbox.OnRemove = Failures[failure];
        await tracker.TrackAsync("E", "u");
        await tracker.FlushAsync();
        Assert.Single(_mixpanel.Stored);
        Assert.Equal(0, tracker.Pending); // Mixpanel has it

        _outbox.OnRemove = null;
        while (_outbox.Count(TrackedKind.Event).Records > 0) await Task.Yield();
        await tracker.TrackAsync("E", "u");
        await tracker.FlushAsync();
        Assert.Equal(2, _mixpanel.Stored.Count);
        Assert.NotEmpty(_log.From(LogLevel.Error));
    }

    [Fact]
    public async Task After_a_stop_that_gave_up_everything_that_can_be_asked_still_answers()
    {
        _mixpanel.Script = _ => MixpanelDouble.Answer(503, "");
        var tracker = Tracker(new TrackerOptions { StopTimeout = TimeSpan.Zero });
        await tracker.TrackAsync("E", "u");
        tracker.Track("on its way to the disk", "u");

        await tracker.DisposeAsync();
        await tracker.DisposeAsync();

        Assert.Equal(2, tracker.Pending);
        _ = tracker.OldestAge;
        Assert.Contains("stopped", tracker.LastError!.Message, StringComparison.Ordinal);
        Assert.False(tracker.Track("E", "u"));
        await Assert.ThrowsAsync<MixpanelException>(() => tracker.TrackAsync("E", "u").AsTask());
        await Assert.ThrowsAsync<MixpanelException>(() => tracker.FlushAsync());
        using var again = SqliteOutbox.Open(_folder.Path);
        Assert.Equal(2, again.Count(TrackedKind.Event).Records);
    }

    [Fact]
    public async Task An_outbox_that_answers_nothing_any_more_breaks_neither_counts_nor_the_stop()
    {
        var tracker = Tracker(new TrackerOptions { StopTimeout = TimeSpan.Zero });
        _mixpanel.Stalls = _ => true;
        await tracker.TrackAsync("E", "u");
        _outbox.OnCount =
            _outbox.OnRead = _outbox.OnRemove = _outbox.OnAppend = _outbox.OnDispose = () => new OutboxException("The disk is gone.", mayPass: false);

        Assert.Equal(1, tracker.Pending);
        await Assert.ThrowsAsync<MixpanelException>(() => tracker.TrackAsync("E", "u").AsTask());
        await tracker.DisposeAsync();

        Assert.Equal(1, tracker.Pending);
        _outbox.OnDispose = null;
        _outbox.Dispose();
    }

    [Fact]
    public async Task While_the_disk_hangs_everything_that_can_be_asked_answers()
    {
        await using var tracker = Tracker();
        await tracker.TrackAsync("E", "u");
        await tracker.FlushAsync();
        var (entered, go) = _outbox.HoldAppends();
        var kept = tracker.TrackAsync("E", "u").AsTask();
        entered.Wait(Hang.Limit);

        Assert.Equal(1, tracker.Pending);
        _ = tracker.OldestAge;
        Assert.Null(tracker.LastError);
        Assert.True(tracker.Track("E", "u"));
        using var enough = new CancellationTokenSource();
        var given = tracker.TrackAsync("E", "u", enough.Token).AsTask();
        enough.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given);
        Assert.Equal(3, tracker.Pending);

        go();
        await kept;
        await tracker.FlushAsync();
        Assert.Equal(4, _mixpanel.Stored.Count);
    }

    [Fact]
    public async Task An_addition_under_way_at_the_stop_is_told_and_does_not_wait_for_the_next_start()
    {
        _mixpanel.Stalls = _ => true;
        var rejected = new List<RejectedRecord>();
        var tracker = Tracker(new TrackerOptions { StopTimeout = TimeSpan.Zero, OnRejected = rejected.Add, FlushInterval = TimeSpan.FromHours(1) });
        tracker.Profile("u").Set("Plan", "pro");
        await tracker.Profile("u").AddAsync("Logins", 1);
        await tracker.Profile("u").SetAsync("Plan", "free");
        _ = tracker.FlushAsync();
        while (_mixpanel.Requests.Count == 0) await Task.Yield();

        await tracker.DisposeAsync();

        Assert.Equal(("outcome_unknown", true), (Assert.Single(rejected).Code, rejected[0].MaybeDelivered));
        Assert.Equal(2, tracker.Pending);
        _mixpanel.Stalls = _ => false;
        await using var again = new MixpanelTracker(_client,
            new TrackerOptions { Outbox = SqliteOutbox.Open(_folder.Path), StopTimeout = TimeSpan.FromHours(2), Patience = TimeSpan.FromHours(2) });
        await again.FlushAsync();
        Assert.Equal(2, _mixpanel.Stored.Count);
        Assert.All(_mixpanel.Stored, stored => Assert.Contains("$set", stored, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_not_what_was_put_in_is_told_and_holds_nothing_up()
    {
        var rejected = new List<RejectedRecord>();
        _outbox.Append([new OutboxBatch(TrackedKind.Profile, 3, ImpatientClock.Noon, "no records"u8.ToArray())]);
        await using var tracker = Tracker(new TrackerOptions { AdoptUnowned = true, OnRejected = rejected.Add, StopTimeout = TimeSpan.FromHours(2) });
        await tracker.Profile("u").SetAsync("Plan", "pro");

        await tracker.FlushAsync();

        Assert.Equal("damaged", Assert.Single(rejected).Code);
        Assert.Single(_mixpanel.Stored);
        Assert.Equal(0, tracker.Pending);
    }

    MixpanelTracker Tracker(TrackerOptions? options = null) =>
        new(_client, (options ?? new() { StopTimeout = TimeSpan.FromHours(2) }) with { Outbox = _outbox, Patience = TimeSpan.FromHours(2) });
}
