using System.Diagnostics.Metrics;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MixpanelConnector.AspNetCore;

namespace MixpanelConnector.Tests.Tracking;

public sealed class OptOutTests
{
    static readonly Func<IMixpanelTracker, bool>[] OfEve =
    [
        tracker => tracker.Track("E", "eve"),
        tracker => tracker.Track("E", MixpanelUser.Identified("eve", "phone")),
        tracker => tracker.Track("E", MixpanelUser.None, new { distinct_id = "eve" }),
        tracker => tracker.Track("E", "ada", new { distinct_id = "eve" }),
        tracker => tracker.Track("E", "dev", new Dictionary<string, object?>(StringComparer.Ordinal) { ["$user_id"] = "eve" }),
        tracker => tracker.Track("E", MixpanelUser.Anonymous("phone"), new Dictionary<string, object?>(StringComparer.Ordinal) { ["$user_id"] = "eve" }),
        tracker => tracker.Track("E", "eve", new Dictionary<string, object?>(StringComparer.Ordinal) { ["$user_id"] = "ada" }),
        tracker => tracker.Track("E", MixpanelUser.Identified("ada"), new { distinct_id = "eve" }),
        tracker => tracker.Identify("eve", "anonymous"),
        tracker => tracker.Identify("ada", "eve"),
        tracker => tracker.CreateAlias("ada", "eve"),
        tracker => tracker.Merge("ada", "eve"),
        tracker => tracker.Profile("eve").Set("a", 1),
        tracker => tracker.Profile("eve").Unset("a"),
    ];

    static readonly Func<IMixpanelTracker, bool>[] NotOfEve =
    [
        tracker => tracker.Track("E", "ada", new { friend = "eve" }),
        tracker => tracker.Track("E", MixpanelUser.None),
        tracker => tracker.Identify("ada", "anonymous"),
        tracker => tracker.Profile("ada").Set("a", 1),
        tracker => tracker.Group("company", "eve").Set("a", 1),
        tracker => tracker.Profile("eve").Delete(),
    ];

    public static TheoryData<int> EachOfEve => [.. Enumerable.Range(0, OfEve.Length)];

    public static TheoryData<int> EachNotOfEve => [.. Enumerable.Range(0, NotOfEve.Length)];

    [Theory]
    [MemberData(nameof(EachOfEve))]
    public async Task Nothing_is_taken_of_who_does_not_want_it(int way)
    {
        await using var run = Run();

        Assert.True(OfEve[way](run.Tracker));
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Empty(run.Mixpanel.Requests);
        Assert.Empty(run.Rejected);
    }

    [Theory]
    [MemberData(nameof(EachNotOfEve))]
    public async Task Others_are_tracked_and_a_profile_can_be_deleted(int way)
    {
        await using var run = Run();

        await run.OnlyAsync(tracker => NotOfEve[way](tracker));
    }

    [Fact]
    public async Task Ids_that_one_event_brought_say_nothing_of_what_comes_next()
    {
        await using var run = Run();

        run.Tracker.Track("E", "ada", new { distinct_id = "bob" });
        Assert.True(run.Tracker.Profile("ada").Set(new System.Text.Json.Nodes.JsonObject { ["distinct_id"] = "eve" }));
        Assert.True(run.Tracker.Profile("eve").Set(new System.Text.Json.Nodes.JsonObject { ["distinct_id"] = "ada" }));
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal("ada", Assert.Single(run.Stored, record => record.TryGetProperty("$set", out _)).GetProperty("$distinct_id").GetString());
    }

    [Fact]
    public async Task Where_it_cannot_be_known_nothing_is_taken()
    {
        await using var run = new TrackerRun(new TrackerOptions { IsOptedOut = _ => throw new TimeoutException() });

        Assert.False(run.Tracker.Track("E", "ada"));

        Assert.Equal("opt_out_failed", Assert.Single(run.Rejected).Code);
        Assert.Empty(run.Mixpanel.Requests);
    }

    [Fact]
    public async Task It_is_counted_with_its_reason()
    {
        using var meters = new OwnMeterFactory();
        var counted = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name == "mixpanel.tracker.records") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            lock (counted) counted.Add($"{value} {string.Join(' ', tags.ToArray().Select(tag => tag.Value))}");
        });
        listener.Start();
        await using var run = new TrackerRun(new TrackerOptions
        {
            MeterFactory = meters,
            IsOptedOut = user => user.DistinctId == "eve",
            BeforeSend = [record => record.Name != "drop"],
            SampleRates = new Dictionary<string, double>(StringComparer.Ordinal) { ["none"] = 0 },
        });

        run.Tracker.Track("E", "eve");
        run.Tracker.Track("drop", "ada");
        run.Tracker.Track("none", "ada");
        await run.Tracker.Profile("eve").SetAsync("a", 1, TestContext.Current.CancellationToken);

        lock (counted)
            Assert.Equal(["1 event left_out opted_out", "1 event left_out before_send", "1 event left_out sampled", "1 profile left_out opted_out"], counted,
                StringComparer.Ordinal);
    }

    [Fact]
    public async Task In_a_scope_of_such_a_person_nobody_is_tracked_and_no_further()
    {
        await using var run = new TrackerRun();
        using (MixpanelScope.Begin("eve", optedOut: true))
        {
            using (MixpanelScope.Begin("ada")) Assert.True(run.Tracker.Track("inner", MixpanelUser.Current));
            Assert.True(run.Tracker.Track("E", "eve"));
            Assert.True(run.Tracker.Profile("eve").Set("a", 1));
            Assert.True(run.Tracker.Group("company", "acme").Set("a", 1));
        }

        run.Tracker.Track("after", "eve");
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["after", "$group_key"],
            run.Stored.Select(record => record.TryGetProperty("event", out var name) ? name.GetString() : "$group_key").Order(StringComparer.Ordinal).Reverse(),
            StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("Sec-GPC", "1", true)]
    [InlineData("Sec-GPC", "0", false)]
    [InlineData("DNT", "1", true)]
    [InlineData("DNT", "null", false)]
    [InlineData("Cookie", "opt=0", true)]
    [InlineData("Cookie", "opt=1", false)]
    [InlineData("X-Consent", "no", true)]
    [InlineData("X-Other", "1", false)]
    public async Task A_request_says_so_only_where_it_is_asked(string header, string value, bool isOptedOut)
    {
        Assert.Equal(isOptedOut ? 0 : 1,
            await TrackedAsync(options => (options.GlobalPrivacyControl, options.DoNotTrack, options.OptOutCookie,
                options.IsOptedOut) = (true, true, "opt", http => http.Request.Headers["X-Consent"] == "no")));
        Assert.Equal(1, await TrackedAsync(null));

        async Task<int> TrackedAsync(Action<MixpanelRequestOptions>? configure)
        {
            var tracker = new RecordingTracker();
            var services = new ServiceCollection();
            services.AddMixpanel(settings => settings.Token = Given.TokenText).AddRequests(configure);
            await using var provider = services.BuildServiceProvider();
            var app = new ApplicationBuilder(provider);
            app.UseMixpanel();
            app.Run(_ => { tracker.Track("E", MixpanelUser.Current); return Task.CompletedTask; });
            var http = new DefaultHttpContext { User = new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, "ada")])) };
            http.Request.Headers[header] = value;
            await app.Build()(http);
            Assert.All(tracker.LeftOut, record => Assert.Equal("opted_out", record.LeftOut));
            return tracker.Events.Count;
        }
    }

    static TrackerRun Run() => new(new TrackerOptions { IsOptedOut = user => user.DistinctId == "eve" });
}
