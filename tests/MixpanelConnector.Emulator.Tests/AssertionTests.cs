namespace MixpanelConnector.Emulator.Tests;

public sealed class AssertionTests
{
    [Fact]
    public async Task What_arrived_passes_and_is_given_back()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.Server.AssertNoEventsAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"n\":1")},{mixpanel.Event(more: "\"n\":2")}]");
        await mixpanel.PostAsync("/engage", """{"$token":"local","$distinct_id":"ada","$set":{"plan":"pro"}}""");

        var found = await mixpanel.Server.AssertEventAsync("Signed up", "ada", properties => properties.GetProperty("n").GetInt32() == 2);

        Assert.Equal(2, found.Sequence);
        Assert.Equal("ada", (await mixpanel.Server.AssertProfileAsync("ada", properties => properties.GetProperty("plan").GetString() == "pro")).DistinctId);
        mixpanel.Server.AssertNothingRefused();
        Assert.Equal([("POST", "/import", 200), ("POST", "/engage", 200)], mixpanel.Server.Requests.Select(request => (request.Method, request.Path, request.Status ?? 0)));
    }

    [Fact]
    public async Task What_did_not_arrive_fails_and_the_message_shows_what_did()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"n\":1")}]");
        await mixpanel.GetAsync("/lookup-tables");

        var wrongName = await Assert.ThrowsAsync<EmulatorAssertionException>(() => mixpanel.Server.AssertEventAsync("Signed out"));
        Assert.StartsWith("Expected 1 events 'Signed out', found 0. There are:\n  'Signed up' of 'ada' {", wrongName.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<EmulatorAssertionException>(() => mixpanel.Server.AssertEventAsync("Signed up", "bob"));
        await Assert.ThrowsAsync<EmulatorAssertionException>(() => mixpanel.Server.AssertEventsAsync("Signed up", 2));
        await Assert.ThrowsAsync<EmulatorAssertionException>(() => mixpanel.Server.AssertEventAsync("Signed up", properties: _ => false));
        await Assert.ThrowsAsync<EmulatorAssertionException>(() => mixpanel.Server.AssertNoEventsAsync());
        await Assert.ThrowsAsync<EmulatorAssertionException>(() => mixpanel.Server.AssertProfileAsync("ada"));
        Assert.Equal("Expected no request to be refused, found 1. There are:\n  GET /lookup-tables: 401", Assert.Throws<EmulatorAssertionException>(mixpanel.Server.AssertNothingRefused).Message);
    }
}
