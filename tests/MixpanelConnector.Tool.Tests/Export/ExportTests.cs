using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Export;

/// <summary>Exports of events: what is downloaded, what is kept, and the content of the folder.</summary>
public sealed class ExportTests
{
    static readonly string[] Range = ["--from-date", "2026-10-01", "--to-date", "2026-10-03"];

    [Fact]
    public async Task The_manifest_tells_what_is_there()
    {
        await using var server = await ServerAsync(emptyDay: 2);
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("a/b/out"));

        var run = await ExportAsync(tool, to, [.. Range, "--event", "Z", "--event", "B \"x\"", "--where", "properties[\"a\"] == 1"]);

        Assert.Equal(0, run.Exit);
        Assert.Contains("needs 3 calls; 60 left this hour", run.Err, StringComparison.Ordinal);
        var manifest = to.Manifest;
        Assert.Equal(
            $$"""{"version":1,"kind":"events","project_id":12345,"region":"us","endpoint":"{{server.Url}}","from_date":"2026-10-01","to_date":"2026-10-03","event":["B \u0022x\u0022","Z"],"where":"properties[\u0022a\u0022] == 1","format":"ndjson","compression":"gzip","complete":true,"records":4}""",
            Members(manifest, "program", "files"));
        var files = to.Files.ToList();
        Assert.Equal(
            """{"name":"2026-10-01.ndjson.gz","day":"2026-10-01","records":2,"joined":0,"unreadable":0,"fetched_at":"2026-11-23T12:00:00Z"} {"name":null,"day":"2026-10-02","records":0,"joined":0,"unreadable":0,"fetched_at":"2026-11-23T12:00:00Z"} {"name":"2026-10-03.ndjson.gz","day":"2026-10-03","records":2,"joined":0,"unreadable":0,"fetched_at":"2026-11-23T12:00:00Z"}""",
            string.Join(' ', files.Select(file => Members(file, "bytes", "sha256"))));
        Assert.Equal("2026-10-01.ndjson.gz 2026-10-03.ndjson.gz manifest.json", to.Names);
        foreach (var file in files.Where(file => file["name"] is not null))
        {
            var bytes = await File.ReadAllBytesAsync(Path.Combine(to.Folder, (string)file["name"]!), TestContext.Current.CancellationToken);
            Assert.Equal((bytes.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))),
                ((int)file["bytes"]!, (string)file["sha256"]!));
        }

        Assert.Contains("event=%5B%22Z%22%2C%22B%20%5Cu0022x%5Cu0022%22%5D&where=properties%5B%22a%22%5D%20%3D%3D%201", server.Requests[0].Query,
            StringComparison.Ordinal);
        Assert.Equal((0, 3), ((await tool.RunAsync("export", "verify", to.Folder)).Exit, server.Requests.Count));
    }

    [Theory]
    [InlineData("out/report.json", 2, "whose files belong to the command")]
    [InlineData("out/below/report.json", 2, "whose files belong to the command")]
    [InlineData("out/manifest.json", 2, "whose files belong to the command")]
    [InlineData("link/report.json", 2, "whose files belong to the command")]
    [InlineData("linked.json", 2, "whose files belong to the command")]
    [InlineData("nowhere/report.json", 2, "The folder of")]
    [InlineData("folder", 7, "It is a folder")]
    public async Task A_report_that_cannot_be_written_or_lies_among_the_files_is_refused_before_anything_is_asked(string report, int exit, string message)
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        Directory.CreateDirectory(tool.Folder.File("out/below"));
        Directory.CreateDirectory(tool.Folder.File("folder"));
        Directory.CreateSymbolicLink(tool.Folder.File("link"), to.Folder);
        File.CreateSymbolicLink(tool.Folder.File("linked.json"), Path.Combine(to.Folder, "2026-10-01.ndjson.gz"));

        var run = await ExportAsync(tool, to, [.. Range, "--report", tool.Folder.File(report)]);

        Assert.Equal((exit, 0, ""), (run.Exit, server.Requests.Count, to.Names));
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.Equal(2, (await ExportAsync(tool, new(tool.Folder.File("new")), [.. Range, "--report", tool.Folder.File("new/report.json")])).Exit);
        Assert.False(Directory.Exists(tool.Folder.File("new")));
    }

    [Fact]
    public async Task The_same_command_fetches_what_is_missing_alone()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        await ExportAsync(tool, to, Range);
        await File.WriteAllTextAsync(Path.Combine(to.Folder, "2026-10-02.ndjson.gz"), "cut", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(to.Folder, "2026-10-09.ndjson.gz.part"), "left", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(to.Folder, "own.part"), "the user's", TestContext.Current.CancellationToken);

        var run = await ExportAsync(tool, to, ["--from-date", "2026-09-30", "--to-date", "2026-10-04"]);

        Assert.Equal((0, 2, 5, 10),
            (run.Exit, run.Json.GetProperty("resumed_files").GetInt32(), run.Json.GetProperty("days").GetInt32(), run.Json.GetProperty("records").GetInt32()));
        Assert.Equal("02 30 04",
            string.Join(' ',
                server.Requests.Skip(3).Select(request => request.Query.Split("from_date=")[1][8..10]).OrderBy(day => day == "02" ? 0 : day == "30" ? 1 : 2)));
        Assert.Equal(("2026-09-30", "2026-10-04", true), ((string)to.Manifest["from_date"]!, (string)to.Manifest["to_date"]!, (bool)to.Manifest["complete"]!));
        Assert.Equal("2026-09-30.ndjson.gz 2026-10-01.ndjson.gz 2026-10-02.ndjson.gz 2026-10-03.ndjson.gz 2026-10-04.ndjson.gz manifest.json own.part",
            to.Names);
        Assert.Equal((0, 0),
            ((await ExportAsync(tool, to, Range)).Json.GetProperty("requests").GetInt32(), (await tool.RunAsync("export", "verify", to.Folder)).Exit));
    }

    [Fact]
    public async Task Days_that_do_not_join_leave_the_export_unfinished()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        await ExportAsync(tool, to, Range);
        var run = await ExportAsync(tool, to, ["--from-date", "2026-10-06", "--to-date", "2026-10-06"]);
        Assert.Equal((0, false), (run.Exit, (bool)to.Manifest["complete"]!));
        Assert.Contains("not complete", run.Err, StringComparison.Ordinal);
        await ExportAsync(tool, to, ["--from-date", "2026-10-04", "--to-date", "2026-10-05"]);
        Assert.True((bool)to.Manifest["complete"]!);
    }

    [Theory]
    [InlineData("--lookback 2", 2)]
    [InlineData("--lookback 0", 0)]
    [InlineData("--lookback 9", 3)]
    [InlineData("--restart", 3)]
    public async Task Days_are_fetched_again_where_that_is_said(string options, int requests)
    {
        var second = 0;
        await using var server = await RecordingServer.StartAsync(request => Exported.Lines(Exported.Event("A", Exported.DayOf(request), second)));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        await ExportAsync(tool, to, Range);
        second = 7;

        var run = await ExportAsync(tool, to, [.. Range, .. options.Split(' ')]);

        Assert.Equal((0, requests, 3 - requests), (run.Exit, run.Json.GetProperty("requests").GetInt32(), run.Json.GetProperty("resumed_files").GetInt32()));
        Assert.Equal(requests, to.Records.Split("A-7").Length - 1);
        Assert.Equal(0, (await tool.RunAsync("export", "verify", to.Folder)).Exit);
    }

    [Fact]
    public async Task A_day_that_was_fetched_again_and_is_empty_now_has_no_file()
    {
        var lines = new[] { Exported.Event("A", 1), "rubbish" };
        await using var server = await RecordingServer.StartAsync(_ => Exported.Lines(lines));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        string[] day = ["--from-date", "2026-10-01", "--to-date", "2026-10-01"];
        Assert.Equal(3, (await ExportAsync(tool, to, day)).Exit);
        lines = [];
        Assert.Equal((0, "manifest.json"), ((await ExportAsync(tool, to, [.. day, "--lookback", "1"])).Exit, to.Names));
    }

    [Fact]
    public async Task Today_is_open_and_fetched_again()
    {
        await using var server = await RecordingServer.StartAsync(request => Exported.Lines());
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        string[] days = ["--from-date", "2026-11-22", "--to-date", "2026-11-23"];

        Assert.Equal(0, (await ExportAsync(tool, to, days)).Exit);
        Assert.Equal("False True", string.Join(' ', to.Files.Select(file => (bool?)file["open"] ?? false)));
        tool.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal((1, 0),
            ((await ExportAsync(tool, to, days)).Json.GetProperty("requests").GetInt32(),
                (await ExportAsync(tool, to, days)).Json.GetProperty("requests").GetInt32()));
        Assert.Equal((2, 2),
            ((await ExportAsync(tool, to, ["--from-date", "2026-11-22", "--to-date", "2026-11-25"])).Exit,
                (await ExportAsync(tool, to, ["--from-date", "2026-11-25"])).Exit));
        Assert.Equal("2026-11-23", Assert.Single(await FirstDaysAsync(tool, server, "2026-11-23"))); // by default to yesterday
    }

    [Fact]
    public async Task An_export_that_was_refused_can_be_corrected_and_is_not_verified_as_finished()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Query.Contains("where=true", StringComparison.Ordinal)
                ? Exported.Lines(Exported.Event("A", Exported.DayOf(request)))
                : Answer.Plain("invalid where", 400));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        Assert.Equal(3, (await ExportAsync(tool, to, [.. Range, "--where", "total =="])).Exit);
        Assert.Equal(6, (await tool.RunAsync("export", "verify", to.Folder)).Exit);

        Assert.Equal(0, (await ExportAsync(tool, to, [.. Range, "--where", "true"])).Exit);
        Assert.Equal(0, (await tool.RunAsync("export", "verify", to.Folder)).Exit);
        Assert.Equal(2, (await ExportAsync(tool, to, [.. Range, "--where", "false"])).Exit);
    }

    [Theory]
    [InlineData("export profiles --to {out}", "another kind")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --to-date 2026-10-03 --project-id 7", "another project")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --to-date 2026-10-03 --endpoint http://127.0.0.1:9", "another endpoint")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --to-date 2026-10-03 --format csv", "another format")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --to-date 2026-10-03 --compression none", "another compression")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --to-date 2026-10-03 --event A", "other event names")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --to-date 2026-10-03 --where true", "another condition")]
    public async Task A_folder_holds_one_export(string line, string said)
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        await ExportAsync(tool, to, Range);
        var before = to.Manifest.ToJsonString();

        var run = await tool.RunAsync(line.Replace("{out}", to.Folder, StringComparison.Ordinal).Split(' '));

        Assert.Equal((2, "", 3, before), (run.Exit, run.Out, server.Requests.Count, to.Manifest.ToJsonString()));
        Assert.Contains(said, run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("export")]
    [InlineData("export events --from-date 2026-10-01")]
    [InlineData("export events --to {out}")]
    [InlineData("export events --to {out} --from-date 2026-10-02 --to-date 2026-10-01")]
    [InlineData("export events --to {out} --from-date October")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --parallel 0")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --parallel 101")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --lookback -1")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --calls-per-hour -1")]
    [InlineData("export events --to {out} --from-date 2026-10-01 --group-key company")]
    [InlineData("export profiles --to {out} --from-date 2026-10-01")]
    [InlineData("export profiles --to {out} --event A")]
    [InlineData("export groups --to {out}")]
    [InlineData("export groups --to {out} --group-key company")]
    [InlineData("export lookup-tables --to {out} --format csv")]
    [InlineData("export lookup-tables --to {out} --where true")]
    [InlineData("export cohorts --to {out}")]
    public async Task What_makes_no_sense_exits_2_and_asks_for_nothing(string line)
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var run = await tool.RunAsync(line.Replace("{out}", tool.Folder.File("out"), StringComparison.Ordinal).Split(' '));
        Assert.Equal((2, "", 0, false), (run.Exit, run.Out, server.Requests.Count, Directory.Exists(tool.Folder.File("out"))));
    }

    [Fact]
    public async Task Object_storage_without_credentials_exits_2_and_asks_Mixpanel_for_nothing()
    {
        Environment.SetEnvironmentVariable("AWS_EC2_METADATA_DISABLED", "true"); // the SDK would ask the network for them
        await using var server = await ServerAsync();
        using var tool = Tool.At(server, clock: new(ImpatientClock.Noon, longestWait: TimeSpan.FromSeconds(5)));
        var run = await tool.RunAsync("export", "events", "--to", "s3://bucket/key", "--from-date", "2026-10-01");
        Assert.Equal((2, "", "to", 0), (run.Exit, run.Out, run.Problem.GetProperty("field").GetString(), server.Requests.Count));
        Assert.Contains("AWS_ACCESS_KEY_ID", run.Err, StringComparison.Ordinal);
    }

    /// <summary>As for the action of the same query; see docs/decisions/0003-refused-is-not-invalid.md.</summary>
    [Theory]
    [InlineData("events --from-date 2026-10-01 --to-date 2026-10-03 --where properties[", "where")]
    [InlineData("events --from-date 2026-10-01 --to-date 2026-10-03 --event A", "event")]
    [InlineData("events --from-date 2026-10-01 --to-date 2026-10-03", null)]
    [InlineData("profiles --where properties[", "where")]
    [InlineData("profiles", null)]
    [InlineData("groups --group-key company --data-group-id 7", "data_group_id")]
    [InlineData("lookup-tables", null)]
    public async Task A_query_that_Mixpanel_refuses_exits_3_and_leaves_no_manifest(string options, string? field)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"error":"unexpected end"}""", 400));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await tool.RunAsync(["export", .. options.Split(' '), "--to", to.Folder, "--output", "json"]);

        var problem = JsonNode.Parse(run.Err.Split('\n').Single(line => line.StartsWith('{')))!;
        Assert.Equal((3, "", "rejected", field), (run.Exit, run.Out, (string?)problem["kind"], (string?)problem["field"]));
        Assert.Contains("unexpected end", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.Equal("", to.Names); // that of an unfinished export stays: see WholeDayTests
    }

    [Fact]
    public async Task A_refused_query_keeps_the_files_of_other_days()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            Exported.DayOf(request) == 2 ? Answer.Plain("invalid", 400) : Exported.Lines(Exported.Event("A", Exported.DayOf(request))));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        Assert.Equal(0, (await ExportAsync(tool, to, ["--from-date", "2026-10-01", "--to-date", "2026-10-01"])).Exit);
        Assert.Equal(3, (await ExportAsync(tool, to, ["--from-date", "2026-10-02", "--to-date", "2026-10-02"])).Exit);
        Assert.Equal("2026-10-01.ndjson.gz manifest.json", to.Names);
    }

    [Fact]
    public async Task A_second_export_into_the_folder_exits_8()
    {
        using var tool = new Tool();
        using var other = new Tool(); // with a state folder of its own
        var to = new Exported(tool.Folder.File("out"));
        Run? second = null;
        await using var server = await RecordingServer.StartAsync(request =>
        {
            second ??= ExportAsync(other, to, Range).GetAwaiter().GetResult();
            return Exported.Lines(Exported.Event("A", Exported.DayOf(request)));
        });
        foreach (var one in (Tool[])[tool, other])
            foreach (var (name, value) in Tool.At(server).Environment) one.Environment[name] = value;

        Assert.Equal(0, (await ExportAsync(tool, to, Range)).Exit);
        Assert.Equal((8, 3), (second!.Exit, server.Requests.Count));
        Assert.Equal("2026-10-01.ndjson.gz 2026-10-02.ndjson.gz 2026-10-03.ndjson.gz manifest.json", to.Names);
    }

    [Fact]
    public async Task Verify_names_what_is_damaged_and_an_import_of_it_ends_with_6()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        await ExportAsync(tool, to, Range);
        var path = Path.Combine(to.Folder, "2026-10-02.ndjson.gz");
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        File.Delete(Path.Combine(to.Folder, "2026-10-03.ndjson.gz"));

        var run = await tool.RunAsync("export", "verify", to.Folder);

        Assert.Equal((6, """["2026-10-02.ndjson.gz","2026-10-03.ndjson.gz"]""", 3),
            (run.Exit, run.Json.GetProperty("damaged").GetRawText(), server.Requests.Count));
        Assert.Contains("2026-10-02.ndjson.gz", run.Err, StringComparison.Ordinal);
        var imported = await tool.RunAsync("import", to.Folder, "--dry-run", "--output", "json");
        Assert.Equal((6, 2), (imported.Exit, imported.Json.GetProperty("read").GetInt32()));
        Assert.Contains("2026-10-02.ndjson.gz", imported.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_export_or_not_finished_is_said_to_be_so()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            Exported.DayOf(request) == 3 ? Answer.Plain("", 403) : Exported.Lines(Exported.Event("A", Exported.DayOf(request))));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        Assert.Equal(4, (await ExportAsync(tool, to, Range)).Exit);

        foreach (var line in (string[][])[["import", to.Folder], ["import", to.Folder, "--inspect"], ["import", to.Folder, "--dry-run"]])
        {
            var run = await tool.RunAsync(line);
            Assert.True(run.Exit == 6, run.Err);
            Assert.Contains("not finished", run.Err, StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync(Path.Combine(to.Folder, "manifest.json"), "{\"version\":1,", TestContext.Current.CancellationToken);
        Assert.Equal((6, 6, 6),
            ((await tool.RunAsync("import", to.Folder)).Exit, (await tool.RunAsync("export", "verify", to.Folder)).Exit,
                (await ExportAsync(tool, to, Range)).Exit));
        Assert.Equal((6, 2),
            ((await tool.RunAsync("export", "verify", tool.Folder.Path)).Exit, (await tool.RunAsync("export", "verify", tool.Folder.File("nowhere"))).Exit));
        Assert.Equal(4, (await ExportAsync(tool, to, [.. Range, "--restart"])).Exit);
        Assert.All(server.Requests, request => Assert.StartsWith("/api/2.0/export", request.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_exits_7()
    {
        await using var server = await ServerAsync();
        using var tool = Tool.At(server);
        var run = await ExportAsync(tool, new(tool.Folder.Write("file", "")), Range);
        Assert.Equal((7, 0), (run.Exit, server.Requests.Count));
    }

    [Fact]
    public async Task A_stop_leaves_whole_files_and_the_same_command_goes_on()
    {
        using var stop = new Stop();
        var isStopped = false;
        await using var server = await RecordingServer.StartAsync(request =>
        {
            if (Exported.DayOf(request) != 2 || isStopped) return Exported.Lines(Exported.Event("A", Exported.DayOf(request)));
            isStopped = true;
            stop.Begin(RunOutcome.Terminated);
            return Answer.Stall;
        });
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        string[] line = ["export", "events", "--output", "json", "--to", to.Folder, .. Range, "--parallel", "1"];

        var run = await tool.RunAsync(stop, line);

        Assert.Equal((143, "2026-10-01.ndjson.gz manifest.json", false), (run.Exit, to.Names, (bool)to.Manifest["complete"]!));
        Assert.Equal((0, 1), ((await tool.RunAsync(line)).Exit is var exit ? exit : 0, to.Files.Count(file => (string?)file["day"] == "2026-10-01")));
        Assert.True((bool)to.Manifest["complete"]!);
    }

    static async Task<IEnumerable<string>> FirstDaysAsync(Tool tool, RecordingServer server, string from)
    {
        var before = server.Requests.Count;
        await ExportAsync(tool, new(tool.Folder.File("other")), ["--from-date", from]);
        return server.Requests.Skip(before).Select(request => request.Query.Split("from_date=")[1][..10]);
    }

    internal static Task<Run> ExportAsync(Tool tool, Exported to, string[] options) =>
        tool.RunAsync(["export", "events", "--output", "json", "--to", to.Folder, .. options]);

    static Task<RecordingServer> ServerAsync(int emptyDay = 0) => RecordingServer.StartAsync(request =>
        Exported.DayOf(request with { Query = request.Query.Replace("2026-09", "2026-10", StringComparison.Ordinal) }) is var day
            && day == emptyDay ? Exported.Lines()
            : request.Query.Contains("2026-09-30", StringComparison.Ordinal)
            ? Exported.Lines(Exported.Event("A", 1).Replace("1790812800000", "1790726400000", StringComparison.Ordinal),
                Exported.Event("B", 1).Replace("1790812800000", "1790726400000", StringComparison.Ordinal))
            : Exported.Lines(Exported.Event("A", day), Exported.Event("B", day)));

    static string Members(JsonObject json, params string[] without) =>
        new JsonObject(json.Where(member => !without.Contains(member.Key))
            .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))).ToJsonString();
}
