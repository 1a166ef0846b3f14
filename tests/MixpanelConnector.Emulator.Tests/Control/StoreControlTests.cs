using MixpanelConnector.Testing;

namespace MixpanelConnector.Emulator.Tests.Control;

/// <summary>Reset, snapshots, and creating and deleting projects.</summary>
public sealed class StoreControlTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_store_works_with_many_snapshots(bool onDisk)
    {
        using var folder = new Testing.TemporaryFolder();
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = onDisk ? folder.Path : null });
        for (var i = 0; i < 70; i++)
        {
            await mixpanel.ControlAsync($"PUT /emulator/snapshots/s{i}");
            var events = Enumerable.Range(0, 20)
                .Select(j => mixpanel.Event(distinctId: $"\"u{j}\"", insertId: $"\"i{i}-{j}\"", more: $"\"p\":\"{new string('v', 100)}\""));
            Assert.Equal(200, (await mixpanel.ImportAsync($"[{string.Join(',', events)}]")).Status);
        }

        var profiles = Enumerable.Range(0, 2000).Select(i => $$$"""{"$token":"local","$distinct_id":"u{{{i}}}","$set":{"p":"{{{new string('v', 1000)}}}"}}""");
        (await mixpanel.PostAsync("/engage", $"[{string.Join(',', profiles)}]")).Is(200, "1");
        await mixpanel.ControlAsync("POST /emulator/snapshots/s30/restore");
        Assert.Equal(600, await mixpanel.Server.CountEventsAsync(deduplicated: true));
    }

    [Fact]
    public async Task A_reset_leaves_what_the_first_start_has()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { RateLimits = new EmulatorRateLimits { QueriesPerHour = 1 } });
        await mixpanel.TrackAsync("A");
        await mixpanel.PostAsync("/engage", """{"$token":"local","$distinct_id":"ada","$set":{"a":1}}""");
        await mixpanel.ControlAsync("POST /emulator/projects", """{"name":"Second","token":"second"}""", 201);
        await mixpanel.ControlAsync("PUT /emulator/service-accounts/bob", """{"secret":"s","role":"admin"}""");
        await mixpanel.ControlAsync("PUT /emulator/clock", """{"advance_seconds":3600,"frozen":true}""");
        await mixpanel.ControlAsync("PUT /emulator/faults", """{"rules":[{"path":"/track","status":503}]}""");
        var account = await mixpanel.ControlAsync("POST /emulator/projects/1/cohorts", """{"name":"c","where":"defined(properties[\"a\"])"}""", 201);
        Assert.Equal(200, (await QueryAsync()).Status);
        Assert.Equal(429, (await QueryAsync()).Status);
        var before = (await mixpanel.GetAsync("/healthz")).Json.GetProperty("store").GetString();

        await mixpanel.ControlAsync("POST /emulator/reset");

        Assert.Empty(await mixpanel.Server.EventsAsync());
        Assert.Empty(await mixpanel.Server.ProfilesAsync());
        Assert.Equal("local", Assert.Single((await mixpanel.ControlAsync("GET /emulator/projects")).EnumerateArray()).GetProperty("token").GetString());
        Assert.Equal(401, (await mixpanel.GetAsync("/emulator/projects", LocalMixpanel.Basic("bob", "s"))).Status);
        Assert.Equal("2026-09-01T12:00:00.000Z", (await mixpanel.ControlAsync("GET /emulator/clock")).GetProperty("now").GetString());
        Assert.Equal(0, (await mixpanel.ControlAsync("GET /emulator/faults")).GetProperty("rules").GetArrayLength());
        Assert.Empty(mixpanel.Server.Requests);
        Assert.Equal(200, (await QueryAsync()).Status);
        Assert.NotEqual(before, (await mixpanel.GetAsync("/healthz")).Json.GetProperty("store").GetString(), StringComparer.Ordinal);
        Assert.Equal(account.GetProperty("id").GetInt32(),
            (await mixpanel.ControlAsync("POST /emulator/projects/1/cohorts", """{"name":"c","where":"defined(properties[\"a\"])"}""",
                201)).GetProperty("id").GetInt32()); // numbers begin anew
        await mixpanel.TrackAsync("B");
        Assert.Equal(1, (await mixpanel.OnlyEventAsync()).Sequence);

        Task<Answer> QueryAsync() => mixpanel.GetAsync("/api/query/events/names?project_id=1&type=general", LocalMixpanel.Basic("local", "local"));
    }

    [Fact]
    public async Task A_reset_forgets_who_is_who_and_how_many_events_somebody_had()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { EventsPerDistinctIdAndDay = 1 });
        const string Links = """[{"event":"A","properties":{"token":"local","$user_id":"ada","$device_id":"d"}}]""";
        await mixpanel.PostAsync("/track", Links);
        await mixpanel.ControlAsync("POST /emulator/reset");

        await mixpanel.PostAsync("/track",
            """[{"event":"B","properties":{"token":"local","$device_id":"d"}},{"event":"C","properties":{"token":"local","distinct_id":"ada"}}]""");

        Assert.Equal(["B $device:d", "C ada"], (await mixpanel.Server.EventsAsync()).Select(stored => $"{stored.Name} {stored.DistinctId}"),
            StringComparer.Ordinal);
        var lines =
            (await mixpanel.GetAsync("/api/2.0/export?from_date=2026-09-01&to_date=2026-09-01&project_id=1", LocalMixpanel.Basic("local", "local"))).Text;
        Assert.Contains("\"distinct_id\":\"$device:d\"", lines, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_snapshot_brings_everything_back(bool onDisk)
    {
        using var folder = new TemporaryFolder();
        await using (var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = onDisk ? folder.Path : null }))
        {
            await mixpanel.PostAsync("/track", """[{"event":"A","properties":{"token":"local","$user_id":"ada","$device_id":"d"}}]""");
            await mixpanel.ControlAsync("POST /emulator/projects", """{"name":"Second","token":"second"}""", 201);
            await mixpanel.ControlAsync("PUT /emulator/snapshots/first");
            await mixpanel.TrackAsync("B", "second");
            await mixpanel.PostAsync("/engage", """{"$token":"second","$distinct_id":"bob","$set":{"a":1}}""");
            await mixpanel.ControlAsync("DELETE /emulator/projects/2");
            await mixpanel.ControlAsync("PUT /emulator/snapshots/later");
            if (!onDisk) await RestoreAsync(mixpanel);
        }

        if (!onDisk) return;
        await using var again = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path });
        await RestoreAsync(again);

        static async Task RestoreAsync(LocalMixpanel mixpanel)
        {
            await mixpanel.ControlAsync("POST /emulator/snapshots/first/restore");

            Assert.Equal("1:A", await mixpanel.NamesAsync());
            Assert.Empty(await mixpanel.Server.ProfilesAsync());
            await mixpanel.PostAsync("/track",
                """[{"event":"C","properties":{"token":"second","distinct_id":"x"}},{"event":"D","properties":{"token":"local","$device_id":"d"}}]""");
            Assert.Equal("1:A 2:C 1:D", await mixpanel.NamesAsync());
            Assert.Equal([1, 2, 3], (await mixpanel.Server.EventsAsync()).Select(stored => stored.Sequence));
            await mixpanel.ControlAsync("POST /emulator/snapshots/later/restore");
            Assert.Equal("1:A", await mixpanel.NamesAsync());
            Assert.Equal(["first", "later"],
                (await mixpanel.ControlAsync("GET /emulator/snapshots")).EnumerateArray().Select(one => one.GetProperty("name").GetString()),
                StringComparer.Ordinal);
            await mixpanel.ControlAsync("DELETE /emulator/snapshots/later");
            await mixpanel.ControlAsync("POST /emulator/snapshots/later/restore", status: 404);
            await mixpanel.ControlAsync("DELETE /emulator/snapshots/later", status: 404);
            Assert.Equal("1:A", await mixpanel.NamesAsync());
        }
    }

    [Theory]
    [InlineData("A")]
    [InlineData("a%20b")]
    [InlineData("a%22;drop")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_snapshot_has_a_plain_name(string name)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.ControlAsync($"PUT /emulator/snapshots/{name}", status: 400);
        await mixpanel.ControlAsync($"POST /emulator/snapshots/{name}/restore", status: 400);
        await mixpanel.ControlAsync($"DELETE /emulator/snapshots/{name}", status: 400);
    }

    [Fact]
    public async Task Tests_with_a_project_each_do_not_meet()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await Parallel.ForEachAsync(Enumerable.Range(2, 8), TestContext.Current.CancellationToken, async (id, _) =>
        {
            await mixpanel.ControlAsync($"PUT /emulator/projects/{id}", $$"""{"name":"Test {{id}}","token":"token-{{id}}"}""");
            for (var i = 0; i < id; i++) await mixpanel.TrackAsync($"E{id}", $"token-{id}", "same");
            await mixpanel.PostAsync("/engage", $$$"""{"$token":"token-{{{id}}}","$distinct_id":"same","$set":{"id":{{{id}}}}}""");
            if (id % 2 == 0) await mixpanel.ControlAsync($"POST /emulator/projects/{id}/reset");
            if (id % 3 == 0) await mixpanel.ControlAsync($"DELETE /emulator/projects/{id}");
        });

        Assert.Equal([5, 5, 5, 5, 5, 7, 7, 7, 7, 7, 7, 7], (await mixpanel.Server.EventsAsync()).Select(stored => stored.ProjectId).Order());
        Assert.Equal([5, 7], (await mixpanel.Server.ProfilesAsync()).Select(stored => stored.ProjectId));
        Assert.Equal([1, 2, 4, 5, 7, 8],
            (await mixpanel.ControlAsync("GET /emulator/projects")).EnumerateArray().Select(project => project.GetProperty("id").GetInt32()));
        Assert.Equal([5, 7], mixpanel.Server.Requests.SelectMany(request => request.ProjectIds).Distinct().Order());
    }

    [Fact]
    public async Task The_first_project_is_emptied_and_not_deleted()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.TrackAsync("A");
        await mixpanel.ControlAsync("PUT /emulator/projects/1", """{"name":"Ours","token":"local","timezone":"Europe/Berlin","secret":"known"}""");

        await mixpanel.ControlAsync("PUT /emulator/projects/1", """{"name":"Ours","identity_management":"original","region":"eu"}""");
        await mixpanel.ControlAsync("PUT /emulator/projects/1", """{"name":"Ours"}"""); // what is not named stays
        Assert.Equal("local known",
            (await mixpanel.ControlAsync("GET /emulator/projects"))[0] is var ours ? $"{ours.GetProperty("token")} {ours.GetProperty("secret")}" : "");
        foreach (var id in (string[])["01", "0", "x", "2147483648"]) await mixpanel.ControlAsync($"PUT /emulator/projects/{id}", """{"name":"x"}""", 400);
        Assert.Contains("reset", (await mixpanel.ControlAsync("DELETE /emulator/projects/1", status: 400)).GetString(), StringComparison.Ordinal);
        Assert.Equal("1:A", await mixpanel.NamesAsync()); // other settings leave what is in it
        await mixpanel.ControlAsync("POST /emulator/projects/1/reset");

        Assert.Equal("", await mixpanel.NamesAsync());
        var project = Assert.Single((await mixpanel.ControlAsync("GET /emulator/projects")).EnumerateArray());
        Assert.Equal(("Ours", "Europe/Berlin", "known"),
            (project.GetProperty("name").GetString(), project.GetProperty("timezone").GetString(), project.GetProperty("secret").GetString()));
        Assert.Single(await mixpanel.Server.LookupTablesAsync());
    }

    [Theory]
    [InlineData("""{"name":"x","token":"local"}""", "token: already in use, or the secret is")]
    [InlineData("""{"name":"x","secret":"local-secret"}""", "token: already in use, or the secret is")]
    [InlineData("""{"name":"x","region":"mars"}""", "region: must be us, eu, in")]
    [InlineData("""{"name":"x","timezone":"Mars"}""", "timezone: must be a time zone like Europe/Berlin")]
    [InlineData("""{"name":"x","colour":"red"}""", "colour: is not known")]
    [InlineData("""{}""", "name: must not be missing")]
    public async Task Wrong_settings_of_a_project_are_named(string body, string message)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(message, (await mixpanel.ControlAsync("PUT /emulator/projects/7", body, 400)).GetString());
        Assert.Equal(message, (await mixpanel.ControlAsync("POST /emulator/projects", body, 400)).GetString());
    }

    [Fact]
    public async Task An_account_has_the_secret_and_the_projects_that_it_was_given()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ControlAsync("PUT /emulator/projects/2", """{"name":"Second","token":"second"}""");
        await mixpanel.ControlAsync("PUT /emulator/service-accounts/bob", """{"secret":"one","role":"consumer","projects":[{"id":2,"role":"analyst"}]}""");

        Assert.Equal(200, (await NamesAsync("one", 2)).Status);
        Assert.Equal(403, (await NamesAsync("one", 1)).Status);
        await mixpanel.ControlAsync("PUT /emulator/service-accounts/bob", """{"secret":"two","expires":"2020-01-01T00:00:00Z"}""");
        Assert.Equal(401, (await NamesAsync("one", 2)).Status);
        Assert.Equal(401, (await NamesAsync("two", 2)).Status); // it has expired already
        Assert.Equal("projects[0].id: there is no such project",
            (await mixpanel.ControlAsync("PUT /emulator/service-accounts/bob", """{"secret":"x","projects":[{"id":9}]}""", 400)).GetString());
        await mixpanel.ControlAsync("PUT /emulator/service-accounts/local", """{"secret":"x"}""", 400);

        Task<Answer> NamesAsync(string secret, int project) =>
            mixpanel.GetAsync($"/api/query/events/names?project_id={project}&type=general", LocalMixpanel.Basic("bob", secret));
    }

    [Theory]
    [InlineData("DELETE /emulator/projects/2")]
    [InlineData("POST /emulator/projects/2/reset")]
    [InlineData("POST /emulator/projects/2/funnels")]
    [InlineData("GET /emulator/projects/2/live")]
    public async Task A_project_that_is_gone_is_not_found(string request)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ControlAsync("PUT /emulator/projects/2", """{"name":"Second"}""");
        await mixpanel.ControlAsync("DELETE /emulator/projects/2");

        Assert.Equal("there is no project with this id", (await mixpanel.ControlAsync(request, "{}", 404)).GetString());
    }

    [Fact]
    public async Task Only_who_manages_the_organization_may_do_any_of_it()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ControlAsync("PUT /emulator/service-accounts/bob", """{"secret":"s","role":"analyst","projects":[{"id":1,"role":"analyst"}]}""");
        var ours = mixpanel.Server.Endpoints.Where(endpoint => endpoint.Path.StartsWith("/emulator/", StringComparison.Ordinal)
            && endpoint.Path is not "/emulator/openapi.json" && !endpoint.Path.StartsWith("/emulator/data-retrievals", StringComparison.Ordinal)).ToList();

        foreach (var (method, path) in ours)
        {
            var real = path.Replace("{project}", "1", StringComparison.Ordinal)
                .Replace("{snapshot}", "s", StringComparison.Ordinal)
                .Replace("{username}", "u", StringComparison.Ordinal)
                .Replace("{table}", "t", StringComparison.Ordinal);
            Assert.Equal((path, 403),
                (path, (await mixpanel.SendAsync(new HttpMethod(method), real, new StringContent("{}"), LocalMixpanel.Basic("bob", "s"))).Status));
        }

        Assert.True(ours.Count > 20);
    }

    [Fact]
    public async Task What_this_is_stands_at_the_root_and_its_description_tells_of_every_endpoint()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal("Embedded Mixpanel", (await mixpanel.GetAsync("/")).Json.GetProperty("results").GetProperty("name").GetString());
        var described = (await mixpanel.GetAsync("/emulator/openapi.json")).Json.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"));
        Assert.Equal(
            mixpanel.Server.Endpoints.Where(endpoint => endpoint.Path.StartsWith("/emulator", StringComparison.Ordinal))
                .Select(endpoint => $"{endpoint.Method} {endpoint.Path}")
                .Order(StringComparer.Ordinal),
            described.Order(StringComparer.Ordinal));
    }
}
