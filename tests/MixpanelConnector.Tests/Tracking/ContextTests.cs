using System.Text.Json.Nodes;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>Times and groups as arguments.</summary>
public sealed class ContextTests
{
    static readonly DateTimeOffset At = new(2026, 10, 31, 3, 2, 1, 500, TimeSpan.FromHours(2));

    [Fact]
    public async Task Time_and_groups_go_with_every_way_to_track()
    {
        await using var run = new TrackerRun();
        var tracker = run.Tracker.At(At).InGroup("company", "acme").InGroup("team", "red", "blue");

        tracker.Track("E", "ada");
        tracker.Track("E", "ada", new { a = 1 });
        await tracker.TrackAsync("E", "ada", new JsonObject { ["a"] = 1 }, TestContext.Current.CancellationToken);
        await tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(3, run.Stored.Count);
        Assert.All(run.Stored.Select(record => record.GetProperty("properties")), properties => Assert.Equal(
            (At.ToUnixTimeMilliseconds(), "acme", """["red","blue"]"""),
            (properties.GetProperty("time").GetInt64(), properties.GetProperty("company").GetString(), properties.GetProperty("team").GetRawText())));
    }

    [Fact]
    public async Task What_an_event_says_of_its_own_stands_and_a_scope_is_outdone()
    {
        await using var run = new TrackerRun(new TrackerOptions { SuperProperties = new() { ["company"] = "super" } });
        using var scope =
            MixpanelScope.Begin(properties: new Dictionary<string, object?>(StringComparer.Ordinal) { ["company"] = "scope", ["team"] = "scope" });

        run.Tracker.At(At).InGroup("company", "acme").Track("E", "ada", new { time = 1795435200, company = "own" });
        run.Tracker.InGroup("company", "acme").Track("E", "ada");
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["own scope", "acme scope"],
            run.Stored.Select(record => $"{record.GetProperty("properties").GetProperty("company")} {record.GetProperty("properties").GetProperty("team")}"),
            StringComparer.Ordinal);
        Assert.Equal(1795435200, run.Stored[0].GetProperty("properties").GetProperty("time").GetInt64());
    }

    [Fact]
    public async Task A_tracker_of_a_group_is_kept_and_shared_and_changes_no_other()
    {
        await using var run = new TrackerRun();
        var acme = run.Tracker.InGroup("company", "acme");
        var late = acme.At(At);

        Parallel.For(0, 500, i => (i % 2 == 0 ? acme : late).Track("E", $"u{i}"));
        run.Tracker.Track("plain", "ada");
        acme.Profile("ada").Set("a", 1);
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        var events = run.Stored.Where(record => record.TryGetProperty("event", out _))
            .ToLookup(record => record.GetProperty("event").GetString(), StringComparer.Ordinal);
        Assert.All(events["E"], record => Assert.Equal("acme", record.GetProperty("properties").GetProperty("company").GetString()));
        Assert.Equal(250, events["E"].Count(record => record.GetProperty("properties").GetProperty("time").GetInt64() == At.ToUnixTimeMilliseconds()));
        Assert.False(events["plain"].Single().GetProperty("properties").TryGetProperty("company", out _));
        Assert.DoesNotContain("acme", run.Stored.Single(record => record.TryGetProperty("$set", out _)).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_tracker_and_one_of_the_applications_own_see_them()
    {
        var recording = new RecordingTracker();
        recording.At(At).InGroup("company", "acme").Track("E", "ada", new { a = 1 });
        recording.At(At).Profile("ada").Set("a", 1);

        Assert.Equal((At, """{"a":1,"company":"acme"}"""), (recording.Records[0].Time, recording.Records[0].Properties.ToJsonString()));
        Assert.Null(recording.Records[1].Time);

        var own = new OwnTracker();
        own.At(At).InGroup("company", "acme").Track("E", "ada");
        Assert.Equal($"{At:O} {{\"company\":\"acme\"}}", own.Seen);
    }

    [Fact]
    public void A_group_must_be_one()
    {
        var tracker = new RecordingTracker();
        Assert.Throws<ArgumentException>(() => tracker.InGroup("", "acme"));
        Assert.Throws<ArgumentException>(() => tracker.InGroup("company"));
        Assert.Throws<ArgumentException>(() => tracker.InGroup("company", "acme", ""));
    }

    sealed class OwnTracker : IMixpanelTracker
    {
        public string? Seen { get; private set; }

        public bool Enqueue(in TrackedRecord record)
        {
            Seen = $"{record.Time:O} {record.ToJson()!.ToJsonString()}";
            return true;
        }

        public ValueTask EnqueueAsync(TrackedRecord record, CancellationToken cancellationToken = default) => default;

        public Task FlushAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
    }
}
