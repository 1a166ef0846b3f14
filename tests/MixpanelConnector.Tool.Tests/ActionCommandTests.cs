using System.Text.Json;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Tests;

public class ActionCommandTests
{
    const string Imported = """{"code":200,"num_records_imported":1,"status":"OK"}""";
    const string Created = """{"results":{"id":9,"username":"bot.x","token":"one-time-4711"},"status":"ok"}""";
    static readonly string[] Track =
    [
        "track-event",
        "--event",
        "Signed Up",
        "--properties",
        """{"time":1795435200,"distinct_id":"ann","$insert_id":"id-1","price":1.10}""",
    ];

    [Fact]
    public async Task A_success_prints_its_json_and_exits_0()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);

        Assert.Equal(new Run(0, "{\"status\":1}\n", ""), await tool.RunAsync(Track));
        Assert.Equal("POST /import?strict=1&project_id=12345", server.Lines);
        Assert.Contains("\"price\":1.10", server.Request.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_is_empty_for_an_event_says_which_may_be_meant()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            Answer.Json(request.Path.EndsWith("/names", StringComparison.Ordinal)
                ? """["Order Placed","A"]"""
                : """{"data":{"series":["2026-11-01"],"values":{"A":{"2026-11-01":2}}},"legend_size":1}"""));
        using var tool = Tool.At(server);

        var run = await tool.RunAsync("query-event-counts", "--events", """["Order Placd","A"]""", "--interval", "1");

        Assert.Equal(0, run.Exit);
        Assert.Contains("Did you mean", run.Json.GetProperty("hint").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData(200, """["A"]""")]
    [InlineData(429, "{}")]
    public async Task A_report_stands_without_a_hint_where_the_name_is_known_or_names_cannot_be_had(int status, string names)
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Path.EndsWith("/names", StringComparison.Ordinal) ? Answer.Json(names, status) : Answer.Json("{}"));
        using var tool = Tool.At(server);

        Assert.Equal(new Run(0, "{\"properties\":[]}\n", ""), await tool.RunAsync("get-event-properties", "--event", "A"));
    }

    [Fact]
    public async Task Refused_data_prints_its_json_and_exits_3()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(
            """{"code":400,"error":"e","failed_records":[{"index":0,"message":"late"}],"num_records_imported":0,"status":"Bad Request"}""", 400));
        using var tool = Tool.At(server);

        Assert.Equal(new Run(3, "{\"status\":0,\"error\":\"late\"}\n", ""), await tool.RunAsync(Track));
    }

    [Theory]
    [InlineData("req-1")]
    [InlineData(null)]
    public async Task A_problem_has_the_id_of_the_request_where_Mixpanel_gave_one(string? id)
    {
        await using var server = await RecordingServer.StartAsync(_ => id is null ? Answer.Json("{}", 404) : Answer.Json("{}", 404).With("x-request-id", id));
        using var tool = Tool.At(server);
        using var terminal = Tool.At(server, terminal: true);

        var problem = (await tool.RunAsync("get-all-service-accounts", "--organization-id", "5")).Problem;
        var text = (await terminal.RunAsync("get-all-service-accounts", "--organization-id", "5")).Err;

        Assert.Equal(id, problem.TryGetProperty("request_id", out var given) ? given.GetString() : null);
        Assert.Equal(id is not null, text.Contains("(Mixpanel's request id: req-1)", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(401, 4, "unauthorized", 401)]
    [InlineData(402, 4, "forbidden", 403)]
    [InlineData(403, 4, "forbidden", 403)]
    [InlineData(404, 4, "not_found", 404)]
    [InlineData(429, 5, "rate_limited", 429)]
    [InlineData(503, 5, "unavailable", 503)]
    [InlineData(302, 5, "protocol", 502)]
    [InlineData(204, 5, "protocol", 502)]
    public async Task A_failure_prints_a_problem_on_standard_error_alone(int status, int exit, string kind, int problemStatus)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(status == 204 ? "" : """{"error":"no"}""", status));
        using var tool = Tool.At(server);

        var run = await tool.RunAsync("get-all-service-accounts", "--organization-id", "5");

        Assert.Equal((exit, ""), (run.Exit, run.Out));
        Assert.Equal($"urn:mixpanel-connector:problem:{kind}", run.Problem.GetProperty("type").GetString());
        Assert.Equal((kind, problemStatus), (run.Problem.GetProperty("kind").GetString(), run.Problem.GetProperty("status").GetInt32()));
        Assert.NotEmpty(run.Problem.GetProperty("title").GetString()!);
        Assert.NotEmpty(run.Problem.GetProperty("detail").GetString()!);
        Assert.DoesNotContain(Tool.Secret, run.Err, StringComparison.Ordinal);
    }

    public static TheoryData<string, string[]> BadCalls => new()
    {
        { "page", ["query-user-profiles", "--page", "one"] },
        { "page", ["query-user-profiles", "--page", "-1"] },
        { "session_id", ["query-user-profiles", "--page", "1"] },
        { "output_properties", ["query-user-profiles", "--output-properties", "[1"] },
        { "output_properties[0]", ["query-user-profiles", "--output-properties", "[1]"] },
        { "output_properties", ["query-user-profiles", "--output-properties", "@missing.json"] },
        { "output_properties", ["query-user-profiles", "--output-properties", "@"] },
        { "input", ["query-user-profiles", "--input", "[]"] },
        { "where", ["query-user-profiles", "--input", """{"where":"a","where":"b"}"""] },
        { "where", ["query-user-profiles", "--input", """{"where":"\ud800"}""", "--page", "0"] },
        { "properties.a", ["track-event", "--event", "a", "--properties", """{"time":1795435200,"distinct_id":"ann","a":1,"a":2}"""] },
        { "properties.a", ["track-event", "--event", "a", "--properties", """{"time":1795435200,"distinct_id":"ann","a":"\udc00"}"""] },
        { "properties", ["import", "-", "--properties", """{"a":"\ud800"}"""] },
        { "properties", ["import", "-", "--properties", """{"a":1,"a":2}"""] },
        { "unknown", ["query-user-profiles", "--input", """{"unknown":1}"""] },
        { "organization_id", ["get-all-service-accounts"] },
        { "organization_id", ["get-all-service-accounts", "--organization-id", "x"] },
        { "properties", ["track-event", "--event", "a"] },
        { "project_id", ["query-user-profiles", "--project-id", "x"] },
        { "region", ["query-user-profiles", "--region", "mars"] },
        { "endpoint", ["query-user-profiles", "--endpoint", "http://example.com"] },
        { "endpoint", ["query-user-profiles", "--endpoint", "nowhere"] },
        { "endpoint", ["query-user-profiles", "--local", "--endpoint", "http://127.0.0.1:1"] },
        { "data", ["query-user-profiles", "--data", "x"] },
        { "secret_file", ["query-user-profiles", "--secret-file", "missing"] },
        { "secret_file", ["query-user-profiles", "--secret-file", ""] },
        { "secret_out", ["create-service-account", "--username", "a", "--secret-out", ""] },
        { "profile", ["query-user-profiles", "--profile", "missing"] },
        { "output", ["query-user-profiles", "--output", "xml"] },
    };

    [Theory, MemberData(nameof(BadCalls))]
    public async Task A_bad_input_is_named_exits_2_and_sends_nothing(string field, string[] arguments)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);

        var run = await tool.RunAsync(arguments);

        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.Equal(("invalid_input", field),
            (run.Problem.GetProperty("kind").GetString(), run.Problem.TryGetProperty("field", out var named) ? named.GetString() : null));
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("no-such-command")]
    [InlineData("track-event", "--no-such-option", "1")]
    [InlineData("track-event", "surplus")]
    [InlineData("query-user-profiles", "--page")]
    public async Task A_command_line_that_is_not_understood_exits_2_and_names_the_help(params string[] arguments)
    {
        using var tool = new Tool();

        var run = await tool.RunAsync(arguments);

        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.Contains("--help", run.Problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--service-account-secret", "hunter2-hunter2")]
    [InlineData("--service-account-secret=hunter2-hunter2")]
    [InlineData("--secret", "hunter2-hunter2")]
    [InlineData("--password", "hunter2-hunter2")]
    public async Task A_secret_on_the_command_line_is_refused_and_not_repeated(params string[] option)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);

        var run = await tool.RunAsync(["query-user-profiles", .. option]);

        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.DoesNotContain("hunter2", run.Err, StringComparison.Ordinal);
        Assert.Contains("secret", run.Err, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_result_that_cannot_be_written_says_that_the_action_was_carried_out()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            Answer.Json(request.Method == "GET" ? """{"status":"ok","results":[]}"""
                : request.Path.Contains("service-accounts",
                    StringComparison.Ordinal) ? """{"status":"ok","results":{"id":9,"username":"b","token":"one-time"}}"""
                : Imported));
        using var full = new FullDisk();
        using var tool = new Tool { Output = full };
        foreach (var (name, value) in Tool.At(server).Environment) tool.Environment[name] = value;

        var track = await tool.RunAsync(Track);
        var create = await tool.RunAsync("create-service-account", "--username", "b", "--organization-id", "1", "--show-secret");
        var read = await tool.RunAsync("list-annotations", "--from-date", "2026-01-01", "--to-date", "2026-01-02");

        Assert.Equal((7, 7, 7), (track.Exit, create.Exit, read.Exit));
        Assert.Contains("The action was executed", track.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", track.Err, StringComparison.Ordinal);
        Assert.Contains("Its secret is lost", create.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("one-time", create.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("was executed", read.Err, StringComparison.Ordinal);
    }

    sealed class FullDisk : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device.");

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
    }

    [Fact]
    public async Task Without_credentials_both_ways_on_are_told()
    {
        using var tool = new Tool();

        var run = await tool.RunAsync(Track);

        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.Contains("MIXPANEL_SERVICE_ACCOUNT_SECRET", run.Err, StringComparison.Ordinal);
        Assert.Contains("--local", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_win_over_the_input_object()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":[],"status":"ok"}"""));
        using var tool = Tool.At(server);
        var file = tool.Folder.Write("input.json", "\uFEFF{\"where\":\"file\",\"output_properties\":[\"a\"]}");
        tool.Input = "\uFEFF{\"where\":\"stdin\"}";

        Assert.Equal(0, (await tool.RunAsync("query-user-profiles", "--input", """{"where":"text"}""")).Exit);
        Assert.Equal(0, (await tool.RunAsync("query-user-profiles", "--input", "@" + file, "--where", "option")).Exit);
        Assert.Equal(0, (await tool.RunAsync("query-user-profiles", "--input", "-")).Exit);

        Assert.Equal("where=text|where=option&output_properties=%5B%22a%22%5D|where=stdin", string.Join('|', server.Requests.Select(request => request.Text)));
    }

    [Theory]
    [InlineData("query-activity-stream --distinct-ids a --distinct-ids b --from-date 2026-01-01 --to-date 2026-01-02", "distinct_ids=[\"a\",\"b\"]")]
    [InlineData("query-activity-stream --distinct-ids a --from-date 2026-01-01 --to-date 2026-01-02", "distinct_ids=[\"a\"]")]
    [InlineData("query-activity-stream --distinct-ids [\"a\",\"b\"] --from-date 2026-01-01 --to-date 2026-01-02", "distinct_ids=[\"a\",\"b\"]")]
    [InlineData("query-activity-stream --distinct-ids @- --from-date 2026-01-01 --to-date 2026-01-02", "distinct_ids=[\"in\"]")]
    [InlineData("create-annotation --date 2026-01-01 --description x --tags 4 --tags 5 --input {\"date\":\"2026-01-31/13:00:00\"}", null)]
    [InlineData("query-activity-stream --distinct-ids [\"a\"] --distinct-ids b --from-date 2026-01-01 --to-date 2026-01-02", null)]
    [InlineData("create-annotation --description x --tags 4 --tags five", null)]
    public async Task A_list_of_plain_values_is_one_JSON_array_or_an_option_repeated(string line, string? sent)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":{"events":[]},"status":"ok"}"""));
        using var tool = Tool.At(server);
        tool.Input = """["in"]""";

        var run = await tool.RunAsync(line.Split(' '));

        Assert.True(run.Exit == (sent is null ? 2 : 0), run.Err);
        if (sent is null) Assert.Empty(server.Requests);
        else Assert.Contains(sent, Uri.UnescapeDataString(server.Lines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'--output' must be json or table. Did you mean table?", "list-cohorts", "--output", "tabel")]
    [InlineData("'WHAT' must be events, groups, lookup-tables or profiles. Did you mean events?", "export", "evnts", "--to", "x")]
    [InlineData("'--type' must be events, groups, lookup-table or profiles. Did you mean profiles?", "import", "x", "--type", "profile")]
    [InlineData("'--format' must be avro, csv, json, ndjson, parquet or tsv.", "import", "x", "--format", "zzzzzzzz")]
    [InlineData("properties.n: must be a number, not a string", "increment-user-properties", "--distinct-id", "u", "--properties", """{"n":"x"}""")]
    [InlineData("; did you mean unique?", "query-event-counts", "--events", "A", "B", "--type", "uniqe", "--unit", "day")]
    public async Task A_value_that_is_not_allowed_is_told_what_is(string message, params string[] words)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("{}"));
        using var tool = Tool.At(server);
        var run = await tool.RunAsync(words);
        Assert.Equal((2, 0), (run.Exit, server.Requests.Count));
        Assert.Contains(message, run.Problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("?.", run.Problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("9999999")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    public async Task A_wait_of_more_than_a_day_is_an_error(string retryAfter)
    {
        await using var server =
            await RecordingServer.StartAsync(_ => Answer.Json("""{"error":"too many"}""", 429) with { Headers = [new("Retry-After", retryAfter)] });
        using var tool = Tool.At(server, clock: new(ImpatientClock.Noon, longestWait: TimeSpan.FromMinutes(6)));
        var run = await tool.RunAsync("query-user-profiles", "--wait");
        Assert.Equal((5, "rate_limited"), (run.Exit, run.Problem.GetProperty("kind").GetString()));
    }

    [Theory]
    [InlineData("list-funnels", "[]")]
    [InlineData("query-user-profiles", """{"results":[],"page":0,"page_size":1000,"session_id":"s","total":0}""")]
    [InlineData("query-user-profiles --all", """{"results":[],"page":0,"page_size":1000,"session_id":"s","total":0}""")]
    public async Task A_query_waits_its_turn_when_told_to_and_else_says_when_to_come_back(string line, string results)
    {
        // The attempts of one call, and one more.
        var refusals = 0;
        await using var server = await RecordingServer.StartAsync(_ =>
            Interlocked.Increment(ref refusals) <= 5
                ? Answer.Json("""{"error":"too many"}""", 429) with { Headers = [new("Retry-After", "30")] }
                : Answer.Json(results));
        using var tool = Tool.At(server);

        var waited = await tool.RunAsync([.. line.Split(' '), "--wait"]);
        refusals = 0;
        var ended = await tool.RunAsync(line.Split(' '));

        Assert.True(waited.Exit == 0, waited.Err);
        Assert.Equal("mixpanel: Mixpanel's rate limit is exhausted; retrying at", waited.Err[..waited.Err.IndexOf(" 2026", StringComparison.Ordinal)]);
        Assert.Single(waited.Err.TrimEnd('\n').Split('\n'));
        Assert.Equal((5, ""), (ended.Exit, ended.Out));
        Assert.Equal(1, refusals); // it does not wait in silence, either
        Assert.Equal("rate_limited", ended.Problem.GetProperty("kind").GetString());
        Assert.Contains("in 30 s. --wait", ended.Problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--include-all-users", "include_all_users=true")]
    [InlineData("--include-all-users=true", "include_all_users=true")]
    [InlineData("--include-all-users false", "include_all_users=false")]
    public async Task A_boolean_may_go_without_its_value(string option, string sent)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":[],"status":"ok"}"""));
        using var tool = Tool.At(server);

        var run = await tool.RunAsync(["query-user-profiles", "--filter-by-cohort", """{"id":1}""", .. option.Split(' ')]);

        Assert.True(run.Exit == 0, run.Err);
        Assert.Contains(sent, server.Request.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_input_named_as_a_setting_leaves_the_setting_as_it_is()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            Answer.Json(request.Path.EndsWith("/funnels/list", StringComparison.Ordinal) ? "[]" : """{"results":[],"status":"ok"}"""));
        using var tool = Tool.At(server);
        tool.Environment["MIXPANEL_WORKSPACE_ID"] = "31";

        // The workspace of a report is a data view, and never comes from the settings.
        Assert.Equal(0, (await tool.RunAsync("list-funnels")).Exit);
        Assert.Equal(0, (await tool.RunAsync("list-funnels", "--workspace-id", "32")).Exit);
        Assert.Equal(0, (await tool.RunAsync("list-experiments")).Exit);
        Assert.Equal(0, (await tool.RunAsync("list-experiments", "--workspace-id", "33")).Exit);
        Assert.Equal(0, (await tool.RunAsync("--workspace-id", "34", "list-experiments")).Exit);

        Assert.Equal(
            """
            GET /api/query/funnels/list?project_id=12345
            GET /api/query/funnels/list?workspace_id=32&project_id=12345
            GET /api/app/workspaces/31/experiments
            GET /api/app/workspaces/33/experiments
            GET /api/app/workspaces/34/experiments
            """, server.Lines);
    }

    [Fact]
    public async Task A_setting_and_an_input_of_one_name_are_one_option()
    {
        await using var server =
            await RecordingServer.StartAsync(request => Answer.Json(request.Path == "/import" ? Imported : """{"results":[],"status":"ok"}"""));
        using var tool = Tool.At(server);
        tool.Environment["MIXPANEL_ORGANIZATION_ID"] = "77";

        await tool.RunAsync("get-all-service-accounts");
        await tool.RunAsync("get-all-service-accounts", "--organization-id", "5");
        await tool.RunAsync("get-all-service-accounts", "--input", """{"organization_id":6}""");
        await tool.RunAsync([.. Track, "--project-id", "8"]);
        await tool.RunAsync(Track);

        Assert.Equal(
            """
            GET /api/app/organizations/77/service-accounts
            GET /api/app/organizations/5/service-accounts
            GET /api/app/organizations/6/service-accounts
            POST /import?strict=1&project_id=8
            POST /import?strict=1&project_id=12345
            """, server.Lines);
    }

    [Fact]
    public async Task All_prints_one_result_a_line()
    {
        static string Page(int page, string ids) =>
            $$"""{"page":{{page}},"page_size":2,"session_id":"s","results":[{{string.Join(',', ids.Split(' ').Select(id => $$$"""{"$distinct_id":"{{{id}}}","$properties":{"t":"a\nb"}}"""))}}]}""";
        await using var server = await RecordingServer.StartAsync(Answer.Json(Page(0, "1 2")), Answer.Json(Page(1, "3")));
        using var tool = Tool.At(server);

        var run = await tool.RunAsync("query-user-profiles", "--all");

        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Equal("1 2 3",
            string.Join(' ', run.Out.TrimEnd('\n').Split('\n').Select(line => JsonElement.Parse(line).GetProperty("$distinct_id").GetString())));
    }

    [Fact]
    public async Task All_is_not_a_table()
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        foreach (var action in ActionCatalogue.Actions.Where(action => action.IsPaged))
        {
            var run = await tool.RunAsync(Surfaces.Cli.ActionCommand.NameOf(action), "--all", "--output", "table");
            Assert.Equal((2, ""), (run.Exit, run.Out));
            Assert.Contains("omit --output table", run.Err, StringComparison.Ordinal);
        }

        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData()]
    [InlineData("--input", "{}")]
    public async Task Without_a_place_for_the_secret_nothing_is_created(params string[] more)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);

        var run = await tool.RunAsync(["create-service-account", "--username", "bot", "--organization-id", "7", .. more]);

        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.Equal("secret_out", run.Problem.GetProperty("field").GetString());
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task The_secret_is_shown_when_asked()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Created, 201));
        using var tool = Tool.At(server);

        var run = await tool.RunAsync("create-service-account", "--username", "bot", "--organization-id", "7", "--show-secret");

        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Equal("one-time-4711", run.Json.GetProperty("secret").GetString());
    }

    [Fact]
    public async Task The_secret_goes_into_a_new_private_file()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Created, 201));
        using var tool = Tool.At(server);
        var path = tool.Folder.File("bot.secret");

        var run = await tool.RunAsync("create-service-account", "--username", "bot", "--organization-id", "7", "--secret-out", path);

        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Equal(path, run.Json.GetProperty("secret_file").GetString());
        Assert.False(run.Json.TryGetProperty("secret", out _));
        Assert.DoesNotContain("4711", run.Out, StringComparison.Ordinal);
        Assert.Equal("one-time-4711\n", await File.ReadAllTextAsync(path));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task An_existing_file_is_never_overwritten_and_nothing_is_created()
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        var path = tool.Folder.Write("old", "precious");

        var run = await tool.RunAsync("create-service-account", "--username", "bot", "--organization-id", "7", "--secret-out", path);

        Assert.Equal((2, "secret_out"), (run.Exit, run.Problem.GetProperty("field").GetString()));
        Assert.Equal("precious", await File.ReadAllTextAsync(path));
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(400, 3)]
    [InlineData(403, 4)]
    [InlineData(503, 5)]
    public async Task A_refusal_leaves_no_file_behind(int status, int exit)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json("""{"error":"no"}""", status));
        using var tool = Tool.At(server);
        var path = tool.Folder.File("bot.secret");

        Assert.Equal(exit, (await tool.RunAsync("create-service-account", "--username", "bot", "--organization-id", "7", "--secret-out", path)).Exit);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task The_help_of_an_action_says_of_each_input_what_its_documentation_says()
    {
        using var tool = new Tool();
        foreach (var action in ActionCatalogue.Actions)
        {
            var run = await tool.RunAsync(action.Name.Replace('_', '-'), "--help");
            var help = Words(run.Out);

            Assert.Equal((0, ""), (run.Exit, run.Err));
            Assert.Contains(Words(XmlDocs.Summary(action)!), help, StringComparison.Ordinal);
            foreach (var (name, schema) in action.InputSchema(XmlDocs.Describe)["properties"]!.AsObject())
            {
                Assert.Contains(schema!["writeOnly"] is null ? "--" + name.Replace('_', '-') : name, help, StringComparison.Ordinal);
                Assert.Contains(Words((string)schema["description"]!), help, StringComparison.Ordinal);
            }
        }

        // The columns of the help wrap lines; only the words are compared.
        static string Words(string text) => string.Concat(text.Where(character => !char.IsWhiteSpace(character)));
    }
}
