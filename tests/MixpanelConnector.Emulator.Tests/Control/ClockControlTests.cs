namespace MixpanelConnector.Emulator.Tests.Control;

public sealed class ClockControlTests
{
    [Fact]
    public async Task Everything_goes_by_the_clock_that_was_set()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.False((await mixpanel.ControlAsync("GET /emulator/clock")).GetProperty("frozen").GetBoolean());
        await mixpanel.ControlAsync("PUT /emulator/clock", """{"now":"2030-01-01T00:00:00Z","frozen":true}""");
        mixpanel.Clock.Advance(TimeSpan.FromHours(1));
        await mixpanel.TrackAsync("A");
        await mixpanel.ControlAsync("PUT /emulator/clock", """{"advance_seconds":60.5}""");
        await mixpanel.TrackAsync("B");
        await mixpanel.ControlAsync("PUT /emulator/clock", """{"frozen":false}""");
        mixpanel.Clock.Advance(TimeSpan.FromMinutes(1));
        await mixpanel.TrackAsync("C");
        await mixpanel.ControlAsync("DELETE /emulator/clock");
        await mixpanel.TrackAsync("D");

        Assert.Equal(
            ["2030-01-01 00:00:00.000", "2030-01-01 00:01:00.500", "2030-01-01 00:02:00.500", "2026-09-01 13:01:00.000"],
            (await mixpanel.Server.EventsAsync()).Select(stored =>
                stored.Time.ToString("yyyy-MM-dd HH:mm:ss.fff", System.Globalization.CultureInfo.InvariantCulture)),
            StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_deletion_that_waits_happens_when_the_clock_comes_to_it()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { DeletionDelay = TimeSpan.FromDays(30) });
        await mixpanel.TrackAsync("A");
        var bearer = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", "local");
        var task = (await mixpanel.SendAsync(HttpMethod.Post, "/api/app/data-deletions/v3.0?token=local", new StringContent("""{"distinct_ids":["ada"]}"""),
            bearer)).Json.GetProperty("results")
            .GetProperty("task_id").GetString();

        await mixpanel.ControlAsync("PUT /emulator/clock", """{"advance_seconds":2591000}""");
        Assert.Equal("PENDING", await StatusAsync());
        await mixpanel.ControlAsync("PUT /emulator/clock", """{"advance_seconds":1001}""");
        while (await StatusAsync() is not "SUCCESS") await Task.Yield();

        Assert.Empty(await mixpanel.Server.EventsAsync());

        async Task<string?> StatusAsync() =>
            (await mixpanel.GetAsync($"/api/app/data-deletions/v3.0/{task}?token=local", bearer)).Json.GetProperty("results").GetProperty("status").GetString();
    }

    [Theory]
    [InlineData("""{"now":"yesterday"}""", "now: must be a time like 2026-09-01T12:00:00Z")]
    [InlineData("""{"now":"1969-01-01T00:00:00Z"}""", "now: must be from 1970-01-02 to 9990-01-01")]
    [InlineData("""{"advance_seconds":1e300}""", "advance_seconds: must result in a time from 1970-01-02 to 9990-01-01")]
    [InlineData("""{"advance_seconds":-1e11}""", "advance_seconds: must result in a time from 1970-01-02 to 9990-01-01")]
    [InlineData("""{"now":"2026-09-01","advance_seconds":1}""", "advance_seconds: cannot be combined with now")]
    [InlineData("""{"stop":true}""", "stop: is not known")]
    public async Task A_clock_that_cannot_be_is_refused(string body, string message)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(message, (await mixpanel.ControlAsync("PUT /emulator/clock", body, 400)).GetString());
        Assert.Equal("2026-09-01T12:00:00.000Z", (await mixpanel.ControlAsync("GET /emulator/clock")).GetProperty("now").GetString());
    }
}
