namespace MixpanelConnector.Emulator.Tests;

public sealed class AboutMeTests
{
    [Fact]
    public async Task An_account_sees_its_organization_projects_and_workspaces()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync("/api/app/me", LocalMixpanel.Basic("local", "local"));

        Assert.Equal(200, answer.Status);
        var results = answer.Json.GetProperty("results");
        Assert.Equal("owner", results.GetProperty("organizations").GetProperty("1").GetProperty("role").GetString());
        Assert.Equal(1, results.GetProperty("projects").GetProperty("1").GetProperty("organization_id").GetInt32());
        Assert.Equal(1, results.GetProperty("workspaces").GetProperty("1").GetProperty("project_id").GetInt32());
    }

    [Fact]
    public async Task An_account_lists_the_projects_that_it_has_a_role_in()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var name = (await mixpanel.GetAsync("/api/app/me", LocalMixpanel.Basic("local", "local"))).Json.GetProperty("results")
            .GetProperty("projects")
            .GetProperty("1")
            .GetProperty("name").GetString();
        var made = await mixpanel.SendAsync(HttpMethod.Post, "/api/app/organizations/1/service-accounts",
            new StringContent("""{"username":"outsider","role":"analyst"}"""), LocalMixpanel.Basic("local", "local"));

        (await mixpanel.GetAsync("/api/app/projects", LocalMixpanel.Basic("local", "local"))).Is(200,
            $$"""{"results":[{"id":1,"name":"{{name}}","organization_id":1,"timezone":"UTC","role":"owner"}],"status":"ok"}""");
        (await mixpanel.GetAsync("/api/app/projects", LocalMixpanel.Basic("outsider", made.Json.GetProperty("results").GetProperty("token").GetString()!))).Is(
            200, """{"results":[],"status":"ok"}""");
        (await mixpanel.GetAsync("/api/app/projects", LocalMixpanel.Basic("local", "wrong"))).Is(401, """{"error":"Invalid credentials","status":"error"}""");
    }

    [Theory]
    [InlineData("local", "wrong")]
    [InlineData("nobody", "local")]
    [InlineData("", "")]
    public async Task A_wrong_secret_and_an_unknown_name_are_refused_alike(string username, string secret)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync("/api/app/me", LocalMixpanel.Basic(username, secret));

        answer.Is(401, """{"error":"Invalid credentials","status":"error"}""");
    }
}
