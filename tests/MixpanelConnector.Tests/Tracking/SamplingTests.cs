using System.Text.Json.Nodes;

namespace MixpanelConnector.Tests.Tracking;

public sealed class SamplingTests
{
    static readonly Dictionary<string, double> Rates = new(StringComparer.Ordinal) { ["few"] = 0.1, ["half"] = 0.5, ["none"] = 0, ["all"] = 1 };

    [Fact]
    public void A_person_is_in_or_out_as_a_whole_and_in_at_every_higher_rate()
    {
        var tracker = New();
        for (var i = 0; i < 4000; i++)
            foreach (var name in (string[])["few", "half", "none", "all", "unnamed"])
                for (var again = 0; again < 2; again++) Assert.True(tracker.Track(name, $"user-{i}"));

        var people = tracker.Events.GroupBy(e => e.Name, e => e.User.DistinctId, StringComparer.Ordinal)
            .ToDictionary(of => of.Key, of => of.CountBy(id => id, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.All(people.Values.SelectMany(of => of.Values), times => Assert.Equal(2, times));
        Assert.InRange(people["few"].Count, 340, 460);
        Assert.InRange(people["half"].Count, 1880, 2120);
        Assert.Equal((4000, 4000), (people["all"].Count, people["unnamed"].Count));
        Assert.False(people.ContainsKey("none"));
        Assert.Subset(people["half"].Keys.ToHashSet(StringComparer.Ordinal), people["few"].Keys.ToHashSet(StringComparer.Ordinal));
    }

    [Fact]
    public void The_sample_is_the_same_in_every_process() =>
        Assert.Equal("0 1 3 7 8 9 11 12 14 18",
            string.Join(' ', InOf("half", Enumerable.Range(0, 20).Select(i => MixpanelUser.FromDistinctId($"{i}")), user => user.DistinctId)));

    [Fact]
    public void A_person_stays_whole_at_the_sign_in()
    {
        var tracker = New();
        for (var i = 0; i < 500; i++)
        {
            tracker.Track("half", MixpanelUser.Anonymous($"device-{i}"));
            tracker.Track("half", $"$device:device-{i}");
            tracker.Track("half", MixpanelUser.Identified($"user-{i}", $"device-{i}"));
            tracker.Track("half", MixpanelUser.None, new JsonObject { ["distinct_id"] = $"user-{i}", ["$device_id"] = $"device-{i}" });
        }

        Assert.Equal(0, tracker.Events.Count % 4);
        Assert.InRange(tracker.Events.Count, 800, 1200);
        Assert.All(tracker.Events.Chunk(4), of => Assert.Equal(2, of.Select(e => e.User.DistinctId).Distinct(StringComparer.Ordinal).Count()));
    }

    [Fact]
    public void The_application_can_say_what_is_a_person()
    {
        var tracker = New(user => user.UserId is { } id ? id : null);
        for (var i = 0; i < 200; i++)
        {
            tracker.Track("half", MixpanelUser.Identified($"user-{i}", "phone"));
            tracker.Track("half", MixpanelUser.Identified($"user-{i}", "desk"));
        }

        Assert.All(tracker.Events.CountBy(e => e.User.DistinctId, StringComparer.Ordinal), of => Assert.Equal(2, of.Value));
        Assert.InRange(tracker.Events.Count, 140, 260);
    }

    [Fact]
    public void Events_of_nobody_are_decided_on_one_by_one()
    {
        var tracker = New();
        for (var i = 0; i < 1000; i++) tracker.Track("half", MixpanelUser.None);

        Assert.InRange(tracker.Events.Count, 400, 600);
    }

    [Fact]
    public async Task A_tracker_decides_as_a_recording_one_and_sends_all_updates()
    {
        await using var run = new TrackerRun(new TrackerOptions { SampleRates = Rates });
        for (var i = 0; i < 100; i++)
        {
            Assert.True(run.Tracker.Track("half", $"user-{i}"));
            await run.Tracker.TrackAsync("half", $"user-{i}", TestContext.Current.CancellationToken);
            Assert.True(run.Tracker.Profile($"user-{i}").Set("a", 1));
        }

        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        var expected = InOf("half", Enumerable.Range(0, 100).Select(i => MixpanelUser.FromDistinctId($"user-{i}")), user => user.DistinctId);
        Assert.Equal(expected.SelectMany(id => (string[])[id, id]),
            run.Stored.Where(record => record.TryGetProperty("event", out _))
                .Select(record => record.GetProperty("properties").GetProperty("distinct_id").GetString()!),
            StringComparer.Ordinal);
        Assert.Equal(100, run.Stored.Count(record => record.TryGetProperty("$set", out _)));
    }

    [Theory]
    [InlineData("E", 1.1)]
    [InlineData("E", -0.1)]
    [InlineData("E", double.NaN)]
    [InlineData("$identify", 0.5)]
    [InlineData("$create_alias", 0.5)]
    [InlineData("$merge", 0.5)]
    [InlineData("$experiment_started", 0.5)]
    public void A_rate_that_cannot_be_is_refused(string name, double rate)
    {
        var refused = Assert.Throws<MixpanelException>(() => new RecordingTracker(new TrackerOptions
        {
            SampleRates = new Dictionary<string, double>(StringComparer.Ordinal) { [name] = rate },
        }));

        Assert.Equal("sample_rates", refused.Error.Field);
        Assert.Contains(name, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_cannot_be_had_refuses_the_event() => Assert.False(New(_ => throw new InvalidDataException()).Track("half", "u"));

    static RecordingTracker New(Func<MixpanelUser, string?>? by = null) => new(new TrackerOptions { SampleRates = Rates, SampleBy = by });

    static List<string> InOf(string name, IEnumerable<MixpanelUser> users, Func<MixpanelUser, string> id)
    {
        var tracker = New();
        foreach (var user in users) tracker.Track(name, user);
        return [.. tracker.Events.Select(e => id(e.User))];
    }
}
