using System.Text;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Cli;

namespace MixpanelConnector.Tool.Tests;

public class LoginTests
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>A fake Mixpanel with the account robot, which can see the projects 1 and 2 and owns the first; any region.</summary>
    static Task<RecordingServer> MixpanelAsync() => RecordingServer.StartAsync(request =>
        request.Path == "/import" && request.Header("Authorization") == Basic("tok:") ? Refused
        : request.Header("Authorization") != Basic($"robot:{Tool.Secret}") ? Answer.Json("""{"error":"Invalid credentials","status":"error"}""", 401)
        : request.Path == "/api/app/me" ? Answer.Json(
            """{"results":{"organizations":{"7":{"role":"owner"}},"projects":{"1":{"name":"Shop","role":"owner"},"2":{"name":"Blog","role":{"name":"analyst"}}}},"status":"ok"}""")
        : !request.Query.Contains("project_id=1", StringComparison.Ordinal)
            && !request.Query.Contains("project_id=2", StringComparison.Ordinal) ? Answer.Json("""{"error":"no such project","status":"error"}""", 403)
        : request.Path == "/import" ? request.Query.Contains("project_id=1", StringComparison.Ordinal)
            ? Refused
            : Answer.Json("""{"error":"role","status":"error"}""", 403)
        : Answer.Json("""{"results":[],"status":"ok"}"""));

    static Answer Refused =>
        Answer.Json("""{"code":400,"error":"e","failed_records":[{"index":0,"message":"m"}],"num_records_imported":0,"status":"Bad Request"}""", 400);

    static string Basic(string pair) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(pair));

    static string Profiles(Tool tool) => tool.Folder.File(".config/mixpanel/profiles.json");

    /// <summary>A person at a terminal. Hidden inputs are counted.</summary>
    static async Task<(Run Run, int Hidden)> AnswerAsync(Tool tool, string[] answers, params string[] arguments)
    {
        var hidden = 0;
        using var stop = new Stop();
        using var output = new MemoryStream();
        using var error = new StringWriter();
        var exit = await CommandLine.RunAsync(arguments, new HostEnvironment
        {
            Environment = name => name == "HOME" ? tool.Folder.Path : tool.Environment.GetValueOrDefault(name),
            Input = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(answers.Select(answer => answer + "\n")))),
            Output = output,
            Error = error,
            InputIsTerminal = true,
            ErrorIsTerminal = true,
            OutputIsTerminal = true,
            HideInput = () =>
            {
                hidden++;
                return new MemoryStream();
            },
            TimeProvider = tool.Clock,
            Stopping = stop.Token,
        }, stop);
        return (new(exit, Encoding.UTF8.GetString(output.ToArray()), error.ToString()), hidden);
    }

    [Theory]
    [InlineData("n")]
    [InlineData("")]
    [InlineData("yess")]
    public async Task An_answer_that_is_not_yes_changes_nothing_and_is_told_in_a_sentence(string answer)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        var (run, _) = await AnswerAsync(tool, [answer], "delete-annotation", "--annotation-id", "1");
        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.EndsWith("[y/N] mixpanel: The answer was not yes. Nothing was changed.\n", run.Err, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task It_asks_tries_and_writes_a_profile_that_only_its_owner_can_read()
    {
        await using var server = await MixpanelAsync();
        using var tool = new Tool();

        var (run, hidden) = await AnswerAsync(tool, ["robot", Tool.Secret, "1", "tok"], "login", "--endpoint", server.Url);

        Assert.True(run.Exit == 0, run.Err);
        Assert.Equal(1, hidden);
        Assert.DoesNotContain(Tool.Secret, run.Out + run.Err, StringComparison.Ordinal);
        var written = System.Text.Json.JsonElement.Parse(await File.ReadAllTextAsync(Profiles(tool), TestContext.Current.CancellationToken))
            .GetProperty("default");
        Assert.Equal(("robot", Tool.Secret, "1", "tok"),
            (written.GetProperty("service_account_username").GetString(), written.GetProperty("service_account_secret").GetString(),
                written.GetProperty("project_id").GetString(), written.GetProperty("token").GetString()));
        if (!OperatingSystem.IsWindows()) Assert.Equal(OwnerOnly, File.GetUnixFileMode(Profiles(tool)));
        Assert.Equal(0, (await tool.RunAsync("check")).Exit);
    }

    [Fact]
    public async Task What_was_wrong_is_asked_again()
    {
        await using var server = await MixpanelAsync();
        using var tool = new Tool();

        var (run, hidden) = await AnswerAsync(tool, ["robot", "wrong", "9", "", "", Tool.Secret, "", "x", "1"], "login", "--endpoint", server.Url);

        Assert.True(run.Exit == 0, run.Err);
        Assert.Equal(2, hidden);
        Assert.Contains("The account has access to 1 (Shop), 2 (Blog).", run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain(Tool.Secret, run.Out + run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wrong", "1", 4, "did not accept the credentials")]
    [InlineData(Tool.Secret, "9", 2, "has no access to the project 9")]
    public async Task What_Mixpanel_refuses_is_not_written(string secret, string project, int exit, string says)
    {
        await using var server = await MixpanelAsync();
        using var tool = new Tool { Input = secret + "\n" };

        var run = await tool.RunAsync("login", "--endpoint", server.Url, "--service-account-username", "robot", "--secret-file", "-", "--project-id", project);

        Assert.Equal((exit == 2 ? ErrorOf("not_found") : exit, ""), (run.Exit, run.Out));
        var detail = run.Problem.GetProperty("detail").GetString()!;
        Assert.Contains(says, detail, StringComparison.Ordinal);
        Assert.Contains("No profile was written.", detail, StringComparison.Ordinal);
        Assert.False(File.Exists(Profiles(tool)));
        Assert.DoesNotContain(secret, run.Err, StringComparison.Ordinal);

        static int ErrorOf(string kind) => Surfaces.ErrorTable.Row(kind == "not_found" ? ErrorKind.NotFound : ErrorKind.Protocol).ExitCode;
    }

    [Fact]
    public async Task A_role_that_is_too_small_for_something_is_said_and_the_profile_written()
    {
        await using var server = await MixpanelAsync();
        using var tool = new Tool { Input = Tool.Secret + "\n" };

        var run = await tool.RunAsync("login", "--profile", "blog", "--endpoint", server.Url, "--service-account-username", "robot", "--secret-file", "-",
            "--project-id", "2");

        Assert.True(run.Exit == 0, run.Err);
        Assert.Contains("its role there, analyst, is not sufficient", run.Err, StringComparison.Ordinal);
        Assert.Contains("the profile in use is now blog", run.Err, StringComparison.Ordinal);
        Assert.True(File.Exists(Profiles(tool)));
    }

    [Fact]
    public async Task Without_anybody_to_ask_it_says_what_is_missing()
    {
        using var tool = new Tool();
        var run = await tool.RunAsync("login");
        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.Contains("--secret-file", run.Problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, (await tool.RunAsync("login", "--local")).Exit);
        Assert.Equal(2, (await tool.RunAsync("login", "--profile", "../x")).Exit);
    }

    [Fact]
    public async Task Profiles_are_listed_shown_chosen_and_deleted_and_no_secret_is_shown()
    {
        using var tool = new Tool();
        tool.WriteProfiles(
            $$$"""{"default":{"project_id":1},"eu":{"project_id":2,"region":"eu","service_account_username":"robot","service_account_secret":"{{{Tool.Secret}}}","token":"0123456789abcdef"}}""");

        var runs = new List<Run>
        {
            await tool.RunAsync("profile", "list"),
            await tool.RunAsync("profile", "list", "--output", "table"),
            await tool.RunAsync("profile", "show", "eu"),
            await tool.RunAsync("profile", "show"),
        };
        Assert.All(runs, run => Assert.Equal(0, run.Exit));
        Assert.Equal([true, false], runs[0].Json.GetProperty("profiles").EnumerateArray().Select(profile => profile.GetProperty("in_use").GetBoolean()));
        Assert.Equal("***", runs[2].Json.GetProperty("settings").GetProperty("service_account_secret").GetString());

        Assert.Equal(0, (await tool.RunAsync("profile", "use", "eu")).Exit);
        Assert.Equal("profile eu", Source(await tool.RunAsync("config")));
        Assert.Equal("profile default", Source(await tool.RunAsync("config", "--profile", "default")));
        tool.Environment["MIXPANEL_PROFILE"] = "default";
        Assert.Equal("profile default", Source(await tool.RunAsync("config")));
        Assert.Contains("MIXPANEL_PROFILE", (await tool.RunAsync("profile", "use", "eu")).Err, StringComparison.Ordinal);
        Assert.Equal("", (await tool.RunAsync("profile", "use", "eu", "--quiet")).Err);
        tool.Environment.Remove("MIXPANEL_PROFILE");

        runs.Add(await tool.RunAsync("profile", "delete", "eu"));
        Assert.Equal(2, runs[^1].Exit);
        Assert.Contains("--yes", runs[^1].Err, StringComparison.Ordinal);
        runs.Add(await tool.RunAsync("profile", "delete", "eu", "--yes"));
        Assert.Equal("default", runs[^1].Json.GetProperty("in_use").GetString());
        Assert.DoesNotContain(Tool.Secret, await File.ReadAllTextAsync(Profiles(tool), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("It has default.", (await tool.RunAsync("profile", "show", "eu")).Err, StringComparison.Ordinal);
        Assert.All(runs, run => Assert.DoesNotContain(Tool.Secret, run.Out + run.Err, StringComparison.Ordinal));

        static string? Source(Run run) =>
            run.Json.GetProperty("settings").EnumerateArray()
                .Single(setting => setting.GetProperty("name").GetString() == "project_id")
                .GetProperty("source").GetString();
    }

    [Fact]
    public async Task Only_yes_deletes_a_profile()
    {
        using var tool = new Tool();
        tool.WriteProfiles("""{"eu":{"project_id":2}}""");
        Assert.Equal(2, (await AnswerAsync(tool, ["no"], "profile", "delete", "eu")).Run.Exit);
        Assert.Equal(2, (await AnswerAsync(tool, [], "profile", "delete", "eu")).Run.Exit);
        Assert.Contains("eu", await File.ReadAllTextAsync(Profiles(tool), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(0, (await AnswerAsync(tool, ["Yes"], "profile", "delete", "eu")).Run.Exit);
    }

    [Fact]
    public async Task Check_says_a_wrong_secret_once_and_a_wrong_project_once()
    {
        await using var server = await MixpanelAsync();
        using var tool = Tool.At(server);
        tool.Environment["MIXPANEL_PROJECT_ID"] = "9";

        var check =
            Assert.Single((await tool.RunAsync("check")).Json.GetProperty("checks").EnumerateArray(), check => !check.GetProperty("works").GetBoolean());
        Assert.Equal(("query", "project_id"), (check.GetProperty("api").GetString(), check.GetProperty("field").GetString()));

        tool.Environment["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "wrong";
        Assert.Equal("app", Assert.Single((await tool.RunAsync("check")).Json.GetProperty("checks").EnumerateArray()).GetProperty("api").GetString());
    }

    [Fact]
    public async Task The_first_profile_is_the_one_in_use()
    {
        await using var server = await MixpanelAsync();
        using var tool = new Tool();
        var (first, _) = await AnswerAsync(tool, ["robot", Tool.Secret, "1", "tok"], "login", "--endpoint", server.Url, "--profile", "staging");
        Assert.Contains("the profile in use is now staging", first.Err, StringComparison.Ordinal);
        Assert.Equal(0, (await tool.RunAsync("check")).Exit);
        var (second, _) = await AnswerAsync(tool, ["robot", Tool.Secret, "2", "tok"], "login", "--endpoint", server.Url, "--profile", "other");
        Assert.Contains("the profile in use is staging", second.Err, StringComparison.Ordinal);
    }
}
