using MixpanelConnector.Emulator.Tests.Control;

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
        Assert.Equal([("POST", "/import", 200), ("POST", "/engage", 200)],
            mixpanel.Server.Requests.Select(request => (request.Method, request.Path, request.Status ?? 0)));
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
        Assert.Equal("Expected no rejected requests, found 1. There are:\n  GET /lookup-tables: 401",
            Assert.Throws<EmulatorAssertionException>(mixpanel.Server.AssertNothingRefused).Message);
    }

    [Fact]
    public async Task Tests_with_a_project_each_do_not_meet()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var (one, other) = (await mixpanel.Server.CreateProjectAsync(cancellationToken: TestContext.Current.CancellationToken),
            await mixpanel.Server.CreateProjectAsync("other", TestContext.Current.CancellationToken));
        await mixpanel.TrackAsync("Order placed", one.Token);

        Assert.Equal(one.Id, (await one.Received.Event("Order placed")).ProjectId);
        await other.Received.Event("Order placed").NeverAsync(TestContext.Current.CancellationToken);
        await mixpanel.Server.Received.Event("Order placed");
        Assert.DoesNotContain("Order placed", (await Assert.ThrowsAsync<EmulatorAssertionException>(async () => await other.Received.Event("Other"))).Message,
            StringComparison.Ordinal);
        Assert.Equal(200, (await mixpanel.GetAsync("/api/query/events/names?type=general", LocalMixpanel.Basic(one.Secret, ""))).Status);
    }

    [Fact]
    public async Task An_expectation_is_built_of_parts_and_awaited()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"n\":5.0,\"plan\":\"pro\",\"vip\":true,\"none\":null,\"big\":12345678901234567890,\"list\":[1]")},{mixpanel.Event(insertId: "\"id-2\"", distinctId: "\"bob\"")}]");
        var events = mixpanel.Server.Received.Event("Signed up");

        var found = await events.By("ada")
            .In(1)
            .With("n", 5)
            .With("n", 5L)
            .With("n", 5.0)
            .With("n", 5m)
            .With("plan", "pro")
            .With("vip", true)
            .With("none", null)
            .With("missing", null)
            .With("big", 12345678901234567890UL)
            .With(properties => properties.GetProperty("list")[0].GetInt32() == 1);
        Assert.Equal("ada", found.DistinctId);
        Assert.Equal("bob", (await events.By("bob").OnceAsync()).DistinctId);
        Assert.Equal(2, (await events.TimesAsync(2)).Count);
        await mixpanel.Server.Received.Event("Signed out").NeverAsync();
        await events.With("n", 6).NeverAsync();
        await events.With("n", "5").NeverAsync();
        await events.With("plan", 5).NeverAsync();
        await events.With("vip", false).NeverAsync();
        await events.In(2).NeverAsync();

        var failure = await Assert.ThrowsAsync<EmulatorAssertionException>(async () => await events.By("ada").With("plan", "free").With("n", 5.5));
        Assert.StartsWith("Expected 1 event 'Signed up' by 'ada' with plan = 'free' with n = 5.5, found 0. There are:\n  'Signed up' of 'ada' {",
            failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("Expected 3 events 'Signed up', found 2.", (await Assert.ThrowsAsync<EmulatorAssertionException>(() => events.TimesAsync(3))).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => events.With("at", DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public async Task An_embedded_Mixpanel_that_was_stopped_says_so()
    {
        var mixpanel = await EmulatedMixpanel.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await mixpanel.DisposeAsync();
        await mixpanel.DisposeAsync();

        foreach (var use in (Func<Task>[])
        [
            () => mixpanel.EventsAsync(),
            () => mixpanel.CountEventsAsync(),
            () => mixpanel.ProfilesAsync(),
            () => mixpanel.GroupsAsync(),
            () => mixpanel.LookupTablesAsync(),
            () => mixpanel.CreateProjectAsync(),
        ])
            Assert.Equal(typeof(EmulatedMixpanel).FullName, (await Assert.ThrowsAsync<ObjectDisposedException>(use)).ObjectName);
    }
}
