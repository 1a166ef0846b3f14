using System.Net.Http.Headers;
using System.Text;

namespace MixpanelConnector.Emulator.Tests;

public sealed class ServiceAccountTests
{
    const string Accounts = "/api/app/organizations/1/service-accounts";

    static readonly AuthenticationHeaderValue Owner = LocalMixpanel.Basic("local", "local");

    [Fact]
    public async Task A_created_account_is_given_with_its_secret_once()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var created = await CreateAsync(mixpanel, """{"username":"robot","role":"consumer","expires":"2027-01-31T00:00:00Z"}""");

        Assert.Equal(201, created.Status);
        Assert.Equal("ok", created.Json.GetProperty("status").GetString());
        var results = created.Json.GetProperty("results");
        var secret = results.GetProperty("token").GetString();
        Assert.Equal(32, secret!.Length);
        Assert.Equal(
            $$"""{"token":"{{secret}}","id":2,"username":"robot","expires":"2027-01-31T00:00:00Z","creator":1,"creator_name":"local","creator_email":"local@serviceaccount.invalid","created":"2026-09-01T12:00:00Z","user":2}""",
            results.GetRawText());
        var list = await mixpanel.GetAsync(Accounts, Owner);
        Assert.Equal("local robot",
            string.Join(' ', list.Json.GetProperty("results").EnumerateArray().Select(account => account.GetProperty("username").GetString())));
        Assert.DoesNotContain("token", list.Text, StringComparison.Ordinal);
        var one = await mixpanel.GetAsync(Accounts + "/2", Owner);
        Assert.Equal("robot", one.Json.GetProperty("username").GetString());
        Assert.DoesNotContain("token", one.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("owner", 200, 200, 200)]
    [InlineData("admin", 200, 200, 200)]
    [InlineData("analyst", 403, 200, 403)]
    [InlineData("consumer", 403, 200, 403)]
    public async Task A_created_account_may_do_what_its_role_in_the_project_allows(string role, int import, int query, int members)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var account = Login(await CreateAsync(mixpanel, $$"""{"username":"robot","projects":[{"id":1,"role":"{{role}}"}]}"""), "robot");

        Assert.Equal(200, (await mixpanel.GetAsync("/api/app/me", account)).Status);
        Assert.Equal(import, (await ImportAsync(mixpanel, account)).Status);
        Assert.Equal(query, (await mixpanel.GetAsync("/api/query/engage?project_id=1", account)).Status);
        Assert.Equal(members, (await mixpanel.GetAsync("/api/app/projects/1/service-accounts", account)).Status);
        Assert.Equal(403, (await mixpanel.GetAsync(Accounts, account)).Status);
    }

    [Theory]
    [InlineData("a\\u0000b")]
    [InlineData("a\\nb")]
    [InlineData("a:b")]
    [InlineData(" ")]
    public async Task A_name_that_cannot_be_sent_as_a_credential_is_refused_and_makes_nothing(string name)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(400, (await CreateAsync(mixpanel, $$"""{"username":"{{name}}"}""")).Status);

        Assert.Equal(1, (await mixpanel.GetAsync(Accounts, Owner)).Json.GetProperty("results").GetArrayLength());
    }

    [Fact]
    public async Task An_account_of_no_project_reaches_none()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var account = Login(await CreateAsync(mixpanel, """{"username":"robot"}"""), "robot");

        (await ImportAsync(mixpanel, account)).Is(403, """{"code":403,"error":"service account has no access to this project","status":"Forbidden"}""");
        Assert.Equal("{}", (await mixpanel.GetAsync("/api/app/me", account)).Json.GetProperty("results").GetProperty("projects").GetRawText());
    }

    [Fact]
    public async Task An_admin_of_the_organization_reaches_its_projects_and_manages_accounts()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var account = Login(await CreateAsync(mixpanel, """{"username":"robot","role":"admin"}"""), "robot");

        Assert.Equal(200, (await ImportAsync(mixpanel, account)).Status);
        Assert.Equal(201, (await CreateAsync(mixpanel, """{"username":"another"}""", account)).Status);
    }

    [Fact]
    public async Task A_deleted_account_is_refused_everywhere()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var account = Login(await CreateAsync(mixpanel, """{"username":"robot","role":"owner"}"""), "robot");
        Assert.Equal(200, (await mixpanel.GetAsync(Accounts, account)).Status);

        (await mixpanel.SendAsync(HttpMethod.Delete, Accounts + "/2", authorization: Owner)).Is(200, """{"status":"ok"}""");

        Assert.Equal(401, (await mixpanel.GetAsync(Accounts, account)).Status);
        Assert.Equal(401, (await ImportAsync(mixpanel, account)).Status);
        Assert.Equal(404, (await mixpanel.GetAsync(Accounts + "/2", Owner)).Status);
        Assert.Equal(404, (await mixpanel.SendAsync(HttpMethod.Delete, Accounts + "/2", authorization: Owner)).Status);
        Assert.Equal(3, (await CreateAsync(mixpanel, """{"username":"robot"}""")).Json.GetProperty("results").GetProperty("id").GetInt32());
    }

    [Fact]
    public async Task An_expired_account_is_refused()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var account = Login(await CreateAsync(mixpanel, """{"username":"robot","expires":"2026-09-01T13:00:00Z"}"""), "robot");

        mixpanel.Clock.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal(200, (await mixpanel.GetAsync("/api/app/me", account)).Status);
        mixpanel.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(401, (await mixpanel.GetAsync("/api/app/me", account)).Status);
    }

    [Fact]
    public async Task When_an_account_was_last_used_is_known_to_the_minute()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var account = Login(await CreateAsync(mixpanel, """{"username":"robot"}"""), "robot");

        await mixpanel.GetAsync("/api/app/me", account);
        mixpanel.Clock.Advance(TimeSpan.FromMinutes(5));
        await mixpanel.GetAsync("/api/app/me", account);

        Assert.Equal("2026-09-01T12:05:00Z", (await mixpanel.GetAsync(Accounts + "/2", Owner)).Json.GetProperty("last_used").GetString());
    }

    [Fact]
    public async Task Accounts_are_added_to_projects_and_removed_from_them()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var account = Login(await CreateAsync(mixpanel, """{"username":"robot"}"""), "robot");

        (await PostAsync(mixpanel, "/add-to-project", """{"projects":[{"id":1,"role":"admin"}],"service_account_ids":[2]}""")).Is(200, """{"status":"ok"}""");
        Assert.Equal(200, (await ImportAsync(mixpanel, account)).Status);
        var member = (await mixpanel.GetAsync("/api/app/projects/1/service-accounts", Owner)).Json.GetProperty("results")[1];
        Assert.Equal("robot", member.GetProperty("username").GetString());
        Assert.Equal("admin", member.GetProperty("role").GetString());
        Assert.Equal("individual", member.GetProperty("target_type").GetString());

        (await PostAsync(mixpanel, "/add-to-project", """{"projects":[{"id":1,"role":"analyst"}],"service_account_ids":[2]}""")).Is(200, """{"status":"ok"}""");
        Assert.Equal(403, (await ImportAsync(mixpanel, account)).Status);

        (await PostAsync(mixpanel, "/remove-from-project", """{"projects":[{"id":1,"service_account_ids":[2]}]}""")).Is(200, """{"status":"ok"}""");
        Assert.Equal(403, (await mixpanel.GetAsync("/api/query/engage?project_id=1", account)).Status);
    }

    [Theory]
    [InlineData("", "not json")]
    [InlineData("", "[]")]
    [InlineData("", "{}")]
    [InlineData("", """{"username":" "}""")]
    [InlineData("", """{"username":7}""")]
    [InlineData("", """{"username":"a:b"}""")]
    [InlineData("", """{"username":"\ud800"}""")]
    [InlineData("", """{"username":"local"}""")]
    [InlineData("", """{"username":"a","role":"king"}""")]
    [InlineData("", """{"username":"a","expires":"soon"}""")]
    [InlineData("", """{"username":"a","expires":"2027-01-31"}""")]
    [InlineData("", """{"username":"a","expires":"2027-01-31T00:00:00.000Z"}""")]
    [InlineData("", """{"username":"a","expires":"2027-01-31T00:00:00+00:00"}""")]
    [InlineData("", """{"username":"a","expires":"2020-01-01T00:00:00Z"}""")]
    [InlineData("", """{"username":"a","projects":[{"role":"owner"}]}""")]
    [InlineData("/add-to-project", """{"projects":[{"id":1}],"service_account_ids":[1]}""")]
    [InlineData("", """{"username":"a","projects":[{"id":"1","role":"owner"}]}""")]
    [InlineData("", """{"username":"a","projects":[{"id":99,"role":"owner"}]}""")]
    [InlineData("/add-to-project", """{"service_account_ids":[1]}""")]
    [InlineData("/add-to-project", """{"projects":[{"id":1,"role":"owner"}],"service_account_ids":["1"]}""")]
    [InlineData("/remove-from-project", """{"projects":[{"id":1}]}""")]
    public async Task A_bad_body_is_refused(string path, string json)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await PostAsync(mixpanel, path, json);

        Assert.Equal(400, answer.Status);
        Assert.Equal("error", answer.Json.GetProperty("status").GetString());
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
    }

    [Theory]
    [InlineData("/api/app/organizations/2/service-accounts")]
    [InlineData("/api/app/organizations/x/service-accounts")]
    [InlineData("/api/app/organizations/1/service-accounts/99")]
    [InlineData("/api/app/organizations/1/service-accounts/x")]
    [InlineData("/api/app/projects/99/service-accounts")]
    public async Task What_is_not_there_and_what_is_somebody_elses_look_the_same(string path)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync(path, Owner);

        Assert.Equal(404, answer.Status);
        Assert.Equal("error", answer.Json.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Secrets_are_stored_only_as_hashes()
    {
        using var folder = new Testing.TemporaryFolder();
        string secret;
        await using (var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path }))
            secret = (await CreateAsync(mixpanel, """{"username":"robot"}""")).Json.GetProperty("results").GetProperty("token").GetString()!;

        foreach (var file in Directory.GetFiles(folder.Path))
            Assert.Equal(-1, (await File.ReadAllBytesAsync(file)).AsSpan().IndexOf(Encoding.ASCII.GetBytes(secret)));
    }

    static Task<Answer> CreateAsync(LocalMixpanel mixpanel, string json, AuthenticationHeaderValue? authorization = null) =>
        PostAsync(mixpanel, "", json, authorization);

    static Task<Answer> PostAsync(LocalMixpanel mixpanel, string path, string json, AuthenticationHeaderValue? authorization = null) =>
        mixpanel.SendAsync(HttpMethod.Post, Accounts + path, new StringContent(json, Encoding.UTF8, "application/json"), authorization ?? Owner);

    static Task<Answer> ImportAsync(LocalMixpanel mixpanel, AuthenticationHeaderValue authorization) =>
        mixpanel.SendAsync(HttpMethod.Post, "/import?strict=1&project_id=1", new StringContent($"[{mixpanel.Event()}]"), authorization);

    static AuthenticationHeaderValue Login(Answer created, string username) =>
        LocalMixpanel.Basic(username, created.Json.GetProperty("results").GetProperty("token").GetString()!);
}
