using System.Text.Json.Nodes;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>What a call fixes is not replaced by what is added to every event.</summary>
public sealed class FixedPropertiesTests
{
    public static TheoryData<string> Names => ["distinct_id", "$user_id", "$device_id", "time", "$insert_id", "token"];

    [Theory, MemberData(nameof(Names))]
    public void A_super_property_does_not_replace_what_the_call_fixes(string name)
    {
        var tracking = new TrackerOptions { SuperProperties = new() { ["app"] = "shop", [name] = "x" } };

        var refused = Assert.Throws<MixpanelException>(() => new RecordingTracker(tracking));

        Assert.Equal("super_properties", refused.Error.Field);
        Assert.Contains(name, refused.Message, StringComparison.Ordinal);
        Assert.Throws<MixpanelException>(() => new MixpanelTracker(Given.Token(), tracking));
    }

    [Theory, MemberData(nameof(Names))]
    public void A_scope_does_not_replace_what_the_call_fixes(string name)
    {
        var refused = Assert.Throws<ArgumentException>(() => MixpanelScope.Begin("ada",
            new Dictionary<string, object?>(StringComparer.Ordinal) { ["a"] = 1, [name] = "x" }));

        Assert.Contains(name, refused.Message, StringComparison.Ordinal);
        Assert.Null(MixpanelScope.Current);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_group_key_does_not_replace_what_the_call_fixes(string name) =>
        Assert.Contains(name, Assert.Throws<ArgumentException>(() => new RecordingTracker().InGroup(name, "acme")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task An_event_still_sets_them_itself()
    {
        await using var run = new TrackerRun(new TrackerOptions { SuperProperties = new() { ["Time"] = "a name of its own" } });

        var stored = await run.OnlyAsync(tracker => tracker.Track("e", "ada",
            new Dictionary<string, object?>(StringComparer.Ordinal) { ["distinct_id"] = "eve", ["$insert_id"] = "i", ["time"] = 1790000000 }));

        var properties = stored.GetProperty("properties");
        Assert.Equal(("eve", "i", 1790000000),
            (properties.GetProperty("distinct_id").GetString(), properties.GetProperty("$insert_id").GetString(), properties.GetProperty("time").GetInt64()));
    }

    [Fact]
    public void A_super_property_without_a_form_in_JSON_is_refused_by_name()
    {
        var refused = Assert.Throws<MixpanelException>(() => new RecordingTracker(new TrackerOptions { SuperProperties = new() { ["load"] = double.NaN } }));

        Assert.Contains("'load'", refused.Message, StringComparison.Ordinal);
        JsonNode deep = 1;
        for (var i = 0; i < 2_000; i++) deep = new JsonObject { ["a"] = deep };
        Assert.Contains("'deep'",
            Assert.Throws<MixpanelException>(() => new RecordingTracker(new TrackerOptions { SuperProperties = new() { ["deep"] = deep } })).Message,
            StringComparison.Ordinal);
    }
}
