using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

public sealed class EventsTests
{
    [Fact]
    public async Task An_event_arrives_with_its_properties_an_id_and_its_time()
    {
        await using var run = new TrackerRun();

        var stored = await run.OnlyAsync(tracker => tracker.Track("Order placed", "user-1", new { Total = 12.5m, Currency = "EUR", Gift = (string?)null }));

        Assert.Equal("Order placed", stored.GetProperty("event").GetString());
        var properties = stored.GetProperty("properties");
        Assert.Equal("user-1", properties.GetProperty("distinct_id").GetString());
        Assert.Equal("12.5", properties.GetProperty("Total").GetRawText());
        Assert.Equal("EUR", properties.GetProperty("Currency").GetString());
        Assert.False(properties.TryGetProperty("Gift", out _));
        Assert.Equal(new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(), properties.GetProperty("time").GetInt64());
        Assert.Matches("^[0-9a-f]{32}$", properties.GetProperty("$insert_id").GetString());
        Assert.Equal("0", properties.GetProperty("ip").GetRawText());
        Assert.Equal("/import", run.Mixpanel.Requests[0].Path);
        Assert.Equal("?strict=1", run.Mixpanel.Requests[0].Query);
    }

    [Theory]
    [InlineData("nothing", "{}")]
    [InlineData("null", "{}")]
    [InlineData("empty object", "{}")]
    [InlineData("json", """{"a":1}""")]
    [InlineData("dictionary", """{"i":1,"s":"x","b":true,"d":1.5,"m":2.50,"t":"2026-11-23T12:00:00","l":[1,"y"],"o":{},"day":"2026-11-23"}""")]
    [InlineData("typed", """{"total":1}""")]
    [InlineData("attribute", """{"Total":1.50}""")]
    public async Task Properties_may_be_given_as(string form, string expected)
    {
        await using var run = new TrackerRun();

        var stored = await run.OnlyAsync(tracker => form switch
        {
            "nothing" => tracker.Track("E", "u"),
            "null" => tracker.Track("E", "u", (object?)null),
            "empty object" => tracker.Track("E", "u", new { }),
            "json" => tracker.Track("E", "u", new JsonObject { ["a"] = 1 }),
            "dictionary" => tracker.Track("E", "u", new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["i"] = 1,
                ["s"] = "x",
                ["b"] = true,
                ["d"] = 1.5,
                ["m"] = 2.50m,
                ["t"] = ImpatientClock.Noon,
                ["l"] = new object[] { 1, "y" },
                ["o"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["p"] = null },
                ["day"] = new DateOnly(2026, 11, 23),
            }),
            "typed" => tracker.Track("E", "u", new Total(1), EventsTestsJson.Default.Total),
            _ => tracker.Track("u", new OrderPlaced(1.50m), EventsTestsJson.Default.OrderPlaced),
        });

        Assert.Equal(form == "attribute" ? "Order placed" : "E", stored.GetProperty("event").GetString());
        Given.JsonEqual(expected, WithoutAdditions(stored.GetProperty("properties")));
    }

    [Fact]
    public async Task What_an_event_says_itself_wins_over_super_properties_and_over_what_is_added()
    {
        await using var run = new TrackerRun(new TrackerOptions { SuperProperties = new() { ["plan"] = "pro", ["region"] = "eu" } });

        var stored = await run.OnlyAsync(tracker => tracker.Track("E", "u",
            new JsonObject { ["plan"] = "free", ["time"] = 1795435200, ["$insert_id"] = "mine", ["distinct_id"] = "v", ["ip"] = "192.0.2.1" }));

        var properties = stored.GetProperty("properties");
        Assert.Equal(properties.EnumerateObject().Count(), properties.EnumerateObject().DistinctBy(property => property.Name, StringComparer.Ordinal).Count());
        Assert.Equal("free", properties.GetProperty("plan").GetString());
        Assert.Equal("eu", properties.GetProperty("region").GetString());
        Assert.Equal(1795435200, properties.GetProperty("time").GetInt64());
        Assert.Equal("mine", properties.GetProperty("$insert_id").GetString());
        Assert.Equal("v", properties.GetProperty("distinct_id").GetString());
        Assert.Equal("192.0.2.1", properties.GetProperty("ip").GetString());
    }

    [Fact]
    public async Task An_event_that_says_everything_itself_is_still_whole_json()
    {
        await using var run = new TrackerRun();
        var all = new JsonObject
        {
            ["plan"] = "free",
            ["time"] = 1795435200,
            ["$insert_id"] = "mine",
            ["distinct_id"] = "v",
            ["ip"] = 0,
            ["mp_lib"] = "x",
            ["$lib_version"] = "y",
        };

        var stored = await run.OnlyAsync(tracker => tracker.Track("E", "u", all));

        Given.JsonEqual(all.ToJsonString(), stored.GetProperty("properties"));
    }

    [Fact]
    public async Task Ids_differ_and_names_in_every_script_arrive()
    {
        await using var run = new TrackerRun();
        for (var i = 0; i < 100; i++) run.Tracker.Track("Größe \"π\" \n 東京", "ü-1", new { Größe = i });
        await run.Tracker.FlushAsync();

        Assert.Equal(100,
            run.Stored.Select(stored => stored.GetProperty("properties").GetProperty("$insert_id").GetString()).Distinct(StringComparer.Ordinal).Count());
        Assert.All(run.Stored, stored => Assert.Equal("Größe \"π\" \n 東京", stored.GetProperty("event").GetString()));
        Assert.Equal(Enumerable.Range(0, 100), run.Stored.Select(stored => stored.GetProperty("properties").GetProperty("Größe").GetInt32()).Order());
    }

    [Theory]
    [InlineData("identified", """{"distinct_id":"u","$user_id":"u"}""")]
    [InlineData("both", """{"distinct_id":"u","$user_id":"u","$device_id":"d"}""")]
    [InlineData("anonymous", """{"distinct_id":"$device:d","$device_id":"d"}""")]
    [InlineData("nobody", """{"distinct_id":""}""")]
    public async Task The_user_is_told_in_the_form_of_simplified_identity_merge(string who, string expected)
    {
        await using var run = new TrackerRun();
        var user = who switch
        {
            "identified" => MixpanelUser.Identified("u"),
            "both" => MixpanelUser.Identified("u", "d"),
            "anonymous" => MixpanelUser.Anonymous("d"),
            _ => MixpanelUser.None,
        };

        var stored = await run.OnlyAsync(tracker => tracker.Track("E", user));

        Given.JsonEqual(expected, Only(stored.GetProperty("properties"), "distinct_id", "$user_id", "$device_id"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Identity_events_of_original_merge_have_their_properties(bool awaited)
    {
        await using var run = new TrackerRun();
        if (awaited)
        {
            await run.Tracker.IdentifyAsync("u", "c35cc9e5-0000-4000-8000-000000000001", TestContext.Current.CancellationToken);
            await run.Tracker.CreateAliasAsync("u", "u@example.com", TestContext.Current.CancellationToken);
            await run.Tracker.MergeAsync("a", "b", TestContext.Current.CancellationToken);
        }
        else
        {
            Assert.True(run.Tracker.Identify("u", "c35cc9e5-0000-4000-8000-000000000001"));
            Assert.True(run.Tracker.CreateAlias("u", "u@example.com"));
            Assert.True(run.Tracker.Merge("a", "b"));
        }

        await run.Tracker.FlushAsync();

        var stored = run.Stored.ToDictionary(stored => stored.GetProperty("event").GetString()!, stored => stored.GetProperty("properties"),
            StringComparer.Ordinal); // $merge goes by a request of its own
        Assert.Equal("$create_alias $identify $merge", string.Join(' ', stored.Keys.Order(StringComparer.Ordinal)));
        Given.JsonEqual("""{"$identified_id":"u","$anon_id":"c35cc9e5-0000-4000-8000-000000000001","distinct_id":"u"}""",
            Only(stored["$identify"], "$identified_id", "$anon_id", "distinct_id"));
        Given.JsonEqual("""{"alias":"u@example.com","distinct_id":"u"}""", Only(stored["$create_alias"], "alias", "distinct_id"));
        Given.JsonEqual("""{"$distinct_ids":["a","b"]}""", Only(stored["$merge"], "$distinct_ids"));
    }

    [Fact]
    public async Task With_a_service_account_the_project_is_named()
    {
        await using var run = new TrackerRun(options: Given.Account());

        await run.OnlyAsync(tracker => tracker.Track("E", "u"));

        Assert.Equal("?strict=1&project_id=12345", run.Mixpanel.Requests[0].Query);
    }

    [Fact]
    public async Task Odd_values_arrive_as_they_were_when_they_were_tracked()
    {
        await using var run = new TrackerRun(new TrackerOptions { FlushInterval = TimeSpan.FromHours(1), StopTimeout = TimeSpan.FromHours(2) });
        var changed = new JsonObject { ["v"] = 1 };
        var list = new JsonArray("a", "b");
        Assert.True(run.Tracker.Track("E", "u", changed));
        changed["v"] = 2;
        Assert.True(run.Tracker.Track("E", "u", new { whole = "x\ufffdy\ud83d\ude00" }));
        Assert.True(run.Tracker.Track("E", "u", new Dictionary<int, string> { [1] = "a" }));
        Assert.True(run.Tracker.Track("E", "u",
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["time"] = null,
                ["m"] = new Dictionary<string, int>(StringComparer.Ordinal) { ["a"] = 1 },
            }));
        Assert.True(run.Tracker.Track("E", default(MixpanelUser)));
        Assert.True(run.Tracker.Profile("u").Union("tags", list[0]));
        await run.Tracker.FlushAsync();

        var events = run.Stored.Where(stored => stored.TryGetProperty("event", out _)).Select(stored => stored.GetProperty("properties")).ToList();
        Assert.Equal(5, events.Count);
        Assert.Equal(1, events[0].GetProperty("v").GetInt32());
        Assert.Equal("x\ufffdy\ud83d\ude00", events[1].GetProperty("whole").GetString());
        Assert.Equal("a", events[2].GetProperty("1").GetString());
        Assert.Equal((JsonValueKind.Number, 1), (events[3].GetProperty("time").ValueKind, events[3].GetProperty("m").GetProperty("a").GetInt32()));
        Assert.Equal("", events[4].GetProperty("distinct_id").GetString());
        Assert.Contains(run.Mixpanel.Stored, stored => stored.Contains("\"$union\":{\"tags\":[\"a\"]}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_json_cannot_say_fails_no_request_but_is_told()
    {
        await using var run = new TrackerRun();

        Assert.False(run.Tracker.Track("E", "u", new { Rate = double.NaN }));
        var thrown = await Given.FailsAsync(() => run.Tracker.TrackAsync("E", "u", new { Rate = double.NaN }).AsTask());
        Assert.False(run.Tracker.Track("E", "u",
            new Dictionary<string, object?>(StringComparer.Ordinal) { ["a-name"] = new System.Net.Cookie("secret", "secret") }));
        Assert.True(run.Tracker.Track("E", "u", new { Rate = 1 }));
        await run.Tracker.FlushAsync();

        Assert.Equal(ErrorKind.InvalidInput, thrown.Error.Kind);
        Assert.Equal(["not_serializable", "not_serializable"], run.Rejected.Select(rejected => rejected.Code), StringComparer.Ordinal);
        Assert.Single(run.Stored);
    }

    [Fact]
    public void Without_a_credential_there_is_no_tracker() =>
        Assert.Equal("service_account_username", Assert.Throws<MixpanelException>(() => new MixpanelTracker(Given.Bare())).Error.Field);

    [Fact]
    public async Task A_name_is_needed()
    {
        await using var run = new TrackerRun();
        Assert.Throws<ArgumentException>(() => run.Tracker.Track(" ", "u"));
        Assert.Throws<InvalidOperationException>(() => run.Tracker.Track("u", new Total(1), EventsTestsJson.Default.Total));
    }

    static JsonElement WithoutAdditions(JsonElement properties) =>
        Only(properties,
            [.. properties.EnumerateObject()
                .Select(property => property.Name)
                .Except(["distinct_id", "time", "$insert_id", "ip", "mp_lib", "$lib_version"], StringComparer.Ordinal)]);

    static JsonElement Only(JsonElement properties, params string[] names)
    {
        var kept = new JsonObject();
        foreach (var property in properties.EnumerateObject().Where(property => names.Contains(property.Name, StringComparer.Ordinal)))
            kept.Add(property.Name, JsonNode.Parse(property.Value.GetRawText()));
        return JsonElement.Parse(kept.ToJsonString());
    }
}

sealed record Total([property: JsonPropertyName("total")] int Value);

[MixpanelEvent("Order placed")]
sealed record OrderPlaced(decimal Total);

[JsonSerializable(typeof(Total))]
[JsonSerializable(typeof(OrderPlaced))]
sealed partial class EventsTestsJson : JsonSerializerContext;
