namespace MixpanelConnector.Emulator.Tests;

public sealed class RateLimitTests
{
    const string Exceeded = "Project exceeded rate limits. Please retry the request with exponential backoff.";

    [Fact]
    public async Task Events_beyond_the_quota_of_a_minute_are_refused_until_it_has_passed()
    {
        await using var mixpanel = await StartAsync(new EmulatorRateLimits { IngestedEventsPerMinute = 2 });

        Assert.Equal(200, (await mixpanel.ImportAsync($"[{mixpanel.Event()},{mixpanel.Event()}]")).Status);
        (await mixpanel.ImportAsync($"[{mixpanel.Event()}]")).Is(429, $$"""{"code":429,"error":"{{Exceeded}}","status":"Too Many Requests"}""");
        Assert.Equal(429, (await mixpanel.PostAsync("/track", mixpanel.Event(more: "\"token\":\"local\""))).Status);
        mixpanel.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await mixpanel.ImportAsync($"[{mixpanel.Event()}]")).Status);
        Assert.Equal(3, (await mixpanel.Server.EventsAsync()).Count);
    }

    [Fact]
    public async Task Bytes_beyond_the_quota_of_a_minute_are_refused()
    {
        await using var mixpanel = await StartAsync(new EmulatorRateLimits { IngestedBytesPerMinute = 150 });

        Assert.Equal(200, (await mixpanel.ImportAsync($"[{mixpanel.Event()}]")).Status);
        Assert.Equal(429, (await mixpanel.ImportAsync($"[{mixpanel.Event()}]")).Status);
    }

    [Fact]
    public async Task Queries_and_exports_beyond_the_quota_of_an_hour_are_refused()
    {
        await using var mixpanel = await StartAsync(new EmulatorRateLimits { QueriesPerHour = 1, ExportsPerHour = 1 });
        const string Query = "/api/query/engage?project_id=1";
        const string Export = "/api/2.0/export?project_id=1&from_date=2026-09-01&to_date=2026-09-01";
        var owner = LocalMixpanel.Basic("local", "local");

        Assert.Equal(200, (await mixpanel.GetAsync(Query, owner)).Status);
        Assert.Equal(200, (await mixpanel.GetAsync(Export, owner)).Status);
        (await mixpanel.GetAsync(Query, owner)).Is(429, $$"""{"request":"{{Query}}","error":"{{Exceeded}}"}""");
        Assert.Equal(429, (await mixpanel.GetAsync(Export, owner)).Status);
        mixpanel.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(200, (await mixpanel.GetAsync(Query, owner)).Status);
    }

    [Fact]
    public async Task No_more_queries_run_at_once_than_the_quota_allows()
    {
        await using var mixpanel = await StartAsync(new EmulatorRateLimits { ConcurrentQueries = 0 });

        Assert.Equal(429, (await mixpanel.GetAsync("/api/query/engage?project_id=1", LocalMixpanel.Basic("local", "local"))).Status);
    }

    [Fact]
    public async Task Exports_tables_schemas_and_requests_for_personal_data_have_quotas_of_their_own()
    {
        await using var mixpanel = await StartAsync(new EmulatorRateLimits
        {
            ExportsPerSecond = 1,
            LookupTableReplacementsPerDay = 1,
            SchemaRequestsPerMinute = 2,
            SchemaEntriesPerMinute = 1,
            GdprRequestsPerSecond = 1,
        });
        var owner = LocalMixpanel.Basic("local", "local");
        async Task<int> TableAsync() => (await mixpanel.SendAsync(
            HttpMethod.Put, $"/lookup-tables/{DevelopmentCredentials.LookupTableId}?project_id=1",
            new StringContent("id\n1\n", System.Text.Encoding.UTF8, "text/csv"), owner)).Status;
        async Task<int> ExportAsync() => (await mixpanel.GetAsync("/api/2.0/export?project_id=1&from_date=2026-09-01&to_date=2026-09-01", owner)).Status;
        async Task<int> DeletionAsync() => (await mixpanel.SendAsync(
            HttpMethod.Post, "/api/app/data-deletions/v3.0?token=local", new StringContent("""{"distinct_ids":["a"]}"""),
            new("Bearer", DevelopmentCredentials.OAuthToken))).Status;
        async Task<int> SchemaAsync() =>
            (await mixpanel.SendAsync(HttpMethod.Post, "/api/app/projects/1/schemas/event/a", new StringContent("{}"), owner)).Status;

        Assert.Equal((200, 429), (await TableAsync(), await TableAsync()));
        Assert.Equal((200, 429), (await ExportAsync(), await ExportAsync()));
        Assert.Equal((201, 429), (await DeletionAsync(), await DeletionAsync()));
        Assert.Equal((200, 429), (await SchemaAsync(), await SchemaAsync()));
        Assert.Equal(200, (await mixpanel.GetAsync("/api/app/projects/1/schemas", owner)).Status);
        Assert.Equal(429, (await mixpanel.GetAsync("/api/app/projects/1/schemas", owner)).Status);
        mixpanel.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((429, 200, 201, 200), (await TableAsync(), await ExportAsync(), await DeletionAsync(), await SchemaAsync()));
    }

    static Task<LocalMixpanel> StartAsync(EmulatorRateLimits limits) => LocalMixpanel.StartAsync(options => options with { RateLimits = limits });
}
