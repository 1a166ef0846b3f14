namespace MixpanelConnector.Tests.Tracking;

/// <summary>Records that a tracker refuses, and ambient state that it does not capture.</summary>
public sealed class RefusalsTests
{
    [Fact]
    public async Task A_value_without_a_form_is_told_by_the_name_of_its_property()
    {
        await using var run = new TrackerRun();

        Assert.False(run.Tracker.Track("E", "u", new { Rate = 1, Ratio = double.NaN }));
        Assert.False(run.Tracker.Track("E", "u", new Dictionary<string, object?>(StringComparer.Ordinal) { ["m"] = new { A = "secret" } }));
        var thrown = await Given.FailsAsync(() => run.Tracker.TrackAsync("E", "u", new { Ratio = double.NaN }).AsTask());

        Assert.Equal(["Ratio", "m"], run.Rejected.Select(rejected => rejected.Field), StringComparer.Ordinal);
        Assert.All(run.Rejected, rejected => Assert.DoesNotContain("secret", rejected.Message, StringComparison.Ordinal));
        Assert.Equal((ErrorKind.InvalidInput, "Ratio"), (thrown.Error.Kind, thrown.Error.Field));
    }

    [Fact]
    public async Task A_record_beyond_Mixpanels_limit_is_not_sent()
    {
        await using var run = new TrackerRun();
        var large = new string('x', 1 << 20);

        Assert.False(run.Tracker.Track("E", "u", new { large }));
        Assert.False(run.Tracker.Profile("u").Set(new { large }));
        var thrown = await Given.FailsAsync(() => run.Tracker.TrackAsync("E", "u", new { large }).AsTask());
        Assert.True(run.Tracker.Track("E", "u", new { fits = new string('x', (1 << 20) - 400) }));
        await run.Tracker.FlushAsync();

        Assert.Equal(["record_too_large", "record_too_large"], run.Rejected.Select(rejected => rejected.Code), StringComparer.Ordinal);
        Assert.Equal(ErrorKind.InvalidInput, thrown.Error.Kind);
        Assert.Single(run.Stored);
    }

    [Fact]
    public async Task Ids_do_not_repeat_whatever_the_randomizer_gives()
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (var start = 0; start < 2; start++)
        {
            await using var run = new TrackerRun(options: Given.Token() with { Randomizer = () => 0 });
            for (var i = 0; i < 10; i++) run.Tracker.Track("E", "u");
            await run.Tracker.FlushAsync();
            ids.UnionWith(run.Stored.Select(stored => stored.GetProperty("properties").GetProperty("$insert_id").GetString()!));
        }

        Assert.Equal(20, ids.Count);
    }

    [Fact]
    public async Task What_runs_in_the_background_knows_nothing_of_who_made_the_tracker()
    {
        var request = new AsyncLocal<string?> { Value = "the request that made it" };
        var seen = new List<string?>();
        await using var run = new TrackerRun(around: mixpanel => new Watching(mixpanel, () => seen.Add(request.Value)));

        Assert.Equal("the request that made it", request.Value);
        run.Tracker.Track("E", "u");
        run.Tracker.Profile("u").Set("a", 1);
        await run.Tracker.FlushAsync();

        Assert.Equal([null, null], seen);
    }
}
