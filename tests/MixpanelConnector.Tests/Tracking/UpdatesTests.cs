using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

public sealed class UpdatesTests
{
    [Fact]
    public async Task Updates_of_a_profile_arrive_in_the_form_of_engage_and_in_order()
    {
        await using var run = new TrackerRun();
        var profile = run.Tracker.Profile("user-1");

        Assert.True(profile.Set(new { Plan = "pro" }));
        Assert.True(profile.Set("Seats", 3));
        Assert.True(profile.SetOnce(new JsonObject { ["First seen"] = "2026-11-23" }));
        Assert.True(profile.Add("Logins", 1));
        Assert.True(profile.Add("Spent", 12.50m));
        Assert.True(profile.Append("Orders", "o-1"));
        Assert.True(profile.Union("Tags", "a", "b"));
        Assert.True(profile.Remove("Tags", "c"));
        Assert.True(profile.Unset("Old", "Older"));
        Assert.True(profile.Delete());
        await run.Tracker.FlushAsync();

        string[] expected =
        [
            """{"$set":{"Plan":"pro"}}""", """{"$set":{"Seats":3}}""", """{"$set_once":{"First seen":"2026-11-23"}}""", """{"$add":{"Logins":1}}""",
            """{"$add":{"Spent":12.50}}""",
            """{"$append":{"Orders":"o-1"}}""", """{"$union":{"Tags":["a","b"]}}""", """{"$remove":{"Tags":"c"}}""", """{"$unset":["Old","Older"]}""",
            """{"$delete":""}""",
        ];
        Assert.Equal(expected.Select(update => $$"""{"$token":"{{Given.TokenText}}","$distinct_id":"user-1",{{update[1..]}}"""), run.Mixpanel.Stored,
            StringComparer.Ordinal);
        Assert.All(run.Mixpanel.Requests, request => Assert.Equal("/engage?verbose=1&ip=0&strict=1", request.Path + request.Query));
    }

    [Fact]
    public async Task A_property_is_set_to_null()
    {
        await using var run = new TrackerRun();

        Assert.True(run.Tracker.Profile("user-1").Set("name", null));
        Assert.True(run.Tracker.Profile("user-1").SetOnce("name", null));
        await run.Tracker.Profile("user-1").SetAsync("name", null, TestContext.Current.CancellationToken);
        await run.Tracker.Profile("user-1").SetOnceAsync("name", null, TestContext.Current.CancellationToken);
        Assert.True(run.Tracker.Group("company", "acme").Set("name", null));
        Assert.True(run.Tracker.Group("company", "acme").SetOnce("name", null));
        await run.Tracker.Group("company", "acme").SetAsync("name", null, TestContext.Current.CancellationToken);
        await run.Tracker.Group("company", "acme").SetOnceAsync("name", null, TestContext.Current.CancellationToken);
        await run.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(8, run.Stored.Count);
        Assert.All(run.Mixpanel.Stored, record => Assert.Contains("""{"name":null}""", record, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_update_says_beside_its_value_what_it_is_told_to()
    {
        await using var run = new TrackerRun();
        var profile = run.Tracker.Profile(MixpanelUser.Identified("user-1", "d-1"));

        Assert.True(profile.SetOnce("Plan", "pro"));
        Assert.True(profile.With(new ProfileSettings { Ip = "203.0.113.7", Time = DateTimeOffset.UnixEpoch.AddSeconds(7.9) }).Set("Seats", 3));
        await run.Tracker.Profile(MixpanelUser.Anonymous("d-2")).With(new ProfileSettings { IgnoreTime = true, IgnoreAlias = true }).DeleteAsync();
        Assert.True(run.Tracker.Group("company", "acme").SetOnce("Plan", "pro"));
        await run.Tracker.FlushAsync();

        const string Token = $$"""{"$token":"{{Given.TokenText}}",""";
        string[] expected =
        [
            Token + """ "$distinct_id":"user-1","$set_once":{"Plan":"pro"}}""".TrimStart(),
            Token + """ "$distinct_id":"user-1","$ip":"203.0.113.7","$time":7,"$set":{"Seats":3}}""".TrimStart(),
            Token + """ "$distinct_id":"$device:d-2","$ignore_time":true,"$ignore_alias":true,"$delete":""}""".TrimStart(),
            Token + """ "$group_key":"company","$group_id":"acme","$set_once":{"Plan":"pro"}}""".TrimStart(),
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), run.Mixpanel.Stored.Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Updates_of_a_group_arrive_in_the_form_of_groups()
    {
        await using var run = new TrackerRun();
        var group = run.Tracker.Group("company", "acme");

        await group.SetAsync("Plan", "pro");
        await group.UnionAsync("Tags", ["a"]);
        await group.DeleteAsync();
        await run.Tracker.FlushAsync();

        Assert.Equal(
            new[] { """{"$set":{"Plan":"pro"}}""", """{"$union":{"Tags":["a"]}}""", """{"$delete":""}""" }.Select(
                update => $$"""{"$token":"{{Given.TokenText}}","$group_key":"company","$group_id":"acme",{{update[1..]}}"""),
            run.Mixpanel.Stored,
            StringComparer.Ordinal);
        Assert.All(run.Mixpanel.Requests, request => Assert.Equal("/groups", request.Path));
    }

    [Fact]
    public async Task An_addition_whose_outcome_is_unknown_is_not_sent_again_but_told()
    {
        await using var run = new TrackerRun();
        var first = true;
        run.Mixpanel.Script = _ =>
        {
            if (!first) return null;
            first = false;
            return MixpanelDouble.Answer(502, "");
        };

        run.Tracker.Profile("u").Add("Logins", 1);
        run.Tracker.Profile("u").Set("Plan", "pro");
        await run.Tracker.FlushAsync();

        var rejected = Assert.Single(run.Rejected);
        Assert.Equal("outcome_unknown", rejected.Code);
        Assert.True(rejected.MaybeDelivered);
        Assert.Contains("$add", System.Text.Encoding.UTF8.GetString(rejected.Json.Span), StringComparison.Ordinal);
        Assert.Contains("$set", Assert.Single(run.Mixpanel.Stored), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_token_an_update_says_what_it_needs()
    {
        await using var run = new TrackerRun(options: Given.Account());
        Assert.Equal("token", Assert.Throws<MixpanelException>(() => run.Tracker.Profile("u").Set("a", 1)).Error.Field);
    }
}
