using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Export;

/// <summary>Exports of profiles, of groups, and of the list of lookup tables.</summary>
public sealed class ProfileExportTests
{
    /// <summary>A fake Mixpanel with the given number of profiles, in pages of 2.</summary>
    sealed class Profiles(int total)
    {
        const int PageSize = 2;

        int _sessions;

        public List<string> Asked { get; } = [];

        /// <summary>Changes an answer, by its number from 0.</summary>
        public Func<int, Answer, Answer> Change { get; init; } = (_, answer) => answer;

        public Answer Answer(RecordedRequest request)
        {
            var form = request.Text.Split('&')
                .Select(field => field.Split('='))
                .ToDictionary(field => field[0], field => Uri.UnescapeDataString(field[1]), StringComparer.Ordinal);
            var page = int.Parse(form["page"], System.Globalization.CultureInfo.InvariantCulture);
            if (page == 0) _sessions++;
            Asked.Add($"{page}{(form.GetValueOrDefault("session_id") is { } session ? $"@{session}" : "")}");
            var profiles = Enumerable.Range(page * PageSize, Math.Max(0, Math.Min(PageSize, total - (page * PageSize)))).Select(Profile);
            return Change(Asked.Count - 1,
                Testing.Answer.Json($$"""{"page":{{page}},"page_size":{{PageSize}},"session_id":"s{{_sessions}}","status":"ok","total":{{total}},"results":[{{string.Join(", ", profiles)}}]}"""));
        }

        public static string Profile(int number) =>
            $$$"""{"$distinct_id":"u{{{number}}}","$properties":{"n": {{{number}}}.0,"$last_seen":"2026-01-01T00:00:00","t":"a,\"b\"\u00e4"}}""";
    }

    static string All(int total) => string.Concat(Enumerable.Range(0, total).Select(number => Profiles.Profile(number) + "\n"));

    [Theory]
    [InlineData(0, "0", "manifest.json")]
    [InlineData(1, "0", "manifest.json pages-00000.ndjson.gz")]
    [InlineData(4, "0 1@s1", "manifest.json pages-00000.ndjson.gz")]
    [InlineData(5, "0 1@s1 2@s1", "manifest.json pages-00000.ndjson.gz")]
    [InlineData(101, null, "manifest.json pages-00000.ndjson.gz pages-00050.ndjson.gz")]
    public async Task Profiles_come_page_by_page_in_one_session(int total, string? asked, string names)
    {
        var mixpanel = new Profiles(total);
        await using var server = await RecordingServer.StartAsync(mixpanel.Answer);
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await tool.RunAsync("export", "profiles", "--output", "json", "--to", to.Folder, "--where", "true", "--calls-per-hour", "0");

        Assert.Equal((0, names, All(total)), (run.Exit, to.Names, to.Records));
        if (asked is not null) Assert.Equal(asked, string.Join(' ', mixpanel.Asked));
        Assert.Equal((true, total), ((bool)to.Manifest["complete"]!, (int)to.Manifest["records"]!));
        Assert.All(server.Requests, request => Assert.Contains("where=true", request.Text, StringComparison.Ordinal));
        if (total == 101) Assert.Equal("0+50 50+1", string.Join(' ', to.Files.Select(file => $"{file["first_page"]}+{file["pages"]}")));
        Assert.Equal((0, mixpanel.Asked.Count),
            ((await tool.RunAsync("export", "profiles", "--output", "json", "--to", to.Folder, "--where", "true")).Exit, server.Requests.Count));
    }

    [Theory]
    [InlineData("a server error", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("a cut page", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("an expired session", "0 1@s1 0 1@s2 2@s2", 0)]
    [InlineData("a short page", "0 1@s1 0 1@s2 2@s2", 0)]
    [InlineData("a profile twice", "0 1@s1 0 1@s2 2@s2", 0)]
    [InlineData("no profile", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("null", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("no id", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("an empty id", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("no properties", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("another page", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("fewer in all", "0 1@s1 0 1@s2 2@s2", 0)]
    [InlineData("more in all", "0 1@s1 0 1@s2 2@s2", 0)]
    [InlineData("a profile twice, escaped", "0 1@s1 0 1@s2 2@s2", 0)]
    [InlineData("a profile twice on it", "0 1@s1 0 1@s2 2@s2", 0)]
    [InlineData("gzip", "0 1@s1 2@s1", 0)]
    [InlineData("gzip without its trailer", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("gzip that is cut short", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("gzip with another checksum", "0 1@s1 1@s1 2@s1", 0)]
    [InlineData("an expired session, in gzip", "0 1@s1 0 1@s2 2@s2", 0)]
    [InlineData("401", "0 1@s1", 4)]
    public async Task What_is_not_whole_comes_again(string fault, string asked, int exit)
    {
        var mixpanel = new Profiles(5)
        {
            Change = (number, answer) => number != 1 ? answer : fault switch
            {
                "a server error" => Answer.Plain("", 503),
                "a cut page" => answer with { Body = answer.Body[..^30] },
                "an expired session" => Answer.Json("""{"error":"request for page in uncached query for params"}""", 400),
                "a short page" =>
                    Answer.Json("""{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"u2","$properties":{}}]}"""),
                "a profile twice" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"u1","$properties":{}},{"$distinct_id":"u3","$properties":{}}]}"""),
                "null" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"u2","$properties":{}},null]}"""),
                "no id" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$properties":{}},{"$distinct_id":"u3","$properties":{}}]}"""),
                "an empty id" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"","$properties":{}},{"$distinct_id":"u3","$properties":{}}]}"""),
                "no properties" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"u2"},{"$distinct_id":"u3","$properties":{}}]}"""),
                "another page" => Answer.Json(
                    """{"page":2,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"u2","$properties":{}},{"$distinct_id":"u3","$properties":{}}]}"""),
                "fewer in all" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":4,"results":[{"$distinct_id":"u2","$properties":{}},{"$distinct_id":"u3","$properties":{}}]}"""),
                "more in all" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":6,"results":[{"$distinct_id":"u2","$properties":{}},{"$distinct_id":"u3","$properties":{}}]}"""),
                "a profile twice, escaped" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"\u0075\u0031","$properties":{}},{"$distinct_id":"u3","$properties":{}}]}"""),
                "a profile twice on it" => Answer.Json(
                    """{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"u3","$properties":{}},{"$distinct_id":"u3","$properties":{}}]}"""),
                "gzip" => answer.Gzipped(),
                "gzip without its trailer" => answer.Gzipped() with { Body = answer.Gzipped().Body[..^8] },
                "gzip that is cut short" => answer.Gzipped() with { Body = answer.Gzipped().Body[..^20] },
                "gzip with another checksum" => answer.Gzipped() with { Body = [.. answer.Gzipped().Body[..^8], 1, 2, 3, 4, .. answer.Gzipped().Body[^4..]] },
                "an expired session, in gzip" => (Answer.Json("""{"error":"request for page in uncached query for params"}""").Gzipped()) with { Status = 400 },
                "no profile" => Answer.Json("""{"page":1,"page_size":2,"session_id":"s1","status":"ok","total":5,"results":[{"$distinct_id":"u1"},7]}"""),
                _ => Answer.Plain("", 401),
            },
        };
        await using var server = await RecordingServer.StartAsync(mixpanel.Answer);
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await tool.RunAsync("export", "profiles", "--output", "json", "--to", to.Folder);

        Assert.True(run.Exit == exit, run.Err);
        Assert.Equal((asked, exit == 0 ? All(5) : ""), (string.Join(' ', mixpanel.Asked), to.Records));
        Assert.Equal(exit == 0, (bool)to.Manifest["complete"]!);
    }

    [Theory]
    [InlineData("""{"page":0,"page_size":2,"session_id":"s","status":"ok","total":1,"results":[{"$distinct_id":"","$properties":{}}]}""",
        "item 1 of it is not a profile")]
    [InlineData("""{"page":0,"page_size":2,"session_id":"s","status":"ok","total":1,"results":[null]}""", "item 1 of it is not a profile")]
    [InlineData("""{"page":1,"page_size":2,"session_id":"s","status":"ok","total":1,"results":[{"$distinct_id":"u","$properties":{}}]}""", "it is page 1")]
    [InlineData("""{"page":0,"page_size":2,"session_id":"s","status":"ok","total":2,"results":[{"$distinct_id":7,"$properties":{}},{"$distinct_id":"7","$properties":{}}]}""",
        "repeats an earlier profile")]
    [InlineData("""{"page":0,"page_size":2,"session_id":"s","status":"ok","total":3,"results":[{"$distinct_id":"u","$properties":{}}]}""",
        "1 profile instead of 2")]
    public async Task What_never_comes_whole_ends_the_export_after_five_times(string answer, string reason)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(answer));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await tool.RunAsync("export", "profiles", "--output", "json", "--to", to.Folder);

        Assert.Equal((5, 5, "manifest.json", false), (run.Exit, server.Requests.Count, to.Names, (bool)to.Manifest["complete"]!));
        Assert.Contains(reason, run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_that_stopped_goes_on_with_its_session_after_its_last_file()
    {
        var isUp = false;
        var mixpanel = new Profiles(205) { Change = (number, answer) => number >= 60 && !isUp ? Answer.Plain("", 401) : answer };
        await using var server = await RecordingServer.StartAsync(mixpanel.Answer);
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        string[] line = ["export", "profiles", "--output", "json", "--to", to.Folder, "--calls-per-hour", "0"];

        Assert.Equal(4, (await tool.RunAsync(line)).Exit);
        Assert.Equal(("manifest.json pages-00000.ndjson.gz", false), (to.Names, (bool)to.Manifest["complete"]!));
        isUp = true;
        var run = await tool.RunAsync(line);

        Assert.Equal((0, "50@s1", 61 + 53, All(205)), (run.Exit, mixpanel.Asked[61], mixpanel.Asked.Count, to.Records));
        Assert.Equal(1, run.Json.GetProperty("resumed_files").GetInt32());
    }

    [Fact]
    public async Task Without_its_session_an_export_that_stopped_begins_again()
    {
        var isUp = false;
        var mixpanel = new Profiles(105) { Change = (number, answer) => number >= 51 && !isUp ? Answer.Plain("", 401) : answer };
        await using var server = await RecordingServer.StartAsync(mixpanel.Answer);
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));
        await tool.RunAsync("export", "profiles", "--output", "json", "--to", to.Folder, "--calls-per-hour", "0");
        isUp = true;
        var run =
            await tool.RunAsync("export", "profiles", "--output", "json", "--to", to.Folder, "--calls-per-hour", "0", "--state", tool.Folder.File("another"));
        Assert.Equal((0, "0", All(105)), (run.Exit, mixpanel.Asked[52], to.Records));
    }

    [Fact]
    public async Task Profiles_and_groups_have_columns_of_their_own()
    {
        var mixpanel = new Profiles(2);
        await using var server = await RecordingServer.StartAsync(mixpanel.Answer);
        using var tool = Tool.At(server);
        var (people, groups) = (new Exported(tool.Folder.File("people")), new Exported(tool.Folder.File("groups")));
        await tool.RunAsync("export", "profiles", "--output", "json", "--to", people.Folder, "--format", "csv", "--compression", "none");
        await tool.RunAsync("export", "groups", "--output", "json", "--to", groups.Folder, "--format", "csv", "--compression", "none", "--group-key", "company",
            "--data-group-id", "-1405123841946871899");

        const string Rows = "u0,\"{\"\"n\"\": 0.0,\"\"$last_seen\"\":\"\"2026-01-01T00:00:00\"\",\"\"t\"\":\"\"a,\\\"\"b\\\"\"\\u00e4\"\"}\"\r\nu1,\"{\"\"n\"\": 1.0,\"\"$last_seen\"\":\"\"2026-01-01T00:00:00\"\",\"\"t\"\":\"\"a,\\\"\"b\\\"\"\\u00e4\"\"}\"\r\n";
        Assert.Equal("$distinct_id,$properties\r\n" + Rows, people.Text("pages-00000.csv"));
        Assert.Equal("$group_id,$properties\r\n" + Rows, groups.Text("pages-00000.csv"));
        Assert.Equal(("company", "-1405123841946871899"), ((string)groups.Manifest["group_key"]!, (string)groups.Manifest["data_group_id"]!));
        Assert.Equal("data_group_id=-1405123841946871899&page=0", server.Requests[^1].Text);
        Assert.All(server.Requests, request => Assert.Equal("?project_id=12345", request.Query));
    }

    [Fact]
    public async Task A_data_view_is_asked_for_where_the_command_line_names_one()
    {
        var mixpanel = new Profiles(2);
        await using var server = await RecordingServer.StartAsync(mixpanel.Answer);
        using var tool = Tool.At(server);
        tool.Environment["MIXPANEL_WORKSPACE_ID"] = "9"; // is for flags and experiments
        var to = new Exported(tool.Folder.File("people"));
        string[] export = ["export", "profiles", "--output", "json", "--to", to.Folder];

        Assert.Equal(0, (await tool.RunAsync([.. export, "--workspace-id", "7"])).Exit);
        Assert.Equal("?workspace_id=7&project_id=12345", server.Request.Query);
        Assert.Equal(7, (int)to.Manifest["workspace_id"]!);
        Assert.Contains("another data view", (await tool.RunAsync(export)) is { Exit: 2 } other ? other.Err : "", StringComparison.Ordinal);
        Assert.Equal(0, (await tool.RunAsync("export", "profiles", "--output", "json", "--to", tool.Folder.File("all"))).Exit);
        Assert.Equal("?project_id=12345", server.Requests[^1].Query);
        Assert.Equal(2, (await tool.RunAsync("export", "events", "--to", tool.Folder.File("events"), "--from-date", "2026-10-01", "--workspace-id", "7")).Exit);
    }

    [Theory]
    [InlineData("""{"code":200,"status":"OK","results":[{"id":"1","name":"Songs \u00e4","token":"x","createdAt":"y"},{"id":"2","name":"B"}]}""",
        """{"id":"1","name":"Songs ä"}|{"id":"2","name":"B"}|""")]
    [InlineData("""{"code":200,"status":"OK","results":null}""", "")]
    [InlineData("""{"code":200,"status":"OK","results":[]}""", "")]
    public async Task Lookup_tables_are_listed(string answer, string lines)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(answer));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run = await tool.RunAsync("export", "lookup-tables", "--output", "json", "--to", to.Folder);

        Assert.Equal((0, lines, lines.Length > 0 ? "lookup-tables.ndjson manifest.json" : "manifest.json"),
            (run.Exit, to.Records.Replace('\n', '|'), to.Names));
        Assert.Equal(("not readable", true, "none"), ((string)to.Manifest["rows"]!, (bool)to.Manifest["complete"]!, (string)to.Manifest["compression"]!));
        Assert.Equal((0, 1), ((await tool.RunAsync("export", "lookup-tables", "--output", "json", "--to", to.Folder)).Exit, server.Requests.Count));
        Assert.Equal(2, (await tool.RunAsync("import", to.Folder)).Exit);
    }
}
