using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

public class RotateTests
{
    const string New = "new-secret-of-the-account";

    /// <summary>A fake Mixpanel with the account old (id 7, analyst of project 1). The new account's first sign-ins and the deletion may fail.</summary>
    static Task<RecordingServer> MixpanelAsync(int refusedSignIns = 0, int? undeletable = null, string? expires = null)
    {
        var me = """{"results":{"organizations":{"3":{"role":"owner"}},"projects":{"1":{"name":"Shop","role":"owner"},"2":{"name":"Blog","role":"owner"}}},"status":"ok"}""";
        var old = $$"""{"id":7,"username":"old.1a2b3c.mp-service-account","last_used":null,"expires":{{(expires is null ? "null" : $"\"{expires}\"")}}}""";
        return RecordingServer.StartAsync(request => (request.Method, request.Path) switch
        {
            ("GET", "/api/app/me") when request.Header("Authorization")!.EndsWith(Convert.ToBase64String(Encoding.UTF8.GetBytes($"new:{New}")),
                StringComparison.Ordinal) => refusedSignIns-- > 0
                ? Answer.Json("""{"error":"Invalid credentials","status":"error"}""", 401)
                : Answer.Json(me),
            ("GET", "/api/app/me") => Answer.Json(me),
            ("GET", "/api/app/organizations/3/service-accounts/7") => Answer.Json(old),
            ("GET", "/api/app/projects/1/service-accounts") => Answer.Json("""{"results":[{"id":7,"username":"old","role":"analyst"}],"status":"ok"}"""),
            ("GET", "/api/app/projects/2/service-accounts") => Answer.Json("""{"results":[],"status":"ok"}"""),
            ("POST", _) => Answer.Json($$"""{"results":{"id":8,"username":"new","token":"{{New}}"},"status":"ok"}""", 201),
            ("DELETE", var path) when undeletable is { } id && path.EndsWith($"/{id}", StringComparison.Ordinal) =>
                Answer.Json("""{"error":"not now","status":"error"}""", 400),
            ("DELETE", _) => Answer.Json("""{"status":"ok"}"""),
            _ => Answer.Json("{}", 404),
        });
    }

    static string[] Changes(RecordingServer server) =>
        [
            .. server.Requests.Where(request => request.Method != "GET")
                .Select(request => $"{request.Method} {request.Path["/api/app/organizations/3/".Length..]}"),
        ];

    static string[] Command(Tool tool) => ["rotate-service-account", "--service-account-id", "7", "--secret-out", tool.Folder.File("new.secret"), "--yes"];

    [Fact]
    public async Task A_new_account_is_made_in_the_same_projects_signed_in_with_and_the_old_one_deleted()
    {
        await using var server = await MixpanelAsync(refusedSignIns: 2);
        using var tool = Tool.At(server);

        var run = await tool.RunAsync(Command(tool));

        Assert.True(run.Exit == 0, run.Err);
        Assert.Equal(["POST service-accounts", "DELETE service-accounts/7"], Changes(server));
        var asked = server.Requests.Single(request => request.Method == "POST").Json;
        Assert.Matches(@"^old-\d{8}-\d{6}$", asked.GetProperty("username").GetString());
        Assert.Equal("""[{"id":1,"role":"analyst"}]""", asked.GetProperty("projects").GetRawText());
        Assert.Equal(New + "\n", await File.ReadAllTextAsync(tool.Folder.File("new.secret"), TestContext.Current.CancellationToken));
        Assert.DoesNotContain(New, run.Out + run.Err, StringComparison.Ordinal);
        Assert.True(run.Json.GetProperty("old").GetProperty("deleted").GetBoolean());
    }

    [Fact]
    public async Task When_the_new_account_cannot_sign_in_it_is_deleted_again_and_the_old_one_stays()
    {
        await using var server = await MixpanelAsync(refusedSignIns: 99);
        using var tool = Tool.At(server);

        var run = await tool.RunAsync(Command(tool));

        Assert.Equal((4, ""), (run.Exit, run.Out));
        Assert.Equal(["POST service-accounts", "DELETE service-accounts/8"], Changes(server));
        Assert.Contains("The new account was deleted again. The old account old.1a2b3c.mp-service-account is unchanged.", run.Err, StringComparison.Ordinal);
        Assert.False(File.Exists(tool.Folder.File("new.secret")));
    }

    [Fact]
    public async Task What_is_left_is_named_when_even_that_fails()
    {
        await using var server = await MixpanelAsync(refusedSignIns: 99, undeletable: 8);
        using var tool = Tool.At(server);
        Assert.Contains("The new account new, id 8, could not be deleted:", (await tool.RunAsync(Command(tool))).Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_old_account_cannot_be_deleted_both_work_and_the_output_says_so()
    {
        await using var server = await MixpanelAsync(undeletable: 7);
        using var tool = Tool.At(server);

        var run = await tool.RunAsync(Command(tool));

        Assert.Equal(3, run.Exit);
        Assert.Equal(("false", false),
            (run.Json.GetProperty("service_account_rotated").GetString(), run.Json.GetProperty("old").GetProperty("deleted").GetBoolean()));
        Assert.Contains("delete_service_account with the id 7", run.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.True(File.Exists(tool.Folder.File("new.secret")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_profile_that_signs_in_with_it_goes_over_to_the_new_account_unless_that_is_undone(bool fails)
    {
        await using var server = await MixpanelAsync(refusedSignIns: fails ? 99 : 0);
        using var tool = new Tool();
        var path = tool.WriteProfiles(
            $$$"""{"default":{"service_account_username":"old.1a2b3c.mp-service-account","service_account_secret":"{{{Tool.Secret}}}","endpoint":"{{{server.Url}}}","project_id":1}}""");

        await tool.RunAsync(Command(tool));

        var profile = System.Text.Json.JsonElement.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).GetProperty("default");
        Assert.Equal(fails ? ("old.1a2b3c.mp-service-account", Tool.Secret) : ("new", New),
            (profile.GetProperty("service_account_username").GetString(), profile.GetProperty("service_account_secret").GetString()));
        if (!fails)
            Assert.Equal("owner",
                server.Requests.Single(request => request.Method == "POST").Json
                    .GetProperty("role").GetString()); // what Mixpanel tells of the account that signs in
    }

    [Fact]
    public async Task Nothing_is_changed_without_yes_nor_without_a_place_for_the_secret_nor_when_the_expiry_is_open()
    {
        await using var server = await MixpanelAsync(expires: "2031-01-31T00:00:00Z");
        using var tool = Tool.At(server);

        Assert.Contains("--yes", (await tool.RunAsync(Command(tool)[..^1])).Err, StringComparison.Ordinal);
        Assert.Contains("--secret-out", (await tool.RunAsync("rotate-service-account", "--service-account-id", "7", "--yes")).Err, StringComparison.Ordinal);
        Assert.Contains("never", (await tool.RunAsync(Command(tool))).Err, StringComparison.Ordinal);
        Assert.Empty(Changes(server));
        Assert.False(File.Exists(tool.Folder.File("new.secret")));
        Assert.Equal(0, (await tool.RunAsync([.. Command(tool), "--expires", "30d"])).Exit);
    }
}
