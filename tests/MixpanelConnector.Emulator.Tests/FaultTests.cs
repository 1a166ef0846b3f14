using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

#pragma warning disable MA0002 // names compare by their characters wherever nothing else is said
namespace MixpanelConnector.Emulator.Tests;

public sealed class FaultTests
{
    [Fact]
    public async Task A_status_comes_in_the_shape_of_its_api_with_retry_after()
    {
        await using var mixpanel = await WithAsync(
            """{"rules":[{"path":"/import","status":429,"retry_after":7},{"path":"/api/query/*","status":503},{"path":"/api/app/*","status":500}]}""");

        var import = await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
        import.Is(429, """{"code":429,"error":"injected fault: 429","status":"Too Many Requests"}""");
        Assert.Equal("7", import.Headers["Retry-After"]);
        (await mixpanel.GetAsync("/api/query/events?x=1")).Is(503, """{"request":"/api/query/events?x=1","error":"injected fault: 503"}""");
        (await mixpanel.GetAsync("/api/app/me")).Is(500, """{"error":"injected fault: 500","status":"error"}""");
        Assert.Equal(200, (await mixpanel.GetAsync("/healthz")).Status);
        await mixpanel.Server.AssertNoEventsAsync();
    }

    [Fact]
    public async Task A_request_may_be_stored_before_it_fails()
    {
        await using var mixpanel = await WithAsync("""{"rules":[{"status":502,"stored":true}]}""");

        (await mixpanel.ImportAsync($"[{mixpanel.Event()}]")).Is(502, """{"code":502,"error":"injected fault: 502","status":"Bad Gateway"}""");

        await mixpanel.Server.AssertEventAsync("Signed up", "ada");
    }

    [Fact]
    public async Task An_export_that_is_terminated_early_says_so_under_status_200()
    {
        await using var mixpanel = await WithAsync("""{"rules":[{"path":"/api/2.0/export","terminated_after":1,"times":1}]}""");
        var time = DateTimeOffset.UnixEpoch.AddDays(20_000);
        for (var i = 0; i < 3; i++)
            (await mixpanel.ImportAsync($$$"""[{"event":"E","properties":{"time":{{{time.ToUnixTimeSeconds() + i}}},"distinct_id":"u","$insert_id":"i{{{i}}}"}}]""")).Is(
                200, """{"code":200,"num_records_imported":1,"status":"OK"}""");

        var query = $"/api/2.0/export?project_id=1&from_date={time:yyyy-MM-dd}&to_date={time:yyyy-MM-dd}";
        var (first, second) =
            (await mixpanel.GetAsync(query, LocalMixpanel.Basic("local", "local")), await mixpanel.GetAsync(query, LocalMixpanel.Basic("local", "local")));

        Assert.Equal((200, 2, "terminated early"), (first.Status, first.Text.TrimEnd().Split('\n').Length, first.Text.TrimEnd().Split('\n')[^1]));
        Assert.Equal((200, 3), (second.Status, second.Text.TrimEnd().Split('\n').Length));
    }

    [Fact]
    public async Task Rules_spare_the_first_requests_end_and_ask_for_a_method()
    {
        await using var mixpanel = await WithAsync("""{"rules":[{"path":"/track","method":"POST","status":500,"after":1,"times":2}]}""");

        List<int> statuses = [];
        for (var i = 0; i < 5; i++)
        {
            statuses.Add((await mixpanel.PostAsync("/track", "[]")).Status);
            statuses.Add((await mixpanel.GetAsync("/track?data=1")).Status);
        }

        Assert.Equal([200, 200, 500, 200, 500, 200, 200, 200, 200, 200], statuses);
    }

    [Fact]
    public async Task A_rate_is_drawn_from_the_seed()
    {
        static async Task<string> RunAsync(int seed)
        {
            await using var mixpanel = await WithAsync($$"""{"seed":{{seed}},"rules":[{"rate":0.3,"status":500}]}""");
            var statuses = "";
            for (var i = 0; i < 100; i++)
                statuses += (await mixpanel.GetAsync("/track?data=1")).Status == 500 ? "x" : ".";
            return statuses;
        }

        var first = await RunAsync(1);
        Assert.Equal(first, await RunAsync(1));
        Assert.NotEqual(first, await RunAsync(2));
        Assert.InRange(first.Count(c => c == 'x'), 15, 45);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task A_connection_may_be_reset(bool stored, int events)
    {
        await using var mixpanel = await WithAsync($$"""{"rules":[{"reset":true,"stored":{{(stored ? "true" : "false")}}}]}""");

        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => mixpanel.ImportAsync($"[{mixpanel.Event()}]"));

        Assert.True(failure.InnerException is IOException { InnerException: SocketException } or HttpIOException, failure.ToString());
        Assert.Equal(events, await mixpanel.Server.CountEventsAsync());
        while (mixpanel.Server.Requests.Count == 0)
            await Task.Yield(); // the client may see the reset before the server has written it down
        Assert.Null(Assert.Single(mixpanel.Server.Requests).Status);
    }

    [Fact]
    public async Task An_answer_may_be_cut()
    {
        await using var mixpanel = await WithAsync("""{"rules":[{"cut_after":10}]}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/import?strict=1&project_id=1") { Content = new StringContent($"[{mixpanel.Event()}]") };
        request.Headers.Authorization = LocalMixpanel.Basic("local", "local");

        using var response = await mixpanel.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(response.Content.Headers.ContentLength > 10);
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await using var body = await response.Content.ReadAsStreamAsync();
            await body.CopyToAsync(Stream.Null);
        });
        Assert.Equal(1, await mixpanel.Server.CountEventsAsync());
    }

    [Theory]
    [InlineData("""{"rules":[{"delay":300}]}""")]
    [InlineData("""{"rules":[{"bytes_per_second":100}]}""")]
    public async Task An_answer_may_be_late_or_slow(string faults)
    {
        await using var mixpanel = await WithAsync(faults);
        var start = TimeProvider.System.GetTimestamp();

        (await mixpanel.ImportAsync($"[{mixpanel.Event()}]")).Is(200, """{"code":200,"num_records_imported":1,"status":"OK"}""");

        Assert.True(TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMilliseconds(250));
    }

    [Theory]
    [InlineData("""{"rules":[{"delay":1}]}""", false)]
    [InlineData("""{"rules":[{"delay":1}]}""", true)]
    [InlineData("""{"rules":[{"bytes_per_second":1000000}]}""", false)]
    [InlineData("""{"rules":[{"bytes_per_second":1000000}]}""", true)]
    [InlineData("""{"rules":[{"cut_after":1000000}]}""", false)]
    [InlineData("""{"rules":[{"path":"/api/2.0/export","delay":1,"terminated_after":5}]}""", false)]
    public async Task An_export_may_be_late_slow_or_cut_with_and_without_gzip(string faults, bool gzip)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
        Task<Answer> ExportAsync() =>
            mixpanel.SendAsync(HttpMethod.Get, "/api/2.0/export?project_id=1&from_date=2026-09-01&to_date=2026-09-01",
                authorization: LocalMixpanel.Basic("local", "local"), headers: headers =>
        {
            if (gzip) headers.AcceptEncoding.ParseAdd("gzip");
        });
        var expected = await ExportAsync();
        await mixpanel.SendAsync(HttpMethod.Put, "/emulator/faults", new StringContent(faults), LocalMixpanel.Basic("local", "local"));

        var answer = await ExportAsync();

        Assert.Equal(200, answer.Status);
        Assert.NotEmpty(answer.Bytes);
        if (!faults.Contains("terminated", StringComparison.Ordinal)) Assert.Equal(expected.Bytes, answer.Bytes);
        Assert.Equal(200, mixpanel.Server.Requests[^1].Status);
    }

    [Fact]
    public async Task The_control_endpoint_shows_replaces_and_clears_them()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var owner = LocalMixpanel.Basic("local", "local");
        Task<Answer> SendAsync(HttpMethod method, string? json = null, AuthenticationHeaderValue? who = null) =>
            mixpanel.SendAsync(method, "/emulator/faults", json is null ? null : new StringContent(json), who ?? owner);

        Assert.Equal(200, (await SendAsync(HttpMethod.Put, """{"seed":3,"rules":[{"path":"/track","status":500}]}""")).Status);
        await mixpanel.PostAsync("/track", "[]");
        Assert.Equal(1, (await SendAsync(HttpMethod.Get)).Json.GetProperty("results").GetProperty("rules")[0].GetProperty("happened").GetInt32());
        Assert.Equal(200, (await SendAsync(HttpMethod.Delete)).Status);
        Assert.Equal(200, (await mixpanel.PostAsync("/track", "[]")).Status);
        Assert.Equal(401, (await SendAsync(HttpMethod.Put, "{}", LocalMixpanel.Basic("local", "wrong"))).Status);
    }

    [Theory]
    [InlineData("[]", "faults are not valid: ")]
    [InlineData("""{"rules":[{"rate":2}]}""", "rate must be from 0 to 1")]
    [InlineData("""{"rules":[{"status":200}]}""", "status must be from 400 to 599")]
    [InlineData("""{"rules":[{"stauts":500}]}""", "faults are not valid: ")]
    [InlineData("""{"rules":[{"path":null}]}""", "faults are not valid: ")]
    [InlineData("""{"rules":[{"rate":1,"Rate":0}]}""", "faults are not valid: ")]
    [InlineData("""{"rules":null}""", "rules must be a list of objects")]
    [InlineData("""{"rules":[null]}""", "rules must be a list of objects")]
    [InlineData("""{"rules":[{"status":500,"reset":true}]}""", "a rule can have only one of status, reset, cut_after and terminated_after")]
    public async Task Faults_with_a_mistake_are_refused(string json, string error)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.SendAsync(HttpMethod.Put, "/emulator/faults", new StringContent(json), LocalMixpanel.Basic("local", "local"));

        Assert.Equal(400, answer.Status);
        Assert.StartsWith(error, answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_written_is_as_documented()
    {
        var faults = EmulatorFaults.Parse("""{ "rules": [{ "Rate": 0.5, /* of all */ "status": 500, }] }""");

        Assert.Equal(new EmulatorFault { Rate = 0.5, Status = 500 }, Assert.Single(faults.Rules));
        Assert.Equal(new EmulatorFault(), Assert.Single(EmulatorFaults.Parse("""{"rules":[{}]}""").Rules));
        Assert.Empty(EmulatorFaults.Parse("{}").Rules);
        Assert.Equal(faults.Rules, EmulatorFaults.Parse(faults.ToJson()).Rules);
    }

    static Task<LocalMixpanel> WithAsync(string faults) => LocalMixpanel.StartAsync(options => options with { Faults = EmulatorFaults.Parse(faults) });
}
