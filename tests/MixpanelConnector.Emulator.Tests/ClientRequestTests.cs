using System.Net.Http.Headers;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>Undocumented requests that published clients send, and the answers observed from the service.</summary>
public sealed class ClientRequestTests
{
    static readonly AuthenticationHeaderValue Owner = LocalMixpanel.Basic("local", "local");
    static readonly AuthenticationHeaderValue Secret = LocalMixpanel.Basic(DevelopmentCredentials.ProjectSecret, "");

    [Theory]
    [InlineData("", "1")]
    [InlineData("&verbose=1", """{"error":null,"status":1}""")]
    [InlineData("&callback=done", "done(1);")]
    public async Task An_event_is_imported_by_GET(string query, string answer)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var data = Uri.EscapeDataString(LocalMixpanel.Base64(mixpanel.Event(time: $"{mixpanel.Now - 864_000}")));

        (await mixpanel.GetAsync($"/import?ip=0&project_id=1&data={data}{query}", Owner)).Is(200, answer);

        Assert.Equal("Signed up", (await mixpanel.OnlyEventAsync()).Name);
    }

    [Theory]
    [InlineData("strict=0", """{"code":200,"num_records_imported":1,"status":"OK"}""")]
    [InlineData("strict=0&verbose=0", "1")]
    [InlineData("strict=0&verbose=1", """{"code":200,"error":null,"num_records_imported":1,"status":1}""")]
    [InlineData("strict=1&verbose=1", """{"code":200,"num_records_imported":1,"status":"OK"}""")]
    public async Task An_import_that_is_not_strict_answers_as_verbose_asks(string query, string answer)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.ImportAsync($"[{mixpanel.Event()}]", $"?project_id=1&{query}")).Is(200, answer);
    }

    [Theory]
    [InlineData("""event["$time"]""", 1)]
    [InlineData("""properties["$time"]""", 1)]
    public async Task The_time_of_an_event_has_two_names_in_a_where(string time, int found)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(time: $"{mixpanel.Now - 7200}")},{mixpanel.Event(time: $"{mixpanel.Now - 30}", insertId: "\"id-2\"")}]");
        var where = Uri.EscapeDataString($"{time} >= datetime({mixpanel.Now - 3600}) and {time} < datetime({mixpanel.Now})");

        var export = await mixpanel.GetAsync($"/api/2.0/export?project_id=1&from_date=2026-09-01&to_date=2026-09-01&where={where}", Owner);
        Assert.Equal(found, export.Text.Count('\n'));
    }

    [Fact]
    public async Task The_time_of_an_event_has_its_second_name_in_reports_too()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(time: $"{mixpanel.Now - 7200}")},{mixpanel.Event(insertId: "\"id-2\"")}]");
        var where = Uri.EscapeDataString($"""properties["$time"] >= datetime({mixpanel.Now - 3600})""");

        var report =
            await mixpanel.GetAsync($"/api/query/segmentation?project_id=1&event=Signed%20up&from_date=2026-09-01&to_date=2026-09-01&where={where}", Owner);

        Assert.Equal(1, report.Json.GetProperty("data").GetProperty("values").GetProperty("Signed up").GetProperty("2026-09-01").GetInt32());
    }

    [Fact]
    public async Task An_export_does_not_go_beyond_today()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync("/api/2.0/export?project_id=1&from_date=2026-09-01&to_date=2026-09-02", Owner);

        Assert.Equal(400, answer.Status);
        Assert.Equal("to_date cannot be later than today", answer.Json.GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("x", "y", "1")]
    [InlineData("local", "local", "9")]
    public async Task An_export_refuses_whoever_may_not_as_the_service_does(string name, string secret, string project)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer =
            await mixpanel.GetAsync($"/api/2.0/export?project_id={project}&from_date=2026-09-01&to_date=2026-09-01", LocalMixpanel.Basic(name, secret));

        answer.Is(400, "Unable to authenticate request\n");
        Assert.Equal("text/plain", answer.ContentType);
    }

    [Theory]
    [InlineData("/api/2.0/cohorts/list?project_id=1")]
    [InlineData("/api/query/cohorts/list?project_id=1")]
    public async Task Cohorts_are_listed_by_GET(string path)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.GetAsync(path, Owner)).Is(200, "[]");
    }

    [Fact]
    public async Task The_top_properties_are_those_of_all_events_where_none_is_named()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"x\":1")},{mixpanel.Event(name: "\"B\"", insertId: "\"id-2\"", more: "\"y\":1")}]");

        var names = (await mixpanel.GetAsync("/api/2.0/events/properties/top?project_id=1&limit=2000", Owner)).Json.EnumerateObject().Select(property =>
            property.Name).ToList();

        Assert.Contains("x", names, StringComparer.Ordinal);
        Assert.Contains("y", names, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Profile_properties_have_a_count_and_a_type()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync("/engage", """
            [{"$token":"local","$distinct_id":"a","$set":{"plan":"pro","age":3,"ok":true,"l":[1],"o":{"a":1},"seen":"2026-09-01T10:00:00"}},{"$token":"local","$distinct_id":"b","$set":{"plan":"free"}}]
            """);

        var answer = await mixpanel.GetAsync("/api/2.0/engage/properties?project_id=1", Owner);

        var results = answer.Json.GetProperty("results");
        Assert.Equal(("string", 2), Of("plan"));
        Assert.Equal(("number", 1), Of("age"));
        Assert.Equal(("boolean", 1), Of("ok"));
        Assert.Equal(("list", 1), Of("l"));
        Assert.Equal(("object", 1), Of("o"));
        Assert.Equal(("datetime", 1), Of("seen"));
        Assert.Equal("ok", answer.Json.GetProperty("status").GetString());

        (string?, int) Of(string name) =>
            (results.GetProperty(name).GetProperty("type").GetString(), results.GetProperty(name).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Revenue_is_summed_over_the_transactions_of_profiles()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync("/engage", """
            [{"$token":"local","$distinct_id":"a","$append":{"$transactions":{"$time":"2026-08-30T10:00:00","$amount":10}}},
             {"$token":"local","$distinct_id":"a","$append":{"$transactions":{"$time":"2026-08-31T10:00:00","$amount":2.5}}},
             {"$token":"local","$distinct_id":"b","$append":{"$transactions":{"$time":"2026-08-31T11:00:00","$amount":1}}},
             {"$token":"local","$distinct_id":"c","$set":{"plan":"free"}}]
            """);

        var results =
            (await mixpanel.GetAsync("/api/2.0/engage/revenue?project_id=1&from_date=2026-08-30&to_date=2026-08-31", Owner)).Json.GetProperty("results");

        Assert.Equal("""{"amount":13.5,"count":3,"paid_count":2}""", results.GetProperty("$overall").GetRawText());
        Assert.Equal("""{"amount":10,"count":3,"paid_count":1}""", results.GetProperty("2026-08-30").GetRawText());
        Assert.Equal("""{"amount":3.5,"count":3,"paid_count":2}""", results.GetProperty("2026-08-31").GetRawText());
        Assert.Equal(results.GetRawText(),
            (await mixpanel.GetAsync("/api/2.0/engage/revenue?project_id=1&unit=day&from_date=2026-08-30&to_date=2026-08-31",
                Owner)).Json.GetProperty("results").GetRawText());
        Assert.Equal("invalid unit: must be day",
            (await mixpanel.GetAsync("/api/2.0/engage/revenue?project_id=1&unit=week&from_date=2026-08-30&to_date=2026-08-31",
                Owner)).Json.GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("projects/1/workspaces")]
    [InlineData("projects/1/workspaces/public")]
    [InlineData("projects/1/experiments")]
    [InlineData("workspaces/1/annotations")]
    [InlineData("workspaces/1/annotations/tags")]
    public async Task What_belongs_to_a_project_is_found_under_its_workspace_and_the_other_way_round(string path)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync("/api/app/" + path, Owner);

        Assert.Equal(200, answer.Status);
        Assert.Equal(JsonValueKind.Array, answer.Json.GetProperty("results").ValueKind);
    }

    [Fact]
    public async Task Annotations_are_answered_as_the_service_does_and_under_the_old_path()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var project = (await mixpanel.SendAsync(HttpMethod.Post, "/emulator/projects", Json("""{"name":"P","timezone":"America/Los_Angeles"}"""),
            Owner)).Json.GetProperty("results")
            .GetProperty("id").GetInt32();

        var created = await mixpanel.SendAsync(HttpMethod.Post, $"/api/app/projects/{project}/annotations",
            Json("""{"date":"2026-07-03 12:00:00","description":"x"}"""), Owner);

        Assert.Equal(200, created.Status);
        Assert.Equal("2026-07-03T12:00:00-07:00", created.Json.GetProperty("results").GetProperty("date").GetString());
        Assert.Equal(project, created.Json.GetProperty("results").GetProperty("project_id").GetInt32());
        (await mixpanel.GetAsync($"/api/2.0/annotations?project_id={project}&from_date=2026-07-01&to_date=2026-07-03", Owner)).Is(
            200,
            $$"""{"annotations":[{"id":{{created.Json.GetProperty("results").GetProperty("id")}},"date":"2026-07-03 12:00:00","project_id":{{project}},"description":"x"}],"error":false}""");
        (await mixpanel.GetAsync($"/api/2.0/annotations?project_id={project}&from_date=2026-07-04&to_date=2026-07-05", Owner)).Is(200,
            """{"annotations":[],"error":false}""");
    }

    [Fact]
    public async Task A_project_without_lookup_tables_has_null()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var project = (await mixpanel.SendAsync(HttpMethod.Post, "/emulator/projects", Json("""{"name":"P"}"""), Owner)).Json.GetProperty("results")
            .GetProperty("id").GetInt32();

        (await mixpanel.GetAsync($"/lookup-tables?project_id={project}", Owner)).Is(200, """{"code":200,"status":"OK","results":null}""");
    }

    [Theory]
    [InlineData("/flags")]
    [InlineData("/flags/")]
    [InlineData("/flags/definitions")]
    public async Task A_page_may_ask_for_flags(string path)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var preflight = await mixpanel.SendAsync(HttpMethod.Options, path, headers: headers => headers.Add("Origin", "http://page.example"));
        var answer = await mixpanel.SendAsync(
            HttpMethod.Get,
            path + "?token=local&context=%7B%22distinct_id%22%3A%22u%22%7D"[..(path.Contains("definitions", StringComparison.Ordinal) ? 12 : ^0)],
            authorization: LocalMixpanel.Basic("local", ""), headers: headers => headers.Add("Origin", "http://page.example"));

        Assert.Equal(204, preflight.Status);
        Assert.Equal("http://page.example", preflight.Headers["Access-Control-Allow-Origin"]);
        Assert.Equal(200, answer.Status);
        Assert.Equal("http://page.example", answer.Headers["Access-Control-Allow-Origin"]);
    }

    [Theory]
    [InlineData("?$lib_version=2.83.0&mp_lib=web&sdk_config=1", """{"sdk_config":{"config":null}}""")]
    [InlineData("?recording=1&sdk_config=1&mp_lib=flutter-sr", """{"recording":{"is_enabled":true},"sdk_config":{"config":null}}""")]
    [InlineData("?recording=1", """{"recording":{"is_enabled":true}}""")]
    [InlineData("", "{}")]
    public async Task Settings_of_an_app_are_its_own(string query, string answer)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.GetAsync("/settings/" + query, LocalMixpanel.Basic(DevelopmentCredentials.ProjectToken, ""))).Is(200, answer);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("body")]
    public async Task Parts_of_a_recorded_session_are_taken_from_a_page(string format)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        using var part = new ByteArrayContent([0x1f, 0x8b, 0, 1, 2]);
        part.Headers.ContentType = new("application/octet-stream");

        var answer = await mixpanel.SendAsync(
            HttpMethod.Post, $"/record/?replay_id=r&seq=0&format={format}&distinct_id=u", part, LocalMixpanel.Basic(DevelopmentCredentials.ProjectToken, ""),
            headers => headers.Add("Origin", "http://page.example"));

        answer.Is(200, """{"code":200,"status":"OK"}""");
        Assert.Equal("http://page.example", answer.Headers["Access-Control-Allow-Origin"]);
        var request = Assert.Single(mixpanel.Server.Requests);
        Assert.Equal(DevelopmentCredentials.ProjectId, Assert.Single(request.ProjectIds));
        Assert.Null(request.Records);
        mixpanel.Server.AssertNothingRefused();
    }

    [Theory]
    [InlineData("GET", "/settings", "someone-else", "")]
    [InlineData("POST", "/record", "someone-else", "")]
    [InlineData("POST", "/record", "local", "local")]
    [InlineData("POST", "/record", DevelopmentCredentials.ProjectSecret, "")]
    public async Task Sessions_are_recorded_with_the_token_of_a_project(string method, string path, string name, string secret)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.SendAsync(new HttpMethod(method), path, authorization: LocalMixpanel.Basic(name, secret))).Is(401,
            """{"error":"Invalid credentials","status":"error"}""");
    }

    [Theory]
    [InlineData("/track", """{"event":"E","properties":{"token":"local","distinct_id":"u"}}""")]
    [InlineData("/engage", """{"$token":"local","$distinct_id":"u","$set":{"a":1}}""")]
    [InlineData("/groups", """{"$token":"local","$group_key":"k","$group_id":"g","$set":{"a":1}}""")]
    public async Task Parameters_of_former_documentation_change_nothing(string path, string record)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { StrictUnknown = true });
        var data = Uri.EscapeDataString(LocalMixpanel.Base64(record));

        (await mixpanel.GetAsync($"{path}?data={data}&ip=1&verbose=1&test=1&redirect=https%3A%2F%2Fshop.example&_=1788262800000")).Is(200,
            """{"error":null,"status":1}""");

        Assert.Equal(1,
            (await mixpanel.Server.EventsAsync()).Count + (await mixpanel.Server.ProfilesAsync()).Count + (await mixpanel.Server.GroupsAsync()).Count);
    }

    [Theory]
    [InlineData("/api/2.0/export?from_date=2026-09-01&to_date=2026-09-01", 200)]
    [InlineData("/api/query/events/names?type=general", 200)]
    [InlineData("/api/query/engage", 200)]
    [InlineData("/api/2.0/nessie/pipeline/jobs", 200)]
    [InlineData("/flags/definitions", 200)]
    [InlineData("/api/query/engage?project_id=1", 200)]
    [InlineData("/api/query/engage?project_id=2", 400)]
    [InlineData("/lookup-tables", 401)]
    [InlineData("/api/app/projects/1/annotations", 401)]
    [InlineData("/api/app/organizations/1/service-accounts", 401)]
    public async Task The_secret_of_a_project_names_it_where_Mixpanel_takes_it(string path, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(status, (await mixpanel.GetAsync(path, Secret)).Status);
    }

    [Theory]
    [InlineData("local-secret")]                    // plain
    [InlineData("bG9jYWwtc2VjcmV0")]                // encoded, without a colon
    [InlineData("bG9jYWwtc2VjcmV0Og==")]            // with one
    public async Task The_secret_of_a_project_is_taken_in_each_form_in_which_clients_send_it(string basic)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(200, (await mixpanel.GetAsync("/api/2.0/engage", new AuthenticationHeaderValue("Basic", basic))).Status);
        Assert.Equal(401, (await mixpanel.GetAsync("/api/2.0/engage", new AuthenticationHeaderValue("Basic", "x" + basic))).Status);
    }

    [Fact]
    public async Task A_created_project_has_a_secret_of_its_own_that_imports_and_survives()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string secret;
            await using (var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder }))
            {
                var project = (await mixpanel.SendAsync(HttpMethod.Post, "/emulator/projects", Json("""{"name":"P"}"""), Owner)).Json.GetProperty("results");
                secret = project.GetProperty("secret").GetString()!;
                using var body = Json($"[{mixpanel.Event()}]");
                Assert.Equal(200, (await mixpanel.SendAsync(HttpMethod.Post, "/import?strict=1", body, LocalMixpanel.Basic(secret, ""))).Status);
                Assert.Equal(project.GetProperty("id").GetInt32(), (await mixpanel.OnlyEventAsync()).ProjectId);
            }
            await using (var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder }))
                Assert.Equal(200, (await mixpanel.GetAsync("/api/query/engage", LocalMixpanel.Basic(secret, ""))).Status);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("/engage", """{"$token":"local","$distinct_id":"gz","$set":{"a":1}}""")]
    [InlineData("/groups", """{"$token":"local","$group_key":"c","$group_id":"g","$set":{"a":1}}""")]
    public async Task Updates_of_profiles_may_be_compressed(string path, string record)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        using var body = LocalMixpanel.Gzip(System.Text.Encoding.UTF8.GetBytes("data=" + Uri.EscapeDataString(LocalMixpanel.Base64($"[{record}]"))),
            "application/x-www-form-urlencoded");

        (await mixpanel.SendAsync(HttpMethod.Post, path + "?ip=0", body)).Is(200, "1");

        Assert.Equal(1, (await mixpanel.Server.ProfilesAsync()).Count + (await mixpanel.Server.GroupsAsync()).Count);
    }

    [Theory]
    [InlineData("POST", "/api/query/insights", "request")]
    [InlineData("PUT", "/track", "code")]
    [InlineData("PUT", "/import", "code")]
    [InlineData("DELETE", "/api/app/me", "status")]
    public async Task A_wrong_method_is_answered_in_the_shape_of_its_API(string method, string path, string member)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.SendAsync(new HttpMethod(method), path);

        Assert.Equal(405, answer.Status);
        Assert.Contains($"{method} is not allowed here", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.True(answer.Json.TryGetProperty(member, out _), answer.Text);
    }

    [Theory]
    [InlineData("127.0.0.80", 200)]
    [InlineData("127.255.0.1", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("[::ffff:127.0.0.1]", 200)]
    [InlineData("localhost", 200)]
    [InlineData("128.0.0.1", 421)]
    [InlineData("localhost.example", 421)]
    [InlineData("127.0.0.1.example", 421)]
    public async Task Every_name_of_loopback_is_known_and_no_other(string host, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(status, (await mixpanel.SendAsync(HttpMethod.Get, "/healthz", headers: headers => headers.Host = host)).Status);
    }

    [Theory]
    [InlineData("2026-09-01T11:59:30Z")]
    [InlineData("2026-09-01T11:59:30")]
    [InlineData("2026-09-01 11:59:30")]
    [InlineData("2026-09-01T13:59:30.000+02:00")]
    public async Task A_time_by_ISO_8601_is_one_for_track(string time)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.PostAsync("/track", $"[{mixpanel.Event(time: $"\"{time}\"", more: "\"token\":\"local\"")}]");

        Assert.Equal(LocalMixpanel.Noon.AddSeconds(-30), (await mixpanel.OnlyEventAsync()).Time);
    }

    /// <summary>Each combination of parameters that change the format of an answer: the image takes precedence, then the script, then the object.</summary>
    [Theory]
    [InlineData("/track")]
    [InlineData("/engage")]
    [InlineData("/groups")]
    public async Task What_dresses_an_answer_can_be_combined(string path)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var record = path switch
        {
            "/track" => mixpanel.Event(more: "\"token\":\"local\""),
            "/engage" => """{"$token":"local","$distinct_id":"a","$set":{"a":1}}""",
            _ => """{"$token":"local","$group_key":"c","$group_id":"g","$set":{"a":1}}""",
        };
        foreach (var batch in (string[])[record, $"[{record},{record}]"])
        {
            for (var chosen = 0; chosen < 32; chosen++)
            {
                var (ip, verbose, img, callback, strict) =
                    ((chosen & 1) != 0, (chosen & 2) != 0, (chosen & 4) != 0, (chosen & 8) != 0, (chosen & 16) != 0 && path != "/track");
                var query = $"?x=1{(ip ? "&ip=1" : "")}{(verbose ? "&verbose=1" : "")}{(img ? "&img=1" : "")}{(callback ? "&callback=f" : "")}{(strict ? "&strict=1" : "")}";

                var answer = await mixpanel.PostAsync(path + query, batch);

                Assert.Equal(200, answer.Status);
                if (img)
                {
                    Assert.Equal("image/gif", answer.ContentType);
                    continue;
                }
                var text = strict ? $$"""{"error":null,"errors":{},"num_good_events":{{(batch == record ? 1 : 2)}},"status":1}"""
                    : verbose ? """{"error":null,"status":1}"""
                    : "1";
                Assert.Equal(callback ? $"f({text});" : text, answer.Text);
                Assert.Equal(callback ? "text/javascript; charset=utf-8" : verbose || strict ? "application/json" : "text/plain", answer.ContentType);
            }
        }
    }

    public static TheoryData<string, string> Ways
    {
        get
        {
            var ways = new TheoryData<string, string>();
            foreach (var path in (string[])["/track", "/batch", "/engage", "/groups", "/import"])
                foreach (var way in (string[])["GET", "POST form", "POST form, base64", "POST form, parameters in it", "POST JSON", "POST JSON as text/plain"])
                    ways.Add(path, way);
            return ways;
        }
    }

    /// <summary>
    /// Every way to send a record, with each combination of the parameters that shape a response, for a record that is accepted and one that is not. An import
    /// as JSON is newer than these parameters, which do not affect it.
    /// </summary>
    [Theory, MemberData(nameof(Ways))]
    public async Task Every_way_to_send_has_the_documented_response_for_every_combination(string path, string way)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var (good, bad) = path switch
        {
            "/import" => (mixpanel.Event(), mixpanel.Event(time: null)),
            "/engage" => ("""{"$token":"local","$distinct_id":"a","$set":{"a":1}}""", """{"$token":"local","$set":{"a":1}}"""),
            "/groups" => ("""{"$token":"local","$group_key":"c","$group_id":"g","$set":{"a":1}}""", """{"$token":"local","$set":{"a":1}}"""),
            _ => (mixpanel.Event(more: "\"token\":\"local\""), mixpanel.Event(name: null, more: "\"token\":\"local\"")),
        };
        var isJsonImport = path == "/import" && way.Contains("JSON", StringComparison.Ordinal);
        foreach (var record in (string[])[good, bad])
        {
            foreach (var (ip, verbose, img, callback) in from ip in (string?[])
            [
                null,
                "1",
            ]
                                                         from verbose in (string?[])[null, "0", "1", "2"]
                                                         from img in (string?[])[null, "0", "1"]
                                                         from callback in (string?[])[null, "f"]
                                                         select (ip,
                verbose, img, callback))
            {
                (string Name, string Value)[] parameters =
                [
                    .. new (string Name, string? Value)[] { ("ip", ip), ("verbose", verbose), ("img", img), ("callback", callback) }
                        .Where(one => one.Value is not null)
                        .Select(one => (one.Name, one.Value!)),
                ];

                var answer = await SendAsync(record, parameters);

                var combination = $"{string.Join('&', parameters.Select(one => $"{one.Name}={one.Value}"))} {(record == good ? "good" : "bad")}: {answer.Status} {answer.ContentType} {answer.Text}";
                if (isJsonImport)
                {
                    Assert.True(answer.Status == (record == good ? 200 : 400) && answer.ContentType!.StartsWith("application/json", StringComparison.Ordinal),
                        combination);
                    Assert.True(answer.Json.GetProperty("num_records_imported").GetInt32() == (record == good ? 1 : 0), combination);
                    continue;
                }

                Assert.True(answer.Status == 200, combination);
                if (img == "1")
                {
                    Assert.True(answer.ContentType == "image/gif", combination);
                    continue;
                }

                var isObject = verbose is "1" or "2";
                Assert.True(answer.ContentType == (callback is not null ? "text/javascript; charset=utf-8" : isObject ? "application/json" : "text/plain"),
                    combination);
                var text = callback is null
                    ? answer.Text
                    : Assert.IsType<string>(answer.Text.StartsWith("f(", StringComparison.Ordinal) && answer.Text.EndsWith(");", StringComparison.Ordinal)
                        ? answer.Text[2..^2]
                        : null);
                if (isObject) Shape.Is($$"""{"error":"{{(record == good ? "null" : "string")}}","status":"int"}""", System.Text.Json.JsonElement.Parse(text));
                Assert.True(text == (record == good ? "1" : "0")
                    || (isObject && text.Contains(record == good ? "\"status\":1" : "\"status\":0", StringComparison.Ordinal)),
                    combination);
            }
        }

        Task<Answer> SendAsync(string record, (string Name, string Value)[] parameters)
        {
            (string Name, string Value)[] all = path == "/import" ? [.. parameters, ("project_id", "1")] : parameters;
            var query = $"?{string.Join('&', all.Select(one => $"{one.Name}={one.Value}"))}";
            var credential = path == "/import" ? LocalMixpanel.Basic("local", "local") : null;
            return way switch
            {
                "GET" =>
                    mixpanel.SendAsync(HttpMethod.Get, $"{path}{query}&data={Uri.EscapeDataString(LocalMixpanel.Base64(record))}", authorization: credential),
                "POST form" => mixpanel.SendAsync(HttpMethod.Post, path + query, LocalMixpanel.Form(("data", record)), credential),
                "POST form, base64" =>
                    mixpanel.SendAsync(HttpMethod.Post, path + query, LocalMixpanel.Form(("data", LocalMixpanel.Base64($"[{record}]"))), credential),
                "POST form, parameters in it" => mixpanel.SendAsync(HttpMethod.Post, path == "/import" ? $"{path}?project_id=1" : path,
                    LocalMixpanel.Form([("data", record), .. parameters]), credential),
                _ => mixpanel.SendAsync(HttpMethod.Post, path + query,
                    new StringContent($"[{record}]", System.Text.Encoding.UTF8, way == "POST JSON" ? "application/json" : "text/plain"), credential),
            };
        }
    }

    static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");
}
