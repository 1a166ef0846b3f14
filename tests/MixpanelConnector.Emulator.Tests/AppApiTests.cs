using System.Net.Http.Headers;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

public sealed class AppApiTests
{
    const string Project = "/api/app/projects/1";
    const string Flags = Project + "/workspaces/1/feature-flags";
    const string Experiments = "/api/app/workspaces/1/experiments";

    static readonly AuthenticationHeaderValue Bearer = new("Bearer", DevelopmentCredentials.OAuthToken);

    [Theory]
    [InlineData("2026-03-08 02:00:00", "2026-03-08T03:00:00-04:00")]
    [InlineData("2026-03-08 02:59:59", "2026-03-08T03:00:00-04:00")]
    [InlineData("2026-03-08 03:00:00", "2026-03-08T03:00:00-04:00")]
    [InlineData("2026-11-01 01:30:00", "2026-11-01T01:30:00-04:00")]
    [InlineData("2026-11-01 02:00:00", "2026-11-01T02:00:00-05:00")]
    public async Task The_date_of_an_annotation_is_the_first_moment_of_that_local_time(string date, string shown)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.SendAsync(HttpMethod.Put, "/emulator/projects/1", new StringContent("""{"name":"Local","timezone":"America/New_York"}"""),
            LocalMixpanel.Basic("local", "local"));

        var annotation =
            (await AskAsync(mixpanel, HttpMethod.Post, Project + "/annotations", $$"""{"date":"{{date}}","description":"x"}""")).Json.GetProperty("results");

        Assert.Equal(shown, annotation.GetProperty("date").GetString());
    }

    [Fact]
    public async Task Annotations_are_made_listed_changed_and_deleted()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var tag = await AskAsync(mixpanel, HttpMethod.Post, Project + "/annotations/tags", """{"name":"release"}""");
        tag.Is(200, """{"results":{"id":1,"name":"release","project_id":1,"has_annotations":false},"status":"ok"}""");

        (await AskAsync(mixpanel, HttpMethod.Post, Project + "/annotations", """{"date":"2026-08-31 10:00:00","description":"1.0","tags":[1]}""")).Is(200,
            """{"results":{"id":2,"date":"2026-08-31T10:00:00+00:00","project_id":1,"description":"1.0","user":{"id":1,"first_name":"local","last_name":""},"tags":[{"id":1,"name":"release"}]},"status":"ok"}""");
        (await AskAsync(mixpanel, HttpMethod.Get, Project + "/annotations/tags")).Is(200,
            """{"results":[{"id":1,"name":"release","project_id":1,"has_annotations":true}],"status":"ok"}""");
        Assert.Equal("1.1",
            (await AskAsync(mixpanel, HttpMethod.Patch, Project + "/annotations/2", """{"description":"1.1"}""")).Json.GetProperty("results")
                .GetProperty("description").GetString());
        Assert.Equal("1.1",
            (await AskAsync(mixpanel, HttpMethod.Get, Project + "/annotations/2")).Json.GetProperty("results").GetProperty("description").GetString());
        Assert.Equal(1, Results(await AskAsync(mixpanel, HttpMethod.Get, Project + "/annotations?fromDate=2026-08-31&toDate=2026-08-31")));
        Assert.Equal(0, Results(await AskAsync(mixpanel, HttpMethod.Get, Project + "/annotations?fromDate=2026-09-01")));
        (await AskAsync(mixpanel, HttpMethod.Delete, Project + "/annotations/2")).Is(200, """{"results":{"id":2},"status":"ok"}""");
        (await AskAsync(mixpanel, HttpMethod.Get, Project + "/annotations/2")).Is(404, """{"error":"annotation not found","status":"error"}""");
        Assert.Equal(400, (await AskAsync(mixpanel, HttpMethod.Post, Project + "/annotations", """{"date":"today","description":"x"}""")).Status);
        Assert.Equal(400,
            (await AskAsync(mixpanel, HttpMethod.Post, Project + "/annotations", """{"date":"2026-08-31","description":"x","tags":[9]}""")).Status);
    }

    [Theory]
    [InlineData("consumer", 200, 403, 403)]
    [InlineData("analyst", 200, 200, 403)]
    [InlineData("admin", 200, 200, 200)]
    public async Task Roles_decide_what_may_be_written(string role, int read, int annotate, int schemas)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var created = await AskAsync(mixpanel, HttpMethod.Post, "/api/app/organizations/1/service-accounts",
            $$"""{"username":"u","role":"consumer","projects":[{"id":1,"role":"{{role}}"}]}""");
        var who = LocalMixpanel.Basic("u", created.Json.GetProperty("results").GetProperty("token").GetString()!);

        Assert.Equal(read, (await AskAsync(mixpanel, HttpMethod.Get, Project + "/annotations", who: who)).Status);
        Assert.Equal(annotate,
            (await AskAsync(mixpanel, HttpMethod.Post, Project + "/annotations", """{"date":"2026-08-31","description":"x"}""", who)).Status);
        Assert.Equal(schemas, (await AskAsync(mixpanel, HttpMethod.Post, Project + "/schemas", """{"entries":[]}""", who)).Status);
        Assert.Equal(403, (await AskAsync(mixpanel, HttpMethod.Post, "/emulator/projects", """{"name":"x"}""", who)).Status);
        Assert.Equal(403, (await AskAsync(mixpanel, HttpMethod.Get, "/api/app/projects/2/annotations", who: who)).Status);
        Assert.Equal(401, (await AskAsync(mixpanel, HttpMethod.Get, Project + "/annotations", who: LocalMixpanel.Basic("u", "wrong"))).Status);
    }

    [Fact]
    public async Task Schemas_are_uploaded_merged_and_deleted()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        const string Entry = """{"entityType":"event","name":"Sign up/now","schemaJson":{"description":"d","properties":{"plan":{"type":"string","metadata":{"com.mixpanel":{"displayName":"Plan"}}}},"metadata":{"com.mixpanel":{"tags":["t"],"hidden":true}}}}""";

        (await AskAsync(mixpanel, HttpMethod.Post, Project + "/schemas",
            $$$"""{"entries":[{{{Entry}}},{"entityType":"profile","name":"$user","schemaJson":{}}]}""")).Is(
            200, """{"results":{"added":2,"deleted":0},"status":"ok"}""");
        Assert.Equal(2, Results(await AskAsync(mixpanel, HttpMethod.Get, Project + "/schemas")));
        Assert.Equal(1, Results(await AskAsync(mixpanel, HttpMethod.Get, Project + "/schemas/event?entity_name=Sign%20up%2Fnow")));
        Assert.Equal(0, Results(await AskAsync(mixpanel, HttpMethod.Get, Project + "/schemas/event?entity_name=x")));

        // Metadata that the second upload omits is kept; null clears it.
        (await AskAsync(mixpanel, HttpMethod.Post, Project + "/schemas/event/Sign%20up%2Fnow",
            """{"properties":{"plan":{"type":["string","null"]}},"metadata":{"com.mixpanel":{"hidden":null}}}""")).Is(
            200, """{"status":"ok"}""");
        (await AskAsync(mixpanel, HttpMethod.Get, Project + "/schemas/event/Sign%20up%2Fnow")).Is(200,
            """{"properties":{"plan":{"type":["string","null"],"metadata":{"com.mixpanel":{"displayName":"Plan"}}}},"metadata":{"com.mixpanel":{"tags":["t"]}}}""");

        (await AskAsync(mixpanel, HttpMethod.Post, Project + "/schemas", $$"""{"entries":[{{Entry}}],"truncate":true}""")).Is(200,
            """{"results":{"added":1,"deleted":2},"status":"ok"}""");
        (await AskAsync(mixpanel, HttpMethod.Delete, Project + "/schemas/event/nothing")).Is(200, """{"results":{"delete_count":0},"status":"ok"}""");
        (await AskAsync(mixpanel, HttpMethod.Delete, Project + "/schemas")).Is(200, """{"results":{"delete_count":1},"status":"ok"}""");
        Assert.Equal(404, (await AskAsync(mixpanel, HttpMethod.Get, Project + "/schemas/event/x")).Status);
        (await AskAsync(mixpanel, HttpMethod.Post, Project + "/schemas/event/x", """{"properties":{"p":{"type":"text"}}}""")).Is(400,
            """{"error":"properties.p.type: must be array, boolean, integer, null, number, object, string, or a list of them","status":"error"}""");
    }

    [Fact]
    public async Task A_deletion_really_deletes_and_a_retrieval_really_retrieves()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(distinctId: null, more: "\"$device_id\":\"d\"")},{mixpanel.Event(insertId: "\"id-2\"", more: "\"$user_id\":\"ada\",\"$device_id\":\"d\"")},{mixpanel.Event(distinctId: "\"bob\"", insertId: "\"id-3\"")}]");
        await mixpanel.PostAsync("/engage",
            """[{"$token":"local","$distinct_id":"ada","$set":{"x":1}},{"$token":"local","$distinct_id":"bob","$set":{"x":2}}]""");

        var retrieval = await AskAsync(mixpanel, HttpMethod.Post, "/api/app/data-retrievals/v3.0?token=local", """{"distinct_ids":["ada"]}""", Bearer);
        Assert.Equal(201, retrieval.Status);
        var retrieved = await AskAsync(mixpanel, HttpMethod.Get, $"/api/app/data-retrievals/v3.0/{TaskOf(retrieval)}?token=local", who: Bearer);
        Assert.Equal("SUCCESS", retrieved.Json.GetProperty("results").GetProperty("status").GetString());
        Assert.Equal("""["ada"]""", retrieved.Json.GetProperty("results").GetProperty("distinct_ids").GetRawText());
        var lines = (await mixpanel.GetAsync(new Uri(retrieved.Json.GetProperty("results").GetProperty("results").GetString()!).AbsolutePath)).Text.Split('\n',
            StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.DoesNotContain("bob", line, StringComparison.Ordinal));

        Assert.Equal(
            ["""{"category":"user profile","properties":["$last_seen","x"]}""",
                """{"category":"event","event":"Signed up","properties":["$device_id","$import","$insert_id","$user_id","distinct_id","mp_processing_time_ms","time"]}"""],
            await DisclosedAsync("Categories"));
        Assert.Equal(["""{"source":"undefined","events":2}"""], await DisclosedAsync("Sources"));
        (await AskAsync(mixpanel, HttpMethod.Post, "/api/app/data-retrievals/v3.0?token=local", """{"distinct_ids":["ada"],"disclosure_type":"Sources"}""",
            Bearer)).Is(400,
            """{"error":"disclosure_type: must be Data with GDPR","status":"error"}""");

        async Task<string[]> DisclosedAsync(string disclosure)
        {
            var asked = await AskAsync(mixpanel, HttpMethod.Post, "/api/app/data-retrievals/v3.0?token=local",
                $$"""{"distinct_ids":["ada"],"compliance_type":"CCPA","disclosure_type":"{{disclosure}}"}""", Bearer);
            return (await mixpanel.GetAsync($"/emulator/data-retrievals/{TaskOf(asked)}")).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }

        var deletion = await AskAsync(mixpanel, HttpMethod.Post, "/api/app/data-deletions/v3.0?token=local",
            """{"distinct_ids":["ada"],"compliance_type":"CCPA"}""", Bearer);
        (await AskAsync(mixpanel, HttpMethod.Get, $"/api/app/data-deletions/v3.0/{TaskOf(deletion)}?token=local", who: Bearer)).Is(200,
            $$"""{"results":{"tracking_id":"{{TaskOf(deletion)}}","status":"SUCCESS","requesting_user":"local","compliance_type":"CCPA","project_id":1,"date_requested":"2026-09-01T12:00:00Z","distinct_ids":["ada"]},"status":"ok"}""");
        Assert.Equal("bob", (await mixpanel.OnlyEventAsync()).DistinctId);
        Assert.Equal("bob", Assert.Single(await mixpanel.Server.ProfilesAsync()).DistinctId);
        Assert.Equal(405, (await AskAsync(mixpanel, HttpMethod.Delete, $"/api/app/data-deletions/v3.0/{TaskOf(deletion)}?token=local", who: Bearer)).Status);
    }

    [Fact]
    public async Task A_deletion_that_waits_can_be_taken_back_and_survives_a_new_start()
    {
        using var folder = new Testing.TemporaryFolder();
        EmulatorOptions Wait(EmulatorOptions options) => options with { DeletionDelay = TimeSpan.FromHours(1), DataDirectory = folder.Path };
        string kept;
        await using (var mixpanel = await LocalMixpanel.StartAsync(Wait))
        {
            await mixpanel.ImportAsync($"[{mixpanel.Event()},{mixpanel.Event(distinctId: "\"bob\"")}]");
            kept = TaskOf(await AskAsync(mixpanel, HttpMethod.Post, "/api/app/data-deletions/v3.0?token=local", """{"distinct_ids":["bob"]}""", Bearer));
            await AskAsync(mixpanel, HttpMethod.Post, "/api/app/data-deletions/v3.0?token=local", """{"distinct_ids":["ada"]}""", Bearer);
            Assert.Equal(204, (await AskAsync(mixpanel, HttpMethod.Delete, $"/api/app/data-deletions/v3.0/{kept}?token=local", who: Bearer)).Status);
            Assert.Equal(2, await mixpanel.Server.CountEventsAsync());
        }
        await using var again = await LocalMixpanel.StartAsync(Wait);
        again.Clock.Advance(TimeSpan.FromHours(2));
        while (await again.Server.CountEventsAsync() > 1)
            await Task.Yield();
        Assert.Equal("bob", (await again.OnlyEventAsync()).DistinctId);
        Assert.Equal("REVOKED",
            (await AskAsync(again, HttpMethod.Get, $"/api/app/data-deletions/v3.0/{kept}?token=local", who: Bearer)).Json.GetProperty("results")
                .GetProperty("status").GetString());
    }

    [Fact]
    public async Task Requests_about_personal_data_need_oauth_and_a_token_and_bounds()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        const string Path = "/api/app/data-deletions/v3.0";

        Assert.Equal(401, (await AskAsync(mixpanel, HttpMethod.Post, Path + "?token=local", """{"distinct_ids":["a"]}""")).Status);
        Assert.Equal(403, (await AskAsync(mixpanel, HttpMethod.Post, Path + "?token=other", """{"distinct_ids":["a"]}""", Bearer)).Status);
        Assert.Equal(400, (await AskAsync(mixpanel, HttpMethod.Post, Path + "?token=local", """{"distinct_ids":[]}""", Bearer)).Status);
        Assert.Equal(400,
            (await AskAsync(mixpanel, HttpMethod.Post, Path + "?token=local", $$"""{"distinct_ids":[{{string.Join(',', Enumerable.Repeat("\"a\"", 2000))}}]}""",
                Bearer)).Status);
        Assert.Equal(404, (await AskAsync(mixpanel, HttpMethod.Get, Path + "/x?token=local", who: Bearer)).Status);
    }

    [Fact]
    public async Task Feature_flags_are_kept_checked_and_replaced()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        const string Flag = """{"name":"N","key":"k","tags":[],"context":"distinct_id","serving_method":"client","ruleset":{"variants":[{"key":"On","value":true,"is_control":false,"split":1}],"rollout":[{"rollout_percentage":0.5,"variant_splits":{"On":1}}]}}""";

        var created = await AskAsync(mixpanel, HttpMethod.Post, Flags, Flag);
        Assert.Equal(200, created.Status);
        var flag = created.Json.GetProperty("results");
        Assert.Equal("disabled", flag.GetProperty("status").GetString());
        Assert.Equal("feature-flags", flag.GetProperty("content_type").GetString());
        Assert.Equal(4, Guid.Parse(flag.GetProperty("id").GetString()!).Version);
        var path = $"{Flags}/{flag.GetProperty("id").GetString()}";
        var enabled = (await AskAsync(mixpanel, HttpMethod.Put, path,
            Flag.Replace("\"N\"", "\"M\",\"status\":\"enabled\"", StringComparison.Ordinal))).Json.GetProperty("results");
        Assert.Equal(("M", "2026-09-01T12:00:00Z"), (enabled.GetProperty("name").GetString(), enabled.GetProperty("enabled_at").GetString()));
        Assert.True(JsonElement.DeepEquals(enabled, (await AskAsync(mixpanel, HttpMethod.Get, path)).Json.GetProperty("results")));
        (await AskAsync(mixpanel, HttpMethod.Post, Flags, Flag)).Is(400, """{"status":"error","type":"Bad Request","error":"key: already taken"}""");
        await AskAsync(mixpanel, HttpMethod.Put, path, Flag.Replace("\"N\"", "\"N\",\"status\":\"archived\"", StringComparison.Ordinal));
        Assert.Equal(0, Results(await AskAsync(mixpanel, HttpMethod.Get, Flags)));
        Assert.Equal(1, Results(await AskAsync(mixpanel, HttpMethod.Get, Flags + "?include_archived=true")));
        (await AskAsync(mixpanel, HttpMethod.Delete, path)).Is(200, """{"results":{},"status":"ok"}""");
        Assert.Equal(404, (await AskAsync(mixpanel, HttpMethod.Get, path)).Status);

        foreach (var (from, to, error) in new[]
        {
            ("\"name\":\"N\",", "", "name: must not be missing"), ("\"name\":\"N\"", "\"name\":\"N\",\"x\":1", "x: is not known"),
            ("0.5", "1.5", "ruleset.rollout[0].rollout_percentage: must be a number from 0 to 1"),
            ("\"client\"", "\"both\"", "serving_method: must be client, server, remote_or_local, remote_only"),
            ("\"is_control\":false,", "", "ruleset.variants[0].is_control: must not be missing"),
        })
            Assert.Equal(error,
                (await AskAsync(mixpanel, HttpMethod.Post, Flags, Flag.Replace(from, to, StringComparison.Ordinal))).Json.GetProperty("error").GetString());
    }

    [Fact]
    public async Task Experiments_go_from_draft_to_a_decision()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var created = await AskAsync(mixpanel, HttpMethod.Post, Experiments, """{"name":"E","hypothesis":"h","variants":[{"key":"a"}]}""");
        Assert.Equal(201, created.Status);
        Assert.Equal("draft", created.Json.GetProperty("results").GetProperty("status").GetString());
        var path = $"{Experiments}/{created.Json.GetProperty("results").GetProperty("id").GetString()}";
        async Task<string?> StatusAsync(HttpMethod method, string tail, string json) =>
            (await AskAsync(mixpanel, method, path + tail, json)).Json.GetProperty("results").GetProperty("status").GetString();

        Assert.Equal(400, (await AskAsync(mixpanel, HttpMethod.Put, path + "/force_conclude", "{}")).Status);
        Assert.Equal("active", await StatusAsync(HttpMethod.Put, "/launch", "{}"));
        Assert.Equal("concluded", await StatusAsync(HttpMethod.Put, "/force_conclude", """{"end_date":"2026-09-02T00:00:00Z"}"""));
        Assert.Equal("success", await StatusAsync(HttpMethod.Patch, "/decide", """{"success":true,"variant":"a"}"""));
        Assert.Equal("F", (await AskAsync(mixpanel, HttpMethod.Patch, path, """{"name":"F"}""")).Json.GetProperty("results").GetProperty("name").GetString());
        (await AskAsync(mixpanel, HttpMethod.Post, path + "/archive", "{}")).Is(200, """{"results":{},"status":"ok"}""");
        Assert.Equal(JsonValueKind.String, (await AskAsync(mixpanel, HttpMethod.Get, path)).Json.GetProperty("results").GetProperty("deleted").ValueKind);
        Assert.Equal(JsonValueKind.Null,
            (await AskAsync(mixpanel, HttpMethod.Delete, path + "/archive")).Json.GetProperty("results").GetProperty("deleted").ValueKind);
        Assert.Equal(1, Results(await AskAsync(mixpanel, HttpMethod.Get, Experiments)));
        (await AskAsync(mixpanel, HttpMethod.Delete, path)).Is(200, """{"results":{},"status":"ok"}""");
        (await AskAsync(mixpanel, HttpMethod.Get, path)).Is(404, """{"status":"error","type":"Not Found","error":"experiment not found"}""");
        (await AskAsync(mixpanel, HttpMethod.Post, Experiments, "{}")).Is(400,
            """{"status":"error","type":"Bad Request","error":"name: must not be missing"}""");
    }

    [Fact]
    public async Task Projects_have_their_own_data_tokens_and_time_zones()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var created = await AskAsync(mixpanel, HttpMethod.Post, "/emulator/projects",
            """{"name":"B","token":"b","timezone":"Asia/Tokyo","identity_management":"original"}""");
        created.Is(201,
            $$"""{"results":{"id":2,"name":"B","token":"b","secret":"{{created.Json.GetProperty("results").GetProperty("secret")}}","timezone":"Asia/Tokyo","identity_management":"original","region":null},"status":"ok"}""");
        await mixpanel.PostAsync("/track", mixpanel.Event(more: "\"token\":\"b\""));
        await mixpanel.ImportAsync($"[{mixpanel.Event(name: "\"$create_alias\"", more: "\"alias\":\"x\"")}]", "?strict=1&project_id=2");

        Assert.All(await mixpanel.Server.EventsAsync(), e => Assert.Equal(2, e.ProjectId));
        var me = (await AskAsync(mixpanel, HttpMethod.Get, "/api/app/me")).Json.GetProperty("results").GetProperty("projects").GetProperty("2");
        Assert.Equal("Asia/Tokyo", me.GetProperty("timezone").GetString());
        Assert.Equal("owner", me.GetProperty("role").GetString());
        Assert.Equal(400, (await AskAsync(mixpanel, HttpMethod.Post, "/emulator/projects", """{"name":"C","token":"b"}""")).Status);
        Assert.Equal(400, (await AskAsync(mixpanel, HttpMethod.Post, "/emulator/projects", """{"name":"C","timezone":"Mars"}""")).Status);
        Assert.Equal(2, Results(await AskAsync(mixpanel, HttpMethod.Get, "/emulator/projects")));
    }

    static int Results(Answer answer) => answer.Json.GetProperty("results").GetArrayLength();

    static string TaskOf(Answer answer) => answer.Json.GetProperty("results").GetProperty("task_id").GetString()!;

    static Task<Answer> AskAsync(LocalMixpanel mixpanel, HttpMethod method, string path, string? json = null, AuthenticationHeaderValue? who = null) =>
        mixpanel.SendAsync(method, path, json is null ? null : new StringContent(json), who ?? LocalMixpanel.Basic("local", "local"));
}
