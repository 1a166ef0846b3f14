using System.Text.Json;

namespace MixpanelConnector.Tests.Tracking;

public sealed class ScopeTests
{
    [Fact]
    public async Task Events_in_a_scope_have_its_properties_but_for_those_of_their_own()
    {
        await using var run = new TrackerRun(new TrackerOptions { SuperProperties = new() { ["app"] = "shop", ["plan"] = "none" } });

        using (MixpanelScope.Begin("ada", new Dictionary<string, object?>(StringComparer.Ordinal) { ["company"] = "acme", ["plan"] = "pro", ["none"] = null }))
        {
            using (MixpanelScope.Begin(properties: new Dictionary<string, object?>(StringComparer.Ordinal) { ["plan"] = "team" }))
                await Task.Run(
                    () => run.Tracker.Track("inner", MixpanelUser.Current, new Dictionary<string, object?>(StringComparer.Ordinal) { ["company"] = "own" }),
                    TestContext.Current.CancellationToken);
            run.Tracker.Track("outer", MixpanelUser.Current);
            run.Tracker.Profile("ada").Set("Seats", 3);
        }

        run.Tracker.Track("outside", MixpanelUser.Current);
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            ["inner ada own team shop", "outer ada acme pro shop", "outside  - none shop"],
            run.Stored.Where(record => record.TryGetProperty("event", out _)).Select(record => record.GetProperty("properties") is var properties
                ? $"{record.GetProperty("event")} {properties.GetProperty("distinct_id")} {Of(properties, "company")} {properties.GetProperty("plan")} {properties.GetProperty("app")}"
                    : "")
                    .Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
        Assert.DoesNotContain("acme", run.Stored.Single(record => !record.TryGetProperty("event", out _)).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_tracker_keeps_what_the_scope_adds()
    {
        var tracker = new RecordingTracker();
        using (MixpanelScope.Begin("ada", new Dictionary<string, object?>(StringComparer.Ordinal) { ["company"] = "acme" }))
            tracker.Track("e", MixpanelUser.Current);

        Assert.Equal(("ada", """{"company":"acme"}"""), (tracker.Events[0].User.DistinctId, tracker.Events[0].Properties.ToJsonString()));
        Assert.Equal(MixpanelUser.None, MixpanelUser.Current);
    }

    static string Of(JsonElement properties, string name) => properties.TryGetProperty(name, out var value) ? value.GetString()! : "-";
}
