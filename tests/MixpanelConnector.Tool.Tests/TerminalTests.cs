using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

/// <summary>The output in any width, with and without colour, quiet or verbose.</summary>
public class TerminalTests
{
    const string Accounts = """{"results":[{"id":1,"username":"a.1","created":"2026-01-01T00:00:00Z","b":"x","c":"x","d":"x","e":"x","f":"x","g":{"h":{"i":1}},"j":[{"k":1},{"k":2}]}],"status":"ok"}""";

    [Theory]
    [InlineData(40, false)]
    [InlineData(200, true)]
    public async Task A_list_is_a_table_where_it_fits_and_else_item_by_item_and_nothing_is_left_out(int columns, bool isTable)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Accounts));
        using var tool = Tool.At(server);
        tool.Environment["COLUMNS"] = columns.ToString(System.Globalization.CultureInfo.InvariantCulture);

        var run = await tool.RunAsync("get-all-service-accounts", "--organization-id", "1", "--output", "table");

        Assert.Equal(isTable, run.Out.Contains('│'));
        foreach (var name in (string[])["username", "created", "f", "k"]) Assert.Contains(name, run.Out, StringComparison.Ordinal);
        if (!isTable) Assert.All(run.Out.Split('\n'), line => Assert.True(line.Length <= columns, line));
        if (!isTable) foreach (var fact in (string[])["  g.h.i      1\n", "  j[1].k     2\n"]) Assert.Contains(fact, run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Help_and_lists_are_complete_on_a_terminal_that_is_too_narrow(int columns)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Accounts));
        using var tool = Tool.At(server, terminal: true);
        tool.TerminalWidth = columns;
        foreach (var command in (string[])["export --help", "import --help", "help migrate", "help", "track-event --help"])
        {
            var help = await tool.RunAsync(command.Split(' '));
            Assert.Equal((0, ""), (help.Exit, help.Err));
            Assert.NotEmpty(help.Out);
        }

        Assert.Contains("username", (await tool.RunAsync("get-all-service-accounts", "--organization-id", "1", "--output", "table")).Out,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20, false)]
    [InlineData(20, true)]
    [InlineData(30, false)]
    [InlineData(39, true)]
    [InlineData(40, false)]
    [InlineData(64, true)]
    [InlineData(120, false)]
    public async Task Help_keeps_to_the_width_and_breaks_no_word(int columns, bool isTerminal)
    {
        using var tool = new Tool { Terminal = isTerminal, TerminalWidth = columns };
        if (!isTerminal) tool.Environment["COLUMNS"] = columns.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (var command in (string[])["track-event --help", "create-service-account --help", "help annotations", "help options", "profile --help"])
        {
            var help = (await tool.RunAsync(command.Split(' '))).Out;
            var free = help.IndexOf("Usage:", StringComparison.Ordinal) is >= 0 and var usage
                ? help[usage..(help.IndexOf("Example:", StringComparison.Ordinal) is > 0 and var example ? example : help.Length)]
                : help;
            Assert.All(free.Split('\n').Where(line => !line.StartsWith("  mixpanel ", StringComparison.Ordinal)),
                line => Assert.True(line.TrimEnd().Length <= columns || IsWord(line) || (columns < 40 && IsName(line)), $"{command}: {line}"));
        }
    }

    static bool IsWord(string line) => !line.Trim().Contains(' ', StringComparison.Ordinal);

    /// <summary>Whether a line is the name above its description.</summary>
    static bool IsName(string line) => line is [' ', ' ', not ' ', ..];

    [Theory]
    [InlineData("", true)]
    [InlineData("1", false)]
    public async Task Colours_are_those_of_the_terminal_and_none_with_NO_COLOR(string noColour, bool isColoured)
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Json("""{"code":200,"num_records_imported":1,"status":"OK"}"""));
        using var tool = Tool.At(server, terminal: true);
        tool.Environment["NO_COLOR"] = noColour;
        tool.Environment["TERM"] = "xterm-256color";
        var input = tool.Folder.Write("events.ndjson", """{"event":"e","properties":{"time":1756710000,"distinct_id":"u"}}""" + "\n");

        var run = await tool.RunAsync("import", input, "--no-progress");

        Assert.Equal(0, run.Exit);
        Assert.Equal(isColoured, run.Out.Contains("\e[32m", StringComparison.Ordinal));
        Assert.DoesNotContain("\e[9", run.Out, StringComparison.Ordinal); // bright: not for a light background
        Assert.DoesNotContain("\e[38", run.Out, StringComparison.Ordinal); // nor a colour of our own
    }

    [Fact]
    public async Task Quiet_says_what_went_wrong_and_nothing_else()
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Json("""{"code":200,"num_records_imported":1,"status":"OK"}"""));
        using var tool = Tool.At(server);
        var input = tool.Folder.Write("events.ndjson", """
            {"event":"e","properties":{"time":1756710000,"distinct_id":"u"}}
            {"event":"","properties":{"time":1756710000,"distinct_id":"u"}}

            """);

        Assert.Contains("events.ndjson:2", (await tool.RunAsync("import", input)).Err, StringComparison.Ordinal);
        var quiet = await tool.RunAsync("import", input, "--restart", "--quiet");
        Assert.Equal(3, quiet.Exit);
        Assert.Matches(@"^mixpanel: 1 record was not accepted\.[^\n]*\n$", quiet.Err.ReplaceLineEndings("\n"));
        Assert.NotEqual("", (await tool.RunAsync("import", tool.Folder.File("none"), "--quiet")).Err, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Verbose_shows_each_request_with_its_answer_and_no_secret()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Accounts));
        using var tool = Tool.At(server);

        var run = await tool.RunAsync("get-all-service-accounts", "--organization-id", "1", "--verbose");

        Assert.Matches(@"^\d\d:\d\d:\d\d\.\d{3} GET /api/app/organizations/1/service-accounts answered 200 in \d+ ms\r?\n$", run.Err);
        Assert.Equal(0, run.Exit);
        Assert.DoesNotContain(Tool.Secret, run.Out + run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_import_shows_how_far_it_is()
    {
        using var tool = new Tool();
        var folder = tool.Folder.File(".local/state/mixpanel/imports/one");
        using (Sqlite.SqliteImportState.Open(folder))
        {
            using var file = new Surfaces.Cli.ImportProgressFile(folder, ["/data/may.csv"], next: null, tool.Clock);
            tool.Clock.Advance(TimeSpan.FromSeconds(30));
            file.Report(new() { Read = 50, Accepted = 40, Rejected = 1, Requests = 1, Retries = 0, InputBytes = 250, TotalInputBytes = 1000 });

            var import = Assert.Single((await tool.RunAsync("import", "status")).Json.GetProperty("imports").EnumerateArray());
            Assert.Equal(("running", 40, 25, 90),
                (import.GetProperty("progress").GetString(), import.GetProperty("accepted").GetInt32(), import.GetProperty("percent").GetInt32(),
                    import.GetProperty("seconds_left").GetInt32()));
            Assert.Matches(@"^\d{4}-\d\d-\d\dT", import.GetProperty("began").GetString());
            Assert.Equal("/data/may.csv", import.GetProperty("sources").GetString());

            // A watcher only reads the file, and detects a killed import by its timestamp.
            var states = Path.GetDirectoryName(folder)!;
            Assert.Equal(50, Assert.Single(Surfaces.Cli.ImportProgressFile.ReadRunning(states, tool.Clock.GetUtcNow())).GetProperty("read").GetInt32());
            Assert.Empty(Surfaces.Cli.ImportProgressFile.ReadRunning(states, tool.Clock.GetUtcNow().AddMinutes(1)));
            Assert.Empty(Surfaces.Cli.ImportProgressFile.ReadRunning(Path.Combine(states, "none"), tool.Clock.GetUtcNow()));
        }

        Assert.False(File.Exists(Path.Combine(folder, "progress.json")));
        Assert.Empty(Surfaces.Cli.ImportProgressFile.ReadEnded(Path.GetDirectoryName(folder)!, tool.Clock.GetUtcNow(), most: 9));
        Assert.Equal("unfinished",
            Assert.Single((await tool.RunAsync("import", "status")).Json.GetProperty("imports").EnumerateArray()).GetProperty("progress").GetString());
    }

    [Fact]
    public async Task The_progress_of_a_run_that_was_killed_is_gone_when_the_next_one_has_ended()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"code":200,"num_records_imported":1,"status":"OK"}"""));
        using var tool = Tool.At(server);
        var state = tool.Folder.File("state");
        using (Sqlite.SqliteImportState.Open(state))
        {
#pragma warning disable CA2000 // killed: it is never disposed
            var killed = new Surfaces.Cli.ImportProgressFile(state, ["/data/may.csv"], next: null, tool.Clock);
#pragma warning restore CA2000
            tool.Clock.Advance(TimeSpan.FromSeconds(30));
            killed.Report(new() { Read = 50, Accepted = 40, Rejected = 1, Requests = 1, Retries = 0, InputBytes = 250, TotalInputBytes = 1000 });
        }

        Assert.True(File.Exists(Path.Combine(state, "progress.json")));
        var run = await tool.RunAsync("import",
            tool.Folder.Write("may.ndjson", """{"event":"A","properties":{"time":1756710000,"distinct_id":"u","$insert_id":"1"}}""" + "\n"), "--state", state);
        Assert.Equal((0, false, true),
            (run.Exit, File.Exists(Path.Combine(state, "progress.json")), File.Exists(Path.Combine(state, "ended.json"))));
    }

    [Fact]
    public async Task Imports_that_ended_are_told_the_last_one_first()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Text.Contains("refused", StringComparison.Ordinal)
                ? Answer.Plain("", 401)
                : Answer.Json("""{"code":200,"num_records_imported":1,"status":"OK"}"""));
        using var tool = Tool.At(server);
        var states = tool.Folder.File(".local/state/mixpanel/imports");
        var imports = new Surfaces.Cli.ImportsOfTerminals(states, tool.Clock);
        Assert.Empty(imports.Read());

        foreach (var name in (string[])["good", "refused", "partly"])
        {
            tool.Clock.Advance(TimeSpan.FromMinutes(1));
            var record =
                """{"event":"NAME","properties":{"time":1756710000,"distinct_id":"u","$insert_id":"1"}}""".Replace("NAME", name, StringComparison.Ordinal);
            await tool.RunAsync("import", tool.Folder.Write($"{name}.ndjson", name == "partly" ? $"{record}\n{{}}\n" : $"{record}\n"));
        }

        var killed = Path.Combine(states, "killed");
        Directory.CreateDirectory(killed);
        using var file = new Surfaces.Cli.ImportProgressFile(killed, ["/data/may.csv"], next: null, tool.Clock);
        tool.Clock.Advance(TimeSpan.FromMinutes(1));
        file.Report(new() { Read = 50, Accepted = 40, Rejected = 1, Requests = 1, Retries = 0, InputBytes = 250, TotalInputBytes = 1000 });
        Assert.Equal(["may.csv", "partly.ndjson finished 2 1 1", "refused.ndjson stopped 1 0 0", "good.ndjson finished 1 1 0"], imports.Read().Select(Told),
            StringComparer.Ordinal);

        tool.Clock.Advance(TimeSpan.FromMinutes(1)); // nothing was written for too long
        Assert.Equal("may.csv interrupted 50 40 1", Told(imports.Read()[0]));
        Assert.Equal(4, imports.Read().Count);

        file.Conclude(new()
        {
            Outcome = RunOutcome.Stopped,
            ResumedFrom = 0,
            Read = 60,
            Accepted = 59,
            Rejected = 1,
            Pending = 0,
            Blank = 0,
            Bytes = 9,
            Requests = 1,
            Retries = 0,
            ElapsedSeconds = 1,
            DeadLetter = null,
            Problems = [],
        });
        tool.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("may.csv stopped 60 59 1", Told(imports.Read()[0]));

        static string Told(System.Text.Json.JsonElement import) => import.TryGetProperty("status", out var status)
            ? $"{Path.GetFileName(import.GetProperty("sources").GetString())} {status} {import.GetProperty("read")} {import.GetProperty("accepted")} {import.GetProperty("rejected")}"
            : Path.GetFileName(import.GetProperty("sources").GetString())!;
    }
}
