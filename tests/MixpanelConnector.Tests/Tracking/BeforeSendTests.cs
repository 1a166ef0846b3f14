using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

public sealed class BeforeSendTests
{
    const string Secret = "4711-secret";

    static readonly Func<MixpanelTracker, bool>[] Ways =
    [
        tracker => tracker.Track("E", "ada", new JsonObject { ["Name"] = Secret }),
        tracker => tracker.Track("E", "ada", new { Name = Secret }),
        tracker => tracker.InGroup("company", "acme").Track("E", "ada", new JsonObject { ["Name"] = Secret }),
        tracker => tracker.Profile("ada").Set("Name", Secret),
        tracker => tracker.Profile("ada").SetOnce(new JsonObject { ["Name"] = Secret }),
        tracker => tracker.Profile("ada").Append("Name", Secret),
        tracker => tracker.Profile("ada").Union("Name", Secret, "x"),
        tracker => tracker.Profile("ada").Remove("Name", Secret),
        tracker => tracker.Group("company", "acme").Set("Name", Secret),
    ];

    public static TheoryData<int> EachWay => [.. Enumerable.Range(0, Ways.Length)];

    [Theory]
    [MemberData(nameof(EachWay))]
    public async Task Every_record_can_be_changed(int way)
    {
        await using var run = Run(record =>
        {
            record.Properties["Name"] = "changed";
            record.Properties["At"] = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
            return true;
        });

        var sent = (await run.OnlyAsync(Ways[way])).GetRawText();

        Assert.Contains("\"Name\":\"changed\"", sent, StringComparison.Ordinal);
        Assert.Contains("\"At\":\"2026-01-02T03:04:05\"", sent, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, sent, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(EachWay))]
    public async Task Every_record_can_be_left_out_which_is_no_failure(int way)
    {
        await using var run = Run(_ => false);

        Assert.True(Ways[way](run.Tracker));
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Empty(run.Mixpanel.Requests);
        Assert.Empty(run.Rejected);
        Assert.Equal(0, run.Tracker.Pending);
    }

    [Theory]
    [MemberData(nameof(EachWay))]
    public async Task What_it_throws_reaches_nobody_and_the_record_is_not_sent(int way)
    {
        using var log = new RecordedLog();
        await using var run =
            new TrackerRun(new TrackerOptions { BeforeSend = [_ => throw new InvalidDataException(Secret)] }, Given.Token() with { LoggerFactory = log });

        Assert.False(Ways[way](run.Tracker));
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Empty(run.Mixpanel.Requests);
        var rejected = Assert.Single(run.Rejected);
        Assert.Equal("before_send_failed", rejected.Code);
        Assert.Contains(nameof(InvalidDataException), rejected.Message, StringComparison.Ordinal);
        Assert.True(rejected.Json.IsEmpty);
        Assert.DoesNotContain(Secret, rejected.ToString() + string.Concat(log.From(Microsoft.Extensions.Logging.LogLevel.Trace)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_waits_is_told_of_a_failure_and_not_of_what_was_left_out()
    {
        await using var failing = Run(_ => throw new InvalidDataException(Secret));
        await using var leaving = Run(_ => false);

        var failed = await Given.FailsAsync(() => failing.Tracker.TrackAsync("E", "ada", new JsonObject(), TestContext.Current.CancellationToken).AsTask());
        await leaving.Tracker.TrackAsync("E", "ada", new JsonObject(), TestContext.Current.CancellationToken);

        Assert.DoesNotContain(Secret, failed.ToString(), StringComparison.Ordinal);
        Assert.Empty(leaving.Mixpanel.Requests);
    }

    [Fact]
    public async Task Several_come_one_after_the_other_until_one_leaves_the_record_out()
    {
        var called = new List<string>();
        await using var run = new TrackerRun(new TrackerOptions
        {
            BeforeSend =
            [
                record => { record.Properties["n"] = 1; return true; },
                record => { called.Add($"{record.Properties["n"]}"); record.Properties["n"] = 2; return record.Name != "stop"; },
                record => { called.Add($"{record.Properties["n"]}"); return true; },
            ],
        });

        run.Tracker.Track("stop", "ada");
        var sent = await run.OnlyAsync(tracker => tracker.Track("go", "ada"));

        Assert.Equal(["1", "1", "2"], called, StringComparer.Ordinal);
        Assert.Equal(2, sent.GetProperty("properties").GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task What_makes_an_event_Mixpanels_is_no_property_and_stays_when_all_properties_go()
    {
        await using var run = Run(record => { record.Properties.Clear(); return true; });
        var at = new DateTimeOffset(2026, 10, 31, 1, 2, 3, TimeSpan.Zero);

        var sent = await run.OnlyAsync(tracker => tracker.At(at)
            .Track("E", MixpanelUser.Identified("ada", "phone"), new JsonObject { ["ip"] = "1.2.3.4", ["a"] = 1 }));

        var properties = sent.GetProperty("properties");
        Assert.Equal(["$device_id", "$insert_id", "$user_id", "distinct_id", "ip", "time"],
            properties.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal((0, at.ToUnixTimeMilliseconds()), (properties.GetProperty("ip").GetInt32(), properties.GetProperty("time").GetInt64()));
    }

    [Theory]
    [InlineData("""{"distinct_id":"own","$insert_id":"i","time":1795435200}""", "own")]
    [InlineData("""{"distinct_id":42}""", "42")]
    [InlineData("""{"$user_id":"own"}""", "own")]
    public async Task Ids_that_an_event_brought_are_seen_and_stay_as_they_were(string properties, string distinctId)
    {
        string? seen = null;
        await using var run = Run(record => { seen = record.DistinctId; return true; });

        var sent = await run.OnlyAsync(tracker => tracker.Track("E", "ada", JsonNode.Parse(properties)!.AsObject()));

        Assert.Equal(distinctId, seen);
        foreach (var (name, value) in JsonNode.Parse(properties)!.AsObject())
            Assert.Equal(value!.ToJsonString(), sent.GetProperty("properties").GetProperty(name).GetRawText());
    }

    [Theory]
    [InlineData("""{"distinct_id":"own","$user_id":"own","$device_id":"d"}""")]
    [InlineData("{}")]
    public async Task Another_user_takes_the_place_of_all_ids(string properties)
    {
        await using var run = Run(record => { (record.User, record.Name) = ("somebody", "Renamed"); return true; });

        var sent = await run.OnlyAsync(tracker => tracker.Track("E", MixpanelUser.Identified("ada", "phone"), JsonNode.Parse(properties)!.AsObject()));

        Assert.Equal(("Renamed", "somebody"), (sent.GetProperty("event").GetString(), sent.GetProperty("properties").GetProperty("distinct_id").GetString()));
        Assert.False(sent.GetProperty("properties").TryGetProperty("$user_id", out _));
        Assert.False(sent.GetProperty("properties").TryGetProperty("$device_id", out _));
    }

    [Fact]
    public async Task Of_a_profile_the_id_and_what_is_said_beside_its_values_can_be_changed()
    {
        await using var run = Run(record =>
        {
            (record.User, record.Settings) = ("somebody", record.Settings! with { Ip = null, IgnoreTime = true });
            return true;
        });

        var sent = await run.OnlyAsync(tracker => tracker.Profile("ada").With(new ProfileSettings { Ip = "1.2.3.4" }).Set("Plan", (JsonNode?)null));

        Assert.Equal("""{"$token":"0123456789abcdef0123456789abcdef","$distinct_id":"somebody","$ignore_time":true,"$set":{"Plan":null}}""", sent.GetRawText());
    }

    [Fact]
    public async Task An_update_without_values_passes_as_it_is_and_one_of_which_nothing_is_left_does_not()
    {
        await using var run = Run(record => { record.Properties.Clear(); return true; });

        run.Tracker.Profile("ada").Unset("a");
        run.Tracker.Profile("ada").Set("a", 1);
        run.Tracker.Profile("ada").Delete();
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["$unset", "$delete"], run.Stored.Select(record => record.EnumerateObject().Last().Name), StringComparer.Ordinal);
        Assert.Equal("""["a"]""", run.Stored[0].GetProperty("$unset").GetRawText());
    }

    [Theory]
    [InlineData("""{"a":1,"a":2}""", "2")]
    [InlineData("""{"a":12345678901234567890.10}""", "12345678901234567890.10")]
    [InlineData("""{"a":{"b":[1e400,null,{"c":"\u00e4"}]}}""", """{"b":[1e400,null,{"c":"ä"}]}""")]
    public async Task What_is_not_changed_stays_to_the_digit(string properties, string expected)
    {
        await using var run = Run(_ => true);
        using var document = System.Text.Json.JsonDocument.Parse(properties);

        var sent =
            await run.OnlyAsync(tracker => tracker.Profile("ada").Set(new Dictionary<string, object>(StringComparer.Ordinal) { ["x"] = document.RootElement }));

        Assert.Equal(expected, sent.GetProperty("$set").GetProperty("x").GetProperty("a").GetRawText());
    }

    [Theory]
    [InlineData("distinct_id", false)]
    [InlineData("$user_id", true)]
    [InlineData("$device_id", false)]
    [InlineData("time", true)]
    [InlineData("$insert_id", false)]
    public async Task What_an_event_has_of_its_own_is_not_put_among_its_properties(string name, bool isRedacted)
    {
        await using var run = new TrackerRun(new TrackerOptions
        {
            BeforeSend = [record => record.Properties.TryAdd(name, "x") || true],
            Redaction = isRedacted ? new() { Names = ["secret"] } : null,
        });

        Assert.False(run.Tracker.Track("E", "someone@example.com"));
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Empty(run.Mixpanel.Requests);
        var rejected = Assert.Single(run.Rejected);
        Assert.Equal("before_send_failed", rejected.Code);
        Assert.Contains(name, rejected.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_tracks_within_itself_ends()
    {
        TrackerRun? made = null;
        await using var run = made = Run(_ => made!.Tracker.Track("again", "ada") || true);

        Assert.True(run.Tracker.Track("E", "ada"));
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.InRange(run.Stored.Count, 1, 5);
        Assert.All(run.Rejected, rejected => Assert.Equal("before_send_failed", rejected.Code));
        Assert.NotEmpty(run.Rejected);
    }

    [Fact]
    public async Task Each_record_is_changed_by_itself_however_many_threads_track()
    {
        await using var run = Run(record =>
        {
            record.Properties["twice"] = (int)record.Properties["n"]! * 2;
            return (int)record.Properties["n"]! % 3 != 0;
        });

        Parallel.For(0, 3000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, n => Assert.True(run.Tracker.Track("E", $"u{n}", new { n })));
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2000, run.Stored.Count);
        Assert.All(run.Stored,
            record => Assert.Equal(record.GetProperty("properties").GetProperty("n").GetInt32() * 2,
                record.GetProperty("properties").GetProperty("twice").GetInt32()));
        Assert.Equal(2000,
            run.Stored.Select(record => record.GetProperty("properties").GetProperty("$insert_id").GetString()).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task A_record_that_is_kept_and_changed_afterwards_changes_nothing()
    {
        OutgoingRecord? kept = null;
        await using var run = Run(record => { kept = record; return true; });

        run.Tracker.Track("E", "ada");
        kept!.Properties["late"] = 1;
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.False(run.Stored.Single().GetProperty("properties").TryGetProperty("late", out _));
    }

    [Fact]
    public async Task To_track_the_token_is_out_of_reach()
    {
        await using var run = new TrackerRun(new TrackerOptions
        {
            EventsTo = EventEndpoint.Track,
            BeforeSend = [record => { Assert.False(record.Properties.ContainsKey("token")); record.Properties.Clear(); return true; }],
        });
        run.Mixpanel.Script = request => { run.Mixpanel.Store(request.Records); return MixpanelDouble.Answer(200, """{"status":1,"error":null}"""); };

        var sent = await run.OnlyAsync(tracker => tracker.Track("E", "ada", new { a = 1 }));

        Assert.Equal(Given.TokenText, sent.GetProperty("properties").GetProperty("token").GetString());
    }

    [Fact]
    public void A_recording_tracker_shows_what_would_be_sent_what_was_left_out_and_what_was_refused()
    {
        var tracker = new RecordingTracker(new TrackerOptions
        {
            BeforeSend =
            [
                record => record.Name switch { "drop" => false, "fail" => throw new InvalidDataException(), _ => record.Properties.Remove("b") || true },
            ],
            Redaction = new() { Names = ["secret"] },
            IsOptedOut = user => user.DistinctId == "eve",
            SampleRates = new Dictionary<string, double>(StringComparer.Ordinal) { ["sampled"] = 0 },
        });

        Assert.True(tracker.Track("E", "ada", new { a = 1, b = 2, secret = 3, distinct_id = "own" }));
        Assert.True(tracker.Track("drop", "ada"));
        Assert.True(tracker.Track("E", "eve"));
        Assert.True(tracker.Track("sampled", "ada"));
        Assert.True(tracker.Profile("ada").Set("secret", 1));
        Assert.False(tracker.Track("fail", "ada"));

        var kept = Assert.Single(tracker.Records);
        Assert.Equal(("own", """{"a":1,"distinct_id":"own"}"""), (kept.User.DistinctId, kept.Properties.ToJsonString()));
        Assert.Equal(["drop before_send", "E opted_out", "sampled sampled", "$set before_send"],
            tracker.LeftOut.Select(record => $"{record.Name} {record.LeftOut}"), StringComparer.Ordinal);
        Assert.Equal("before_send_failed", Assert.Single(tracker.Rejected).Code);
    }

    static TrackerRun Run(Func<OutgoingRecord, bool> beforeSend) => new(new TrackerOptions { BeforeSend = [beforeSend] });
}
