using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Tests.Http;

namespace MixpanelConnector.Tool.Tests.Export;

/// <summary>Calls that Mixpanel limits to 60 an hour are counted before they are sent, in one place for all commands.</summary>
public sealed class LedgerTests
{
    const string NoProfiles = """{"results":[],"page":0,"page_size":1000,"total":0,"status":"ok","session_id":"s"}""";
    const string Initialize = """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""";
    const string Call = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query_user_profiles","arguments":{}}}""";
    static readonly string[] Days = ["--from-date", "2026-10-01", "--to-date", "2026-10-05", "--calls-per-second", "0"];

    [Fact]
    public async Task An_export_ends_with_5_when_the_hour_is_used_up_and_says_when_it_can_go_on()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await ExportTests.ExportAsync(tool, to, [.. Days, "--calls-per-hour", "3"]);

        Assert.Equal((5, 3, 3, false), (run.Exit, server.Requests.Count, to.Files.Count(), (bool)to.Manifest["complete"]!));
        Assert.Contains("needs 5 calls; 3 left this hour, the others need another run, or --wait", run.Err, StringComparison.Ordinal);
        Assert.Contains("2026-11-23T13:00:00Z, in 3600 s", run.Err, StringComparison.Ordinal);

        tool.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal((5, 3), ((await ExportTests.ExportAsync(tool, to, [.. Days, "--calls-per-hour", "3"])).Exit, server.Requests.Count));
        tool.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal((0, 5), ((await ExportTests.ExportAsync(tool, to, [.. Days, "--calls-per-hour", "3"])).Exit, server.Requests.Count));
    }

    [Fact]
    public async Task With_wait_it_waits_for_the_next_hour()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        string[] options = [.. Days, "--calls-per-hour", "3", "--parallel", "1"];
        await ExportTests.ExportAsync(tool, to, options);
        tool.Clock.Advance(TimeSpan.FromMinutes(59));

        var run = await ExportTests.ExportAsync(tool, to, [.. options, "--wait"]);

        Assert.Equal((0, 5, TimeSpan.FromMinutes(1)), (run.Exit, server.Requests.Count, Assert.Single(tool.Clock.Waits)));
        Assert.Contains(", the others wait for the next hours", run.Err, StringComparison.Ordinal);
        Assert.Contains("resuming at 2026-11-23T13:00:00Z", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tries_count_and_so_do_429s()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("", 429));
        using var tool = Tool.At(server);
        var run = await ExportTests.ExportAsync(tool, new(tool.Folder.File("out")), [.. Days, "--parallel", "1"]);
        Assert.Equal((5, 25), (run.Exit, server.Requests.Count));
        Assert.Contains("; 35 left this hour", (await ExportTests.ExportAsync(tool, new(tool.Folder.File("out")), [.. Days, "--parallel", "1"])).Err,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_more_calls_leave_in_a_second_than_it_takes()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        await ExportTests.ExportAsync(tool, new(tool.Folder.File("out")), ["--from-date", "2026-10-01", "--to-date", "2026-10-07", "--parallel", "1"]);
        Assert.Equal([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)], tool.Clock.Waits.Where(wait => wait > TimeSpan.FromMilliseconds(500)));
    }

    [Fact]
    public async Task Actions_and_exports_share_a_ledger_by_project_and_kind_of_call()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Path.EndsWith("/export", StringComparison.Ordinal)
                ? Exported.Lines(Exported.Event("A", Exported.DayOf(request)))
                : Answer.Json("""{"results":[],"page":0,"page_size":1000,"total":0,"status":"ok","session_id":"s"}"""));
        using var tool = Tool.At(server);
        string[] events = ["export-events", "--from-date", "2026-10-01", "--to-date", "2026-10-01"];
        for (var i = 0; i < 60; i++)
        {
            tool.Clock.Advance(TimeSpan.FromSeconds(1));
            if (i % 2 == 0) Assert.Equal(0, (await tool.RunAsync(events)).Exit);
            else
                Assert.Equal(0,
                    (await ExportTests.ExportAsync(tool, new(tool.Folder.File($"out{i}")), ["--from-date", "2026-10-01", "--to-date", "2026-10-01"])).Exit);
        }

        var used = await tool.RunAsync(events);
        Assert.Equal((5, "", 60), (used.Exit, used.Out, server.Requests.Count));
        Assert.Contains("--wait waits for that", used.Err, StringComparison.Ordinal);
        Assert.Contains("2026-11-23T13:00:01Z", used.Err, StringComparison.Ordinal);

        Assert.Equal(0, (await tool.RunAsync("query-user-profiles")).Exit); // another kind of call
        Assert.Equal(0, (await tool.RunAsync([.. events, "--project-id", "7"])).Exit); // another project
        Assert.Equal(62, server.Requests.Count);
    }

    [Fact]
    public async Task An_action_waits_its_turn_where_that_is_said()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var tool = Tool.At(server);
        for (var i = 0; i < 60; i++) await tool.RunAsync("query-user-profiles");
        tool.Clock.Advance(TimeSpan.FromMinutes(59));

        var run = await tool.RunAsync("query-user-profiles", "--wait");

        Assert.Equal((0, 61), (run.Exit, server.Requests.Count));
        Assert.Contains("retrying at 2026-11-23T13:00:00Z", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agents_share_the_ledger_and_are_told_when_to_come_back()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var tool = Tool.At(server);
        for (var i = 0; i < 59; i++) await tool.RunAsync("query-user-profiles");

        var (last, beyond) = (await AskAsync(tool), await AskAsync(tool));

        Assert.Null(last["isError"]);
        Assert.Equal((true, 60), ((bool)beyond["isError"]!, server.Requests.Count));
        var problem = JsonElement.Parse((string)beyond["content"]![0]!["text"]!);
        Assert.Equal("rate_limited", problem.GetProperty("kind").GetString());
        Assert.EndsWith("The next call is possible at 2026-11-23T13:00:00Z, in 3600 s.", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(5, (await tool.RunAsync("query-user-profiles")).Exit);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_shares_the_ledger_of_its_state_and_answers_429_with_the_time_to_come_back(bool hasState)
    {
        await using var mixpanel = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var output = new ServingOutput();
        using var tool = Tool.At(mixpanel, clock: Still, output: output);
        var state = tool.Folder.File("state");
        string[] own = hasState ? ["--state", state] : [];
        for (var i = 0; i < 59; i++)
            await tool.RunAsync(hasState ? ["export", "profiles", "--to", tool.Folder.File($"out{i}"), .. own] : ["query-user-profiles"]);
        await using var serving = await ServeCommandRun.StartAsync(tool, output, own);

        using var last = await serving.QueryAsync();
        using var beyond = await serving.QueryAsync();

        Assert.Equal((200, 429, 60), ((int)last.StatusCode, (int)beyond.StatusCode, mixpanel.Requests.Count));
        Assert.Equal(TimeSpan.FromHours(1), beyond.Headers.RetryAfter!.Delta);
        var problem = JsonElement.Parse(await beyond.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("rate_limited", problem.GetProperty("kind").GetString());
        Assert.EndsWith("The next call is possible at 2026-11-23T13:00:00Z, in 3600 s.", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_embedded_Mixpanel_needs_no_ledger()
    {
        using var output = new ServingOutput();
        using var tool = new Tool();
        using var server = new Tool { Output = output, Clock = Still };
        Assert.Null((await AskAsync(tool, "--local"))["isError"]);
        await using (var serving = await ServeCommandRun.StartAsync(server, output, "--local"))
        {
            using var answer = await serving.QueryAsync();
            Assert.Equal(200, (int)answer.StatusCode);
        }

        Assert.All([tool, server], each => Assert.False(Directory.Exists(each.Folder.File(".local/state/mixpanel/ledger"))));
    }

    [Fact]
    public async Task A_ledger_that_is_cut_or_of_another_time_is_read_as_far_as_it_goes()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        await ExportTests.ExportAsync(tool, new(tool.Folder.File("a")), Days);
        var path = Assert.Single(Directory.GetFiles(tool.Folder.File(".local/state/mixpanel/ledger")));
        Assert.Equal(5 * 29, new FileInfo(path).Length);
        await File.AppendAllTextAsync(path, "2036-11-23T12:00:00.0000000Z\n2026-11-", TestContext.Current.CancellationToken);

        var run = await ExportTests.ExportAsync(tool, new(tool.Folder.File("b")), Days);

        Assert.Equal(0, run.Exit);
        Assert.Contains("; 55 left this hour", run.Err, StringComparison.Ordinal);
        Assert.Equal(11 * 29, new FileInfo(path).Length);
        Assert.DoesNotContain("damaged", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("export")]
    [InlineData("query-user-profiles")]
    [InlineData("check")]
    [InlineData("login")]
    [InlineData("mcp")]
    public async Task A_ledger_that_is_damaged_is_told_once_and_what_cannot_be_read_counts(string command)
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Path.EndsWith("/export", StringComparison.Ordinal)
                ? Exported.Lines(Exported.Event("A", Exported.DayOf(request)))
                : Answer.Json(NoProfiles));
        using var tool = Tool.At(server);
        await RunAsync();
        var path = Assert.Single(Directory.GetFiles(tool.Folder.File(".local/state/mixpanel/ledger")));
        var entries = new FileInfo(path).Length / 29;
        await File.AppendAllTextAsync(path, "rubbish-rubbish-rubbish-rubb\n", TestContext.Current.CancellationToken);

        var (told, again) = (await RunAsync(), await RunAsync());

        Assert.Contains($"The call ledger {path} was damaged", told.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", again.Err, StringComparison.Ordinal);
        Assert.Equal((3 * entries) + 1, File.ReadAllLines(path).Length);

        Task<Run> RunAsync()
        {
            tool.Input = $"{Initialize}\n{Call}\n";
            return command == "export" ? ExportTests.ExportAsync(tool, new(tool.Folder.File(Path.GetRandomFileName())), Days) : tool.RunAsync(command);
        }
    }

    [Theory]
    [InlineData("check")]
    [InlineData("login")]
    public async Task A_check_of_the_credentials_counts_as_the_query_that_it_is(string command)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var tool = Tool.At(server);
        for (var i = 0; i < 59; i++) await tool.RunAsync("query-user-profiles");

        await tool.RunAsync(command);
        var queries = Queries();
        var beyond = await tool.RunAsync(command);

        Assert.Equal((60, 60), (queries, Queries()));
        Assert.Equal(5, beyond.Exit);
        Assert.Contains("according to the call ledger", beyond.Out + beyond.Err, StringComparison.Ordinal);

        int Queries() => server.Requests.Count(request => request.Path.StartsWith("/api/query/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_the_ledger_is_only_the_user_of_the_machine_learns()
    {
        await using var mixpanel = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var output = new ServingOutput();
        using var tool = Tool.At(mixpanel, clock: Still, output: output);
        using var local = Tool.At(mixpanel);
        var ledger = Spoil(tool);
        Spoil(local);
        var agent = (string)(await AskAsync(local))["content"]![0]!["text"]!;
        var user = await local.RunAsync("query-user-profiles");
        string remote;
        Run served;
        await using (var serving = await ServeCommandRun.StartAsync(tool, output))
        {
            using var answer = await serving.QueryAsync();
            Assert.Equal(503, (int)answer.StatusCode);
            remote = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            served = await serving.StopAsync();
        }

        Assert.All([remote, agent], text =>
        {
            Assert.Contains("The call ledger cannot be updated, and nothing is sent without it.", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Path.GetTempPath(), text, StringComparison.Ordinal);
        });
        Assert.Contains(local.Folder.File(".local/state/mixpanel/ledger"), user.Problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(ledger, served.Err, StringComparison.Ordinal);
        Assert.Empty(mixpanel.Requests);
    }

    /// <summary>Through any interface, the caller does not learn a path of this machine, and its user does.</summary>
    [Theory]
    [InlineData(Call)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"run_action","arguments":{"action":"query_user_profiles"}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"mixpanel://project/events"}}""")]
    public async Task A_failure_of_this_machine_is_logged_whichever_way_an_agent_met_it(string message)
    {
        await using var mixpanel = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var output = new ServingOutput();
        using var tool = Tool.At(mixpanel, clock: Still, output: output);
        using var local = Tool.At(mixpanel);
        var (remotely, locally) = (Spoil(tool), Spoil(local));
        local.Input = $"{Initialize}\n{message}\n";

        var run = await local.RunAsync("mcp");
        string answer;
        Run served;
        await using (var serving = await ServeCommandRun.StartAsync(tool, output))
        {
            answer = await serving.AskAsync(message);
            served = await serving.StopAsync();
        }

        Assert.StartsWith("mixpanel: The call ledger cannot be updated", run.Err, StringComparison.Ordinal);
        Assert.Contains(locally, run.Err, StringComparison.Ordinal);
        var entry = JsonElement.Parse(Assert.Single(served.Err.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal("local_failure", entry.GetProperty("event").GetString());
        Assert.Contains(remotely, entry.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.All([run.Out, answer], text =>
        {
            Assert.Contains("The call ledger cannot be updated", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Path.GetTempPath(), text, StringComparison.Ordinal);
        });
        Assert.Empty(mixpanel.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_logs_only_lines_of_JSON_also_of_its_ledger_and_with_verbose(bool isVerbose)
    {
        await using var mixpanel = await RecordingServer.StartAsync(_ => Answer.Json(NoProfiles));
        using var output = new ServingOutput();
        using var tool = Tool.At(mixpanel, clock: Still, output: output);
        await tool.RunAsync("query-user-profiles");
        output.SetLength(0);
        var path = Assert.Single(Directory.GetFiles(tool.Folder.File(".local/state/mixpanel/ledger")));
        await File.AppendAllTextAsync(path, "rubbish-rubbish-rubbish-rubb\n", TestContext.Current.CancellationToken);
        Run served;
        await using (var serving = await ServeCommandRun.StartAsync(tool, output, isVerbose ? ["--verbose"] : []))
        {
            using var answer = await serving.QueryAsync();
            Assert.Equal(200, (int)answer.StatusCode);
            served = await serving.StopAsync();
        }

        var lines = served.Err.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();
        var warning = Assert.Single(lines, line => line.GetProperty("event").GetString() == "library" && line.GetProperty("level").GetString() == "warning");
        Assert.StartsWith($"The call ledger {path} was damaged", warning.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(isVerbose, lines.Count > 1);
    }

    /// <summary>A Retry-After with the seconds that a caller is told to wait; null if it asks for none that could be one of Mixpanel.</summary>
    public static TheoryData<string, int?> RetryAfters => new()
    {
        { "9999", 9999 },
        { "604800", 604800 },
        { "604801", 604800 },
        { "2147483647", 604800 },
        { "Fri, 31 Dec 9999 23:59:59 GMT", 604800 },
        { "0", 0 },
        { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
        { "2147483648", null },
        { "99999999999999999999", null },
        { "-5", null },
        { "1.5", null },
        { "soon", null },
        { "", null },
    };

    [Theory, MemberData(nameof(RetryAfters))]
    public async Task Whatever_Mixpanel_asks_to_wait_header_and_text_agree(string header, int? seconds)
    {
        await using var served = await Http.Served.StartAsync(Answer.Json("{}", 429).With("Retry-After", header));
        var answer = await served.PostAsync("/v1/actions/query_user_profiles", "{}");
        var detail = JsonElement.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("detail").GetString();
        Assert.Equal((429, TimeSpan.FromSeconds(seconds is { } wait ? Math.Max(1, wait) : 2)), ((int)answer.StatusCode, answer.Headers.RetryAfter!.Delta));
        EndsRight(detail);

        await using var mixpanel = await RecordingServer.StartAsync(_ => Answer.Json("{}", 429).With("Retry-After", header));
        using var tool = Tool.At(mixpanel, clock: new ImpatientClock(ImpatientClock.Noon, TimeSpan.FromMinutes(5)));
        var run = await tool.RunAsync("query-user-profiles");
        Assert.Equal((5, seconds > 10 ? 1 : 4), (run.Exit, mixpanel.Requests.Count)); // a longer pause is for the caller to decide
        EndsRight(run.Problem.GetProperty("detail").GetString()!.Replace(" --wait waits for that.", "", StringComparison.Ordinal));

        void EndsRight(string? text)
        {
            if (seconds is null) Assert.DoesNotContain("The next call is possible", text, StringComparison.Ordinal);
            else Assert.EndsWith($", in {seconds} s.", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("query-user-profiles")]
    public async Task A_caller_that_waits_itself_is_told_at_once_when_Mixpanel_asks_to_wait_long(string command)
    {
        await using var mixpanel = await RecordingServer.StartAsync(_ => Answer.Plain("", 429).With("Retry-After", "120"));
        using var output = new ServingOutput();
        using var tool = Tool.At(mixpanel, clock: command == "serve" ? Still : null, output: command == "serve" ? output : null);
        if (command == "serve")
        {
            await using var serving = await ServeCommandRun.StartAsync(tool, output);
            using var answer = await serving.QueryAsync();
            Assert.Equal((429, TimeSpan.FromSeconds(120)), ((int)answer.StatusCode, answer.Headers.RetryAfter!.Delta));
        }
        else
        {
            var clock = new ImpatientClock(ImpatientClock.Noon, TimeSpan.FromMinutes(2));
            using var patient = Tool.At(mixpanel, clock: clock);
            Assert.Equal(5, (await patient.RunAsync(command)).Exit);
            Assert.Empty(clock.Waits);
        }

        Assert.Single(mixpanel.Requests);
    }

    [Fact]
    public async Task A_ledger_that_cannot_be_kept_sends_nothing()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        Assert.Equal((7, 0),
            ((await ExportTests.ExportAsync(tool, new(tool.Folder.File("out")), [.. Days, "--state", tool.Folder.Write("file", "")])).Exit,
                server.Requests.Count));
    }

    // A file, where a folder should be.
    static string Spoil(Tool tool)
    {
        Directory.CreateDirectory(tool.Folder.File(".local/state/mixpanel"));
        return tool.Folder.Write(".local/state/mixpanel/ledger", "");
    }

    /// <summary>The result of a tool call on standard input.</summary>
    static async Task<JsonNode> AskAsync(Tool tool, params string[] options)
    {
        tool.Input = $"{Initialize}\n{Call}\n";
        var run = await tool.RunAsync(["mcp", .. options]);
        return run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!)
            .Single(answer => (int?)answer["id"] == 1)["result"]!;
    }

    /// <summary>A clock for a server, whose limits on waiting are not to end at once.</summary>
    static ImpatientClock Still => new(ImpatientClock.Noon, TimeSpan.Zero);

    static Task<RecordingServer> ServerAsync() => RecordingServer.StartAsync(request => Exported.Lines(Exported.Event("A", Exported.DayOf(request))));
}
