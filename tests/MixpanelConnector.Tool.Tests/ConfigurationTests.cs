using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

public class ConfigurationTests
{
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    static async Task<(string? Value, string Source)> SettingAsync(Tool tool, string name, params string[] options)
    {
        var run = await tool.RunAsync(["config", .. options]);
        Assert.Equal((0, ""), (run.Exit, run.Err));
        var setting = run.Json.GetProperty("settings").EnumerateArray().Single(s => s.GetProperty("name").GetString() == name);
        return (setting.GetProperty("value").GetString(), setting.GetProperty("source").GetString()!);
    }

    [Fact]
    public async Task An_option_wins_over_the_environment_and_that_over_the_profile()
    {
        using var tool = new Tool();
        Assert.Equal((null, "not set"), await SettingAsync(tool, "project_id"));
        Assert.Equal(("us", "default"), await SettingAsync(tool, "region"));

        tool.WriteProfiles("""{"default":{"project_id":1,"region":"eu"},"other":{"project_id":"4"}}""");
        Assert.Equal(("1", "profile default"), await SettingAsync(tool, "project_id"));
        Assert.Equal(("4", "profile other"), await SettingAsync(tool, "project_id", "--profile", "other"));

        tool.Environment["MIXPANEL_PROJECT_ID"] = "2";
        Assert.Equal(("2", "environment MIXPANEL_PROJECT_ID"), await SettingAsync(tool, "project_id"));
        Assert.Equal(("3", "option --project-id"), await SettingAsync(tool, "project_id", "--project-id", "3"));
        Assert.Equal(("eu", "profile default"), await SettingAsync(tool, "region"));

        tool.Environment["MIXPANEL_PROJECT_ID"] = "";
        tool.Environment["MIXPANEL_PROFILE"] = "other";
        Assert.Equal(("4", "profile other"), await SettingAsync(tool, "project_id"));
    }

    [Fact]
    public async Task Secrets_are_masked()
    {
        using var tool = new Tool
        {
            Environment =
            {
                ["MIXPANEL_TOKEN"] = "0123456789abcdef",
                ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "robot",
                ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = Tool.Secret,
            },
        };

        Assert.Equal("0123***", (await SettingAsync(tool, "token")).Value);
        Assert.Equal("***", (await SettingAsync(tool, "service_account_secret")).Value);
        foreach (var output in (string[])["json", "table"])
        {
            var run = await tool.RunAsync("config", "--output", output);
            Assert.DoesNotContain(Tool.Secret, run.Out + run.Err, StringComparison.Ordinal);
            Assert.DoesNotContain("456789abcdef", run.Out + run.Err, StringComparison.Ordinal);
            Assert.Contains("robot", run.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_OAuth_token_comes_from_where_the_secret_comes_from_and_is_masked_like_it()
    {
        const string Bearer = "bearer-of-a-person";
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":{"status":"PENDING"},"status":"ok"}"""));
        async Task CheckAsync(Action<Tool> set, params string[] options)
        {
            using var tool = Tool.At(server);
            tool.Environment["MIXPANEL_TOKEN"] = "abc";
            set(tool);
            var config = await tool.RunAsync(["config", .. options]);
            Assert.DoesNotContain(Bearer, config.Out + config.Err, StringComparison.Ordinal);
            var run = await tool.RunAsync(["get-data-retrieval", "--tracking-id", "1", .. options]);
            Assert.True(run.Exit == 0, run.Err);
            Assert.Equal("Bearer " + Bearer, server.Requests[^1].Header("Authorization"));
        }

        await CheckAsync(tool => tool.Environment["MIXPANEL_OAUTH_TOKEN"] = Bearer);
        await CheckAsync(tool => tool.WriteProfiles($$$"""{"default":{"oauth_token":"{{{Bearer}}}"}}"""));
        using var files = new Tool();
        await CheckAsync(_ => { }, "--secret-file", files.WriteSecret(Bearer + "\n"));

        using var open = new Tool();
        if (!OperatingSystem.IsWindows())
        {
            open.WriteProfiles($$$"""{"default":{"oauth_token":"{{{Bearer}}}"}}""", Private | UnixFileMode.OtherRead);
            Assert.Equal(2, (await open.RunAsync("config")).Exit);
        }

        using var masked = new Tool { Environment = { ["MIXPANEL_OAUTH_TOKEN"] = Bearer, ["MIXPANEL_WORKSPACE_ID"] = "7" } };
        Assert.Equal(("***", "environment MIXPANEL_OAUTH_TOKEN"), await SettingAsync(masked, "oauth_token"));
        Assert.Equal(("7", "environment MIXPANEL_WORKSPACE_ID"), await SettingAsync(masked, "workspace_id"));
        Assert.Equal(("8", "option --workspace-id"), await SettingAsync(masked, "workspace_id", "--workspace-id", "8"));
        Assert.Equal(("***", "embedded Mixpanel"), await SettingAsync(masked, "oauth_token", "--local"));
        Assert.Equal(2, (await masked.RunAsync("config", "--oauth-token", Bearer)).Exit);
    }

    [Theory]
    [InlineData("MIXPANEL_REGION", "europe", "region")]
    [InlineData("MIXPANEL_PROJECT_ID", "abc", "project_id")]
    [InlineData("MIXPANEL_ENDPOINT", "http://mixpanel.example", "endpoint")]
    public async Task An_invalid_setting_is_shown_with_its_source(string variable, string value, string field)
    {
        using var tool = new Tool { Environment = { [variable] = value, ["MIXPANEL_TOKEN"] = "abc" } };
        var run = await tool.RunAsync("config");
        var setting = run.Json.GetProperty("settings").EnumerateArray().Single(setting => setting.GetProperty("name").GetString() == field);
        Assert.Equal((2, value, $"environment {variable}"), (run.Exit, setting.GetProperty("value").GetString(), setting.GetProperty("source").GetString()));
        foreach (var other in new[] { run, await tool.RunAsync("list-cohorts") })
            Assert.EndsWith($"The value comes from the environment variable {variable}.", other.Problem.GetProperty("detail").GetString(),
                StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MIXPANEL_OAUTH_TOKEN", "two words", "oauth_token")]
    [InlineData("MIXPANEL_WORKSPACE_ID", "seven", "workspace_id")]
    [InlineData("MIXPANEL_WORKSPACE_ID", "0", "workspace_id")]
    public async Task A_setting_that_cannot_be_right_is_named_and_not_repeated(string variable, string value, string field)
    {
        using var tool = new Tool { Environment = { [variable] = value, ["MIXPANEL_TOKEN"] = "abc" } };
        var run = await tool.RunAsync("get-data-retrieval", "--tracking-id", "1");
        Assert.Equal((2, field), (run.Exit, run.Problem.GetProperty("field").GetString()));
        Assert.DoesNotContain("two words", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Private, 0)]
    [InlineData(UnixFileMode.UserRead, 0)]
    [InlineData(Private | UnixFileMode.GroupRead, 2)]
    [InlineData(Private | UnixFileMode.OtherRead, 2)]
    [InlineData(Private | UnixFileMode.OtherWrite, 2)]
    public async Task A_file_with_a_secret_must_be_private(UnixFileMode mode, int exit)
    {
        if (OperatingSystem.IsWindows()) return;
        using var profile = new Tool();
        profile.WriteProfiles($$$"""{"default":{"service_account_username":"robot","service_account_secret":"{{{Tool.Secret}}}"}}""", mode);
        using var file = new Tool { Environment = { ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "robot" } };
        var path = file.WriteSecret(Tool.Secret + "\n", mode);

        foreach (var run in (Run[])[await profile.RunAsync("config"), await file.RunAsync("config", "--secret-file", path)])
        {
            Assert.Equal(exit, run.Exit);
            Assert.DoesNotContain(Tool.Secret, run.Out + run.Err, StringComparison.Ordinal);
            if (exit == 2) Assert.Contains("chmod 600", run.Err, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_profile_without_a_secret_may_be_public()
    {
        using var tool = new Tool();
        tool.WriteProfiles("""{"default":{"project_id":"9"}}""", Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        Assert.Equal("9", (await SettingAsync(tool, "project_id")).Value);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"default":[]}""")]
    [InlineData("""{"default":{"tokn":"x"}}""")]
    [InlineData("""{"default":{"token":{}}}""")]
    [InlineData("""{"default":{"token":true}}""")]
    [InlineData("""{"default":{"token":"x","token":"y"}}""")]
    [InlineData("""{"default":{"token":"x"},"default":{"token":"y"}}""")]
    [InlineData("""{"default":{"token":"\ud800"}}""")]
    public async Task A_damaged_profile_file_exits_2(string json)
    {
        using var tool = new Tool();
        tool.WriteProfiles(json);

        Assert.Equal(2, (await tool.RunAsync("config")).Exit);
    }

    [Fact]
    public async Task Null_in_a_profile_means_not_set()
    {
        using var tool = new Tool();
        tool.WriteProfiles("""{"default":{"token":null}}""");

        Assert.Equal((null, "not set"), await SettingAsync(tool, "token"));
    }

    [Theory]
    [InlineData("file")]
    [InlineData("-")]
    public async Task The_secret_comes_from_the_first_line_of_a_file_or_of_standard_input(string source)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json("""{"results":[],"status":"ok"}"""));
        using var tool = Tool.At(server);
        tool.Environment.Remove("MIXPANEL_SERVICE_ACCOUNT_SECRET");
        tool.Input = "  from-elsewhere \nmore";
        var path = source == "-" ? "-" : tool.WriteSecret(tool.Input);

        Assert.Equal(0, (await tool.RunAsync("query-user-profiles", "--secret-file", path)).Exit);
        Assert.Equal("Basic " + Convert.ToBase64String("robot:from-elsewhere"u8), server.Request.Header("Authorization"));
    }

    [Fact]
    public async Task A_secret_file_wins_over_the_environment()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json("""{"results":[],"status":"ok"}"""));
        using var tool = Tool.At(server);

        await tool.RunAsync("query-user-profiles", "--secret-file", tool.WriteSecret("other"));

        Assert.Equal("Basic " + Convert.ToBase64String("robot:other"u8), server.Request.Header("Authorization"));
    }

    [Theory]
    [InlineData("MIXPANEL_SERVICE_ACCOUNT_USERNAME", "service_account_secret")]
    [InlineData("MIXPANEL_SERVICE_ACCOUNT_SECRET", "service_account_username")]
    public async Task Half_an_account_is_named(string variable, string field)
    {
        using var tool = new Tool { Environment = { [variable] = "something" } };

        var run = await tool.RunAsync("query-user-profiles");

        Assert.Equal((2, field), (run.Exit, run.Problem.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Check_tries_each_credential_on_each_api()
    {
        await using var server = await RecordingServer.StartAsync(request => request.Path switch
        {
            "/import" =>
                Answer.Json("""{"code":400,"error":"e","failed_records":[{"index":0,"message":"m"}],"num_records_imported":0,"status":"Bad Request"}""", 400),
            "/api/app/me" => Answer.Json("""{"results":{},"status":"ok"}"""),
            _ => Answer.Json("""{"error":"no"}""", 403),
        });
        using var tool = Tool.At(server);
        tool.Environment["MIXPANEL_TOKEN"] = "0123456789abcdef";

        var run = await tool.RunAsync("check");

        Assert.Equal(4, run.Exit);
        Assert.Equal(
            "app service_account True|query service_account False|import service_account True|import token True",
            string.Join('|',
                run.Json.GetProperty("checks").EnumerateArray().Select(c => $"{c.GetProperty("api")} {c.GetProperty("credential")} {c.GetProperty("works")}")));
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task Check_that_finds_all_well_exits_0_and_none_without_credentials()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Path == "/import"
                ? Answer.Json("""{"code":400,"error":"e","status":"Bad Request"}""", 400)
                : Answer.Json("""{"results":[],"status":"ok"}"""));
        using var tool = Tool.At(server);
        using var bare = new Tool();

        Assert.Equal(0, (await tool.RunAsync("check")).Exit);
        Assert.Equal(2, (await bare.RunAsync("check")).Exit);
    }
}
