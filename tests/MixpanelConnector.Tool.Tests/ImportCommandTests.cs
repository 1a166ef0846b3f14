using System.Text;
using System.Text.Json;
using MixpanelConnector.Emulator;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

public class ImportCommandTests
{
    const string Imported = """{"code":200,"num_records_imported":1,"status":"OK"}""";

    [Fact]
    public async Task Cleaning_is_done_as_the_options_say_and_reported()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        var input = tool.Folder.Write("in.ndjson",
            """{"event":"e","properties":{"ts":"2026-09-21T13:46:40Z","x":null,"debug":1,"more":2,"user":"u","$insert_id":"i"}}""");

        string[] command =
        [
            "import", input, "--fix", "time,nulls", "--rename", "ts=time", "--rename", "user=$user_id", "--fix", "ids", "--drop", "debug", "--drop", "more",
            "--time-offset", "-0.5", "--output", "json",
        ];
        var run = await tool.RunAsync(command);

        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Equal("""{"time":1,"ids":1,"nulls":1,"renamed":1,"dropped":1,"time_offset":1}""", run.Json.GetProperty("fixed").GetRawText());
        Assert.Equal("""[{"event":"e","properties":{"distinct_id":"u","time":1789996600000,"$user_id":"u","$insert_id":"i"}}]""", server.Request.Text);

        // The counts are in the checkpoint.
        Assert.Equal(run.Out, (await tool.RunAsync(command)).Out);
        Assert.Single(server.Requests);

        // Different cleaning results in different records: the checkpoint does not apply to them.
        var other = await tool.RunAsync("import", input, "--fix", "time");
        Assert.Equal((2, "restart"), (other.Exit, other.Problem.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Dead_letters_that_could_not_be_written_are_written_by_status()
    {
        using var folder = new TemporaryFolder();
        var dead = folder.File("out/dead.ndjson");
        await using var server = await RecordingServer.StartAsync(_ =>
        {
            Directory.Delete(folder.File("out"), recursive: true);
            return Answer.Json(Imported);
        });
        using var tool = Tool.At(server);
        Directory.CreateDirectory(folder.File("out"));
        var input = tool.Folder.Write("in.ndjson", """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""" + "\nnonsense\n");

        var run = await tool.RunAsync("import", input, "--dead-letter", dead, "--output", "json");
        Assert.Equal((7, 7), (run.Exit, run.Json.GetProperty("exit_code").GetInt32()));

        Directory.CreateDirectory(folder.File("out"));
        var status = (await tool.RunAsync("import", "status", "--output", "json")).Json.GetProperty("imports")[0];
        Assert.Equal(("unfinished", dead), (status.GetProperty("progress").GetString(), status.GetProperty("dead_letter").GetString()));
        Assert.Contains("nonsense", Assert.Single(await File.ReadAllLinesAsync(dead, TestContext.Current.CancellationToken)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_is_told_by_the_printed_one()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        var input = tool.Folder.Write("in.ndjson", """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""");
        var run = await tool.RunAsync("import", input, "--report", "/dev/full", "--output", "json");
        Assert.Equal((7, 7, 1), (run.Exit, run.Json.GetProperty("exit_code").GetInt32(), run.Json.GetProperty("accepted").GetInt32()));
    }

    [Theory]
    [InlineData("--report", "report")]
    [InlineData("--dead-letter", "dead_letter")]
    public async Task The_option_whose_folder_is_missing_is_named(string option, string field)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        var run = await tool.RunAsync("import", tool.Folder.Write("in.ndjson", "{}"), option, tool.Folder.File("missing/file"));
        Assert.Equal((2, field), (run.Exit, run.Problem.GetProperty("field").GetString()));
    }

    /// <summary>A server that echoes everything it receives, wherever it can.</summary>
    [Theory]
    [InlineData("failed_records")]
    [InlineData("error")]
    [InlineData("413")]
    [InlineData("local")]
    [InlineData("unknown")]
    [InlineData("table")]
    public async Task No_value_of_a_record_and_no_secret_is_in_anything_but_a_dead_letter(string how)
    {
        const string Canary = "jane.canary@example.com";
        await using var server = await RecordingServer.StartAsync(request => how switch
        {
            "413" => Answer.Json(JsonSerializer.Serialize(new { code = 413, error = request.Text, status = request.Text }), 413),
            "unknown" => Answer.Json(JsonSerializer.Serialize(new { error = request.Text, status = 0 }), 400),
            "error" or "table" => Answer.Json(JsonSerializer.Serialize(new { code = 400, error = request.Text + Tool.Secret, status = request.Text }), 400),
            _ => Answer.Json(
                JsonSerializer.Serialize(new
                {
                    code = 400,
                    error = request.Text,
                    failed_records = request.Json.EnumerateArray().Select((record, index) =>
                        new { index, field = "properties." + Canary, message = record.GetRawText() + Tool.Secret }),
                    num_records_imported = 0,
                    status = request.Text
                }),
                400),
        });
        using var tool = Tool.At(server);
        tool.Environment["MIXPANEL_TOKEN"] = "token";
        string Event(string event_, string properties) => $$$"""{"event":{{{event_}}},"properties":{ {{{properties}}} }}""";
        string[] bad = how switch
        {
            "local" =>
            [
                Canary, $"\"{Canary}\"", $"[\"{Canary}\"]", $$"""{"{{Canary}}":1}""", Event("7", $"\"x\":\"{Canary}\""), Event($"[\"{Canary}\"]", ""),
                Event("\"e\"", $"\"time\":\"{Canary}\""),
                Event("\"e\"", $"\"time\":{{\"{Canary}\":1}}"), Event("\"e\"", $"\"time\":1,\"distinct_id\":\"{Canary}\""),
                Event("\"e\"", $"\"time\":4102444800,\"distinct_id\":\"{Canary}\""),
                Event("\"e\"", $"\"time\":1790000000,\"distinct_id\":\"{Canary}{new string('x', 255)}\""),
                Event("\"e\"", $"\"time\":1790000000,\"distinct_id\":[\"{Canary}\"]"),
                Event("\"e\"", $"\"time\":1790000000,\"distinct_id\":\"u\",\"$insert_id\":\"{Canary}\""),
                Event("\"e\"", $"\"x\":\"{Canary}\",\"x\":\"{Canary}\""),
                Event("\"e\"", $"\"x\":[\"{Canary}{new string('x', 9000)}\"]"), Event("\"e\"", $"\"x\":\"{Canary}\\ud800\""),
                Event("\"e\"", $"\"x\":1e999,\"y\":\"{Canary}\""), $$$"""{"event":"{{{Canary}}}","properties":{"x":{"y":{"z":{"a":"{{{Canary}}}"} } } } }""",
                Event($"\"{Canary}\"", $"\"$ignore\":\"{Canary}\""), Event("\"e\"", $"\"new\":\"{Canary}\",\"old\":1"),
                $$"""{"event":"{{Canary}}","properties":"{{Canary}}"}""",
            ],
            "unknown" => [$$$"""{"$distinct_id":"{{{Canary}}}","$add":{"n":1},"$ip":"{{{Canary}}}"}"""],
            "table" => [$"id,name\n{Canary},{Canary}"],
            _ =>
            [
                Event($"\"{Canary}\"", $"\"time\":1790000000,\"distinct_id\":\"{Canary}\""),
                Event("\"e\"", $"\"time\":1790000000,\"distinct_id\":\"{Canary}\",\"n\":2"),
            ],
        };
        var input = tool.Folder.Write("in.txt", string.Join('\n', bad) + "\n");
        string[] more = how switch
        {
            "unknown" => ["--type", "profiles"],
            "table" => ["--type", "lookup-table", "--table-id", Guid.Empty.ToString()],
            "local" => ["--rename", "old=new"],
            _ => [],
        };

        var run = await tool.RunAsync(["import", input, "--dead-letter", tool.Folder.File("dead"), "--report", tool.Folder.File("report"), .. more]);

        Assert.Equal(3, run.Exit);
        var report = await File.ReadAllTextAsync(tool.Folder.File("report"), TestContext.Current.CancellationToken);
        var dead = await File.ReadAllLinesAsync(tool.Folder.File("dead"), TestContext.Current.CancellationToken);
        Assert.Equal(how == "table" ? 1 : bad.Length, dead.Length);
        Assert.All(dead, line => Assert.Contains(Canary, line, StringComparison.Ordinal));
        foreach (var shown in (string[])[run.Out, run.Err, report]) Assert.DoesNotContain("canary", shown, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(dead.Length, run.Err.Split('\n').Count(line => line.StartsWith(input + ":", StringComparison.Ordinal)));
        foreach (var written in Directory.EnumerateFiles(tool.Folder.Path, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain(Tool.Secret, Encoding.Latin1.GetString(await File.ReadAllBytesAsync(written, TestContext.Current.CancellationToken)),
                StringComparison.Ordinal);
        Assert.DoesNotContain(Tool.Secret, run.Out + run.Err, StringComparison.Ordinal);
    }

    public static TheoryData<int, string> WholeRefusals()
    {
        var refusals = new TheoryData<int, string>();
        foreach (var status in (int[])[401, 402, 403, 404, 422, 501])
            foreach (var type in (string[])["events", "profiles", "lookup-table"]) refusals.Add(status, type);
        return refusals;
    }

    /// <summary>Such an answer ends the import: its text could appear in the problems.</summary>
    [Theory]
    [MemberData(nameof(WholeRefusals))]
    public async Task No_value_of_a_record_is_in_what_ends_an_import(int status, string type)
    {
        const string Canary = "jane.canary@example.com";
        await using var server = await RecordingServer.StartAsync(request =>
            Answer.Json(JsonSerializer.Serialize(new { code = status, error = request.Text, status = request.Text }), status));
        using var tool = Tool.At(server);
        tool.Environment["MIXPANEL_TOKEN"] = "token";
        var (text, more) = type switch
        {
            "events" => ($$$"""{"event":"{{{Canary}}}","properties":{"time":1790000000,"distinct_id":"{{{Canary}}}"}}""", Array.Empty<string>()),
            "profiles" => ($$$"""{"$distinct_id":"{{{Canary}}}","$set":{"a":"{{{Canary}}}"}}""", []),
            _ => ($"id,name\n{Canary},x\n", ["--table-id", Guid.Empty.ToString()]),
        };

        var run = await tool.RunAsync(["import", tool.Folder.Write("in.txt",
            text + "\n"), "--type", type, "--report", tool.Folder.File("report"), "--max-outage", "3s", .. more]);

        Assert.Equal(status is 422 or 501 ? 5 : 4, run.Exit);
        Assert.NotEmpty(server.Requests);
        foreach (var shown in (string[])[run.Out, run.Err, await File.ReadAllTextAsync(tool.Folder.File("report"), TestContext.Current.CancellationToken)])
            Assert.DoesNotContain("canary", shown, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Run the same command again", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_that_mixpanel_refuses_in_known_words_are_told_in_them()
    {
        await using var server =
            await RecordingServer.StartAsync(_ => Answer.Json("""{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""", 401));
        using var tool = Tool.At(server);
        var run = await tool.RunAsync("import", tool.Folder.Write("in.ndjson", """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}"""));
        Assert.Equal(4, run.Exit);
        Assert.Contains("did not accept the credentials (Invalid credentials). Check the user name, the secret", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("profiles", 9)]
    [InlineData("groups", 4)]
    [InlineData("csv", 4)]
    [InlineData("lookup-table", 3)]
    public async Task No_value_is_in_what_is_said_of_other_records_that_break_a_rule(string kind, int refused)
    {
        const string Canary = "jane.canary@example.com";
        string[] records = kind switch
        {
            "profiles" =>
            [
                """{"$token":"@","$distinct_id":"u","$set":{}}""", """{"$distinct_id":["@"],"$set":{}}""", """{"$set":{"a":"@"}}""",
                """{"$distinct_id":"u","$x":["@"]}""", """{"$distinct_id":"u","$set":{},"$add":{"n":"@"}}""",
                """{"$distinct_id":"u","$set":"@"}""", """{"$distinct_id":"u","$unset":"@"}""", """{"$distinct_id":"u","$add":{"n":"@"}}""",
                """{"$distinct_id":"u","$union":{"n":"@"}}""",
            ],
            "groups" =>
            [
                """{"$group_key":"@","$group_id":"g","$set":{}}""",
                """{"$group_id":["@"],"$set":{}}""",
                """{"$distinct_id":"@","$group_id":"g","$set":{}}""",
                """{"$set":{"a":"@"}}""",
            ],
            "csv" => ["event,time,distinct_id,x", "@,@,@,@", "@,1790000000,@,a,b,@", "@,1790000000", "\"@\"@,1,1,1"],
            _ => ["id,n", "@,1", "@,2", "@", "@,x\"y"],
        };
        string[] more = kind switch { "groups" => ["--group-key", "company"], "lookup-table" => ["--table-id", Guid.Empty.ToString()], _ => [] };
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        tool.Environment["MIXPANEL_TOKEN"] = "token";
        var input = tool.Folder.Write(kind is "csv" ? "in.csv" : "in.txt", string.Join('\n', records).Replace("@", Canary, StringComparison.Ordinal) + "\n");

        var run =
            await tool.RunAsync(["import", input, "--type", kind is "csv" ? "events" : kind, "--dry-run", "--dead-letter", tool.Folder.File("dead"), .. more]);

        var dead = await File.ReadAllLinesAsync(tool.Folder.File("dead"), TestContext.Current.CancellationToken);
        Assert.Equal((3, refused), (run.Exit, dead.Length));
        Assert.All(dead, line => Assert.Contains(Canary, line, StringComparison.Ordinal));
        Assert.DoesNotContain("canary", run.Out + run.Err, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_state_within_the_folder_of_inputs_is_not_read()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        Directory.CreateDirectory(tool.Folder.File("in"));
        tool.Folder.Write("in/a.ndjson", """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""" + "\nnonsense\n");

        string[] command = ["import", tool.Folder.File("in"), "--state", tool.Folder.File("in/state"), "--output", "json"];
        var first = await tool.RunAsync(command);
        Assert.Equal((3, 2, 1), (first.Exit, first.Json.GetProperty("read").GetInt32(), first.Json.GetProperty("rejected").GetInt32()));
        Assert.Equal(first.Out, (await tool.RunAsync(command)).Out);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("fix", "--fix", "times")]
    [InlineData("rename", "--rename", "a")]
    [InlineData("rename", "--rename", "a=b=c")]
    [InlineData("rename", "--rename", "a=event")]
    [InlineData("time_offset", "--time-offset", "soon")]
    [InlineData("time_offset", "--time-offset", "1e9")]
    [InlineData("rename", "--rename", "a=b", "--rename", "a=c")]
    [InlineData("drop", "--drop", "")]
    public async Task A_cleaning_that_makes_no_sense_is_refused_and_nothing_is_sent(string field, params string[] options)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        var input = tool.Folder.Write("in.ndjson", "{}");

        var run = await tool.RunAsync(["import", input, .. options]);

        Assert.Equal((2, "", field), (run.Exit, run.Out, run.Problem.GetProperty("field").GetString()));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Groups_go_to_the_embedded_mixpanel_and_come_back_from_it()
    {
        using var tool = new Tool();
        var data = tool.Folder.File("data");
        var input = tool.Folder.Write("in.ndjson", """
            {"$group_id":"acme","$set":{"seats":5}}
            {"$distinct_id":"initech","$properties":{"seats":1.50}}
            {"$group_id":"acme","$union":{"tags":[]}}

            """);

        var run = await tool.RunAsync("import", input, "--type", "groups", "--group-key", "company", "--local", "--data", data, "--output", "json");

        Assert.Equal((3, 2, 1), (run.Exit, run.Json.GetProperty("accepted").GetInt32(), run.Json.GetProperty("rejected").GetInt32()));
        Assert.Contains("in.ndjson:3: rejected:", run.Err, StringComparison.Ordinal);
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { DataDirectory = data });
        var groups = (await mixpanel.GroupsAsync()).Select(group => $"{group.GroupKey} {group.GroupId} {group.Properties}");
        Assert.Equal("""company acme {"seats":5}, company initech {"seats":1.50}""", string.Join(", ", groups));
    }

    [Fact]
    public async Task Groups_without_a_group_key_are_refused()
    {
        using var tool = new Tool();
        var run = await tool.RunAsync("import", tool.Folder.Write("in.ndjson", "{}"), "--type", "groups", "--dry-run");
        Assert.Equal((2, "group_key"), (run.Exit, run.Problem.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task A_lookup_table_goes_to_the_embedded_mixpanel_whole_or_not_at_all()
    {
        using var tool = new Tool();
        var data = tool.Folder.File("data");
        var input = tool.Folder.Write("in.csv", "id,name\na,1\na,2\nb,3\n");
        string[] command =
        [
            "import", input, "--type", "lookup-table", "--table-id", DevelopmentCredentials.LookupTableId, "--local", "--data", data, "--output", "json",
        ];

        var refused = await tool.RunAsync(command);
        Assert.Equal((3, 0, 1, 2),
            (refused.Exit, refused.Json.GetProperty("accepted").GetInt32(), refused.Json.GetProperty("rejected").GetInt32(),
                refused.Json.GetProperty("pending").GetInt32()));
        Assert.Contains("in.csv:3: primary_key_twice:", refused.Err, StringComparison.Ordinal);

        tool.Folder.Write("in.csv", "id,name\na,1\nb,3\n");
        var mended = await tool.RunAsync(command);
        Assert.Equal((0, 2, 0), (mended.Exit, mended.Json.GetProperty("accepted").GetInt32(), mended.Json.GetProperty("rejected").GetInt32()));
        Assert.Equal("", File.ReadAllText(mended.Json.GetProperty("dead_letter").GetString()!));

        var again = await tool.RunAsync(command);
        Assert.Equal((mended.Exit, mended.Out), (again.Exit, again.Out));

        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { DataDirectory = data });
        Assert.Equal("id,name\na,1\nb,3\n", Assert.Single(await mixpanel.LookupTablesAsync()).Csv);
    }

    [Theory]
    [InlineData("table_id", "--type", "lookup-table")]
    [InlineData("table_id", "--type", "lookup-table", "--table-id", "products")]
    [InlineData("table_id", "--table-id", DevelopmentCredentials.LookupTableId)]
    [InlineData("replay", "--type", "lookup-table", "--table-id", DevelopmentCredentials.LookupTableId, "--replay", "x")]
    public async Task A_lookup_table_that_makes_no_sense_is_refused(string field, params string[] options)
    {
        using var tool = new Tool();
        string[] inputs = options.Contains("--replay", StringComparer.Ordinal) ? [] : [tool.Folder.Write("in.csv", "id\n")];
        var run = await tool.RunAsync(["import", .. inputs, "--dry-run", .. options]);
        Assert.Equal((2, field), (run.Exit, run.Problem.GetProperty("field").GetString()));
    }
}
