using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Testing;

#pragma warning disable MA0002 // names compare by their characters wherever nothing else is said
namespace MixpanelConnector.Emulator.Tests;

/// <summary><c>/emulator/projects/{project}/live</c>: the records that a project receives, as they arrive.</summary>
public sealed class LiveFeedTests
{
    [Fact]
    public async Task Events_and_refusals_come_as_they_are_stored_and_refused()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        using var feed = await Watching.StartAsync(mixpanel);
        Assert.StartsWith("""{"accepted":0,"rejected":0,"events":[],"rejections":[],"time_zone":"UTC","names":[],"seconds":[],"today":{""",
            (await feed.NextAsync()).ToString(), StringComparison.Ordinal);

        await mixpanel.ImportAsync($$$"""[{{{mixpanel.Event()}}},{"event":"","properties":{}}]""");

        var seen = await feed.NextAsync();
        Assert.Equal((1, 1), (seen.GetProperty("accepted").GetInt32(), seen.GetProperty("rejected").GetInt32()));
        var stored = Assert.Single(seen.GetProperty("events").EnumerateArray());
        Assert.Equal("Signed up", stored.GetProperty("event").GetString());
        Assert.Equal(JsonValueKind.String, stored.GetProperty("properties").ValueKind);
        var rejection = Assert.Single(seen.GetProperty("rejections").EnumerateArray());
        Assert.Equal(("/import", true, """{"event":"","properties":{}}"""),
            (rejection.GetProperty("path").GetString(), rejection.GetProperty("told").GetBoolean(), rejection.GetProperty("record").GetString()));
    }

    [Theory]
    [InlineData("""[{"event":"Old","properties":{"token":"local","time":1000,"distinct_id":"u"}}]""", "properties.time", false)]
    [InlineData("""[{"event":"Lost","properties":{"token":"nobodys"}}]""", "properties.token", false)]
    [InlineData("""[{"event":"Ignored","properties":{"token":"local","$ignore":true}}]""", "properties.$ignore", false)]
    [InlineData("""[{"event":"","properties":{"token":"local"}}]""", "event", true)]
    [InlineData("""[{"event":"","properties":{"token":"local"}},{"event":"Fine","properties":{"token":"local"}}]""", "event", false)]
    public async Task What_is_dropped_without_a_word_is_told_here(string body, string field, bool told)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync("/track", body);

        using var feed = await Watching.StartAsync(mixpanel); // those that came before are kept
        var rejection = Assert.Single((await feed.NextAsync()).GetProperty("rejections").EnumerateArray());
        Assert.Equal((field, told), (rejection.GetProperty("field").GetString(), rejection.GetProperty("told").GetBoolean()));
    }

    [Theory]
    [InlineData("""[{"$token":"nobodys","$distinct_id":"u","$set":{}}]""", "$token", false)]
    [InlineData("""[{"$token":"local","$distinct_id":"u"}]""", "", true)]
    [InlineData("""[{"$token":"local","$distinct_id":"u"},{"$token":"local","$distinct_id":"u","$set":{}}]""", "", false)]
    public async Task Updates_of_profiles_that_go_nowhere_are_told_too(string body, string field, bool told)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync("/engage", body);

        using var feed = await Watching.StartAsync(mixpanel);
        var rejection = Assert.Single((await feed.NextAsync()).GetProperty("rejections").EnumerateArray());
        Assert.Equal((field, told), (rejection.GetProperty("field").GetString(), rejection.GetProperty("told").GetBoolean()));
    }

    [Fact]
    public async Task All_are_counted_and_the_latest_are_shown()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        using var feed = await Watching.StartAsync(mixpanel);
        await feed.NextAsync();
        await mixpanel.ImportAsync($"[{string.Join(',', Enumerable.Range(0, 120).Select(n => mixpanel.Event($"\"Event {n}\"")))}]");
        var seen = await feed.NextAsync();
        Assert.Equal(120, seen.GetProperty("accepted").GetInt32());
        Assert.Equal(Enumerable.Range(70, 50).Select(n => $"Event {n}"),
            seen.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("event").GetString()!));
    }

    [Fact]
    public async Task Who_comes_later_is_told_what_was_before()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($$$"""[{{{mixpanel.Event("\"Rare\"")}}},{{{mixpanel.Event("\"Common\"")}}},{{{mixpanel.Event("\"Common\"")}}},{"event":"","properties":{}},{"event":"","properties":{}},{"event":"x","properties":{"time":"never","distinct_id":"u"}}]""");

        using var feed = await Watching.StartAsync(mixpanel);
        var first = await feed.NextAsync();
        Assert.Equal((0, 0), (first.GetProperty("accepted").GetInt32(), first.GetProperty("rejected").GetInt32())); // they came before
        Assert.Equal(["Common", "Rare"], first.GetProperty("names").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal((3, 3),
            (first.GetProperty("seconds").EnumerateArray().Sum(second => second[1].GetInt32()),
                first.GetProperty("seconds").EnumerateArray().Sum(second => second[2].GetInt32())));
        Assert.True(string.CompareOrdinal(first.GetProperty("first").GetString(), first.GetProperty("last").GetString()) <= 0);
        var today = first.GetProperty("today");
        Assert.Equal(3, today.GetProperty("rejected").GetInt32());
        Assert.Equal([2, 1], today.GetProperty("reasons").EnumerateArray().Select(reason => reason.GetProperty("count").GetInt32()));
        Assert.Equal(["event", "properties.time"], today.GetProperty("reasons").EnumerateArray().Select(reason => reason.GetProperty("field").GetString()!));
    }

    [Fact]
    public void A_reason_that_names_what_somebody_made_up_does_not_fill_the_memory_and_the_day_ends_at_midnight_of_the_project()
    {
        var recent = new Recent();
        var now = new DateTimeOffset(2026, 11, 29, 22, 59, 59, TimeSpan.Zero); // in Berlin it is a second to midnight
        for (var i = 0; i < 1000; i++)
            recent.Reject(now, new Rejection(0, 1, now, "/import", new Fault($"p{i}", $"'p{i}' is invalid"), IsTold: true, "{}"));
        recent.Reject(now, new Rejection(0, 1, now.AddSeconds(1), "/import", new Fault("time", "late"), IsTold: true, "{}"));

        Assert.Equal(1001, recent.RefusalsSince(now.AddHours(-23)).Sum(reason => reason.Count));
        Assert.InRange(recent.RefusalsSince(now.AddHours(-23)).Count(), 1, 202);
        Assert.Equal(new Refusals("time", "late", 1), Assert.Single(recent.RefusalsSince(now.AddSeconds(1))));
        Assert.Equal((now.ToUnixTimeSeconds(), 0, 1001), Assert.Single(recent.SecondsUntil(now)));
        Assert.Empty(recent.SecondsUntil(now.AddSeconds(Recent.Seconds)));
    }

    [Fact]
    public async Task A_watch_begins_with_the_latest_events_and_is_for_owners_and_admins()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
        using var feed = await Watching.StartAsync(mixpanel);
        Assert.Equal("Signed up", Assert.Single((await feed.NextAsync()).GetProperty("events").EnumerateArray()).GetProperty("event").GetString());

        using var http = new HttpClient { Timeout = Hang.Limit };
        using var anonymous = await http.GetAsync(new Uri(mixpanel.Server.Address, "emulator/projects/1/live"), TestContext.Current.CancellationToken);
        Assert.Equal(401, (int)anonymous.StatusCode);
    }

    [Fact]
    public async Task The_stream_ends_with_the_server()
    {
        var mixpanel = await LocalMixpanel.StartAsync();
        using var feed = await Watching.StartAsync(mixpanel);
        await feed.NextAsync();
        await mixpanel.DisposeAsync();
        Assert.Null(await feed.EndAsync());
    }

    [Fact]
    public async Task Text_with_the_character_NUL_is_stored_whole()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event("\"a\\u0000b\"")}]");
        Assert.Equal("a\u2400b", Assert.Single(await mixpanel.Server.EventsAsync(cancellationToken: TestContext.Current.CancellationToken)).Name);
        var update = await mixpanel.PostAsync("/engage?verbose=1",
            """[{"$token":"local","$distinct_id":"x\u0000y","$set":{"p\u0000":"v\u0000"}},{"$token":"local","$distinct_id":"x\u0000z","$set":{"p":1}}]""");
        Assert.Equal(200, update.Status);
        Assert.Equal(["x\u2400y", "x\u2400z"],
            (await mixpanel.Server.ProfilesAsync(TestContext.Current.CancellationToken)).Select(profile => profile.DistinctId));
    }

    /// <summary>A client that watches project 1.</summary>
    sealed class Watching(HttpClient http, HttpResponseMessage answer, StreamReader lines) : IDisposable
    {
        public static async Task<Watching> StartAsync(LocalMixpanel mixpanel)
        {
            var http = new HttpClient { Timeout = Hang.Limit };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes("local:local")));
            var answer = await http.GetAsync(new Uri(mixpanel.Server.Address, "emulator/projects/1/live"), HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken);
            return new Watching(http, answer.EnsureSuccessStatusCode(),
                new StreamReader(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken)));
        }

        public async Task<JsonElement> NextAsync()
        {
            string line;
            do line = await lines.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("The stream has ended.");
            while (line.Length == 0);
            return JsonElement.Parse(line);
        }

        public async Task<string?> EndAsync() => await lines.ReadLineAsync(TestContext.Current.CancellationToken);

        public void Dispose()
        {
            lines.Dispose();
            answer.Dispose();
            http.Dispose();
        }
    }
}
