using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

public class ServiceAccountTests
{
    const string Created = """{"results":{"id":9007199254740993,"username":"bot.77ab","token":"one-time-secret","expires":"2027-01-31T00:00:00Z","creator":5,"new":{}},"status":"ok"}""";

    static Task<RecordingServer> Server(string reply = Created, int status = 201) => RecordingServer.StartAsync(_ => Answer.Json(reply, status));

    static string Me(params long[] organizations) =>
        """{"status":"ok","results":{"organizations":{IDS},"projects":{},"workspaces":{}}}""".Replace("IDS",
            string.Join(",", organizations.Select(id => $"\"{id}\":{{}}")), StringComparison.Ordinal);

    [Fact]
    public async Task The_answer_gives_the_account_as_text_and_its_secret_masked()
    {
        await using var server = await Server();
        using var client = new MixpanelClient(Given.Account().At(server));

        Given.JsonEqual(
            """{"service_account_created":"true","id":"9007199254740993","username":"bot.77ab","secret":"***","expires":"2027-01-31T00:00:00Z"}""",
            await client.CallAsync("create_service_account", """{"username":"bot"}"""));
    }

    [Fact]
    public async Task The_organization_of_the_input_wins_over_the_configured_one()
    {
        await using var server = await Server();
        using var client = new MixpanelClient(Given.Account().At(server));

        await client.CreateServiceAccountAsync(new() { Username = "bot", OrganizationId = 5 });
        await client.CreateServiceAccountAsync(new() { Username = "bot" });

        Assert.Equal("POST /api/app/organizations/5/service-accounts\nPOST /api/app/organizations/77/service-accounts", server.Lines);
    }

    [Fact]
    public async Task The_only_organization_that_the_credential_sees_is_found()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Me(4711)), Answer.Json(Created, 201));
        using var client = new MixpanelClient(Given.Account().At(server) with { OrganizationId = null });

        var output = await client.CreateServiceAccountAsync(new() { Username = "bot" });

        Assert.Equal("true", output.ServiceAccountCreated);
        Assert.Equal("GET /api/app/me\nPOST /api/app/organizations/4711/service-accounts", server.Lines);
        Assert.All(server.Requests, request => Assert.Equal(Given.AccountHeader, request.Header("Authorization")));
    }

    [Theory]
    [InlineData("none", "has access to no organization")]
    [InlineData("three", "has access to 3 organizations (1, 2, 3)")]
    public async Task Without_exactly_one_organization_nothing_is_created(string seen, string said)
    {
        await using var server = await Server(seen == "none" ? Me() : Me(1, 2, 3), 200);
        using var client = new MixpanelClient(Given.Account().At(server) with { OrganizationId = null });

        var error = (await Given.FailsAsync(client.CreateServiceAccountAsync(new() { Username = "bot" }))).Error;

        Assert.Equal((ErrorKind.InvalidInput, "organization_id"), (error.Kind, error.Field));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Equal("GET", server.Request.Method);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"status":"ok"}""")]
    [InlineData("""{"results":[]}""")]
    [InlineData("""{"results":null}""")]
    [InlineData("""{"results":{"organizations":[1]}}""")]
    public async Task An_odd_list_of_organizations_is_not_trusted(string me)
    {
        await using var server = await Server(me, 200);
        using var client = new MixpanelClient(Given.Account().At(server) with { OrganizationId = null });

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(client.CreateServiceAccountAsync(new() { Username = "bot" }))).Error.Kind);
        Assert.Equal("GET", server.Request.Method);
    }

    public static TheoryData<string, string> Bodies => new()
    {
        { """{"username":"  bot  "}""", """{"username":"bot"}""" },
        { """{"username":"bot","projects":[]}""", """{"username":"bot","projects":[]}""" },
        { """{"username":"bot","projects":[1,"2",{"id":3},{"id":"4","role":"consumer"}]}""",
            """{"username":"bot","projects":[{"id":1,"role":"analyst"},{"id":2,"role":"analyst"},{"id":3,"role":"analyst"},{"id":4,"role":"consumer"}]}""" },
        { """{"username":"bot","role":"admin","projects":[1,{"role":"analyst","id":2}]}""",
            """{"username":"bot","role":"admin","projects":[{"id":1,"role":"admin"},{"id":2,"role":"analyst"}]}""" },
        { """{"username":"bot","expires":"2027-01-31"}""", """{"username":"bot","expires":"2027-01-31T00:00:00Z"}""" },
        { """{"username":"bot","expires":"2027-01-31T12:30:00Z"}""", """{"username":"bot","expires":"2027-01-31T12:30:00Z"}""" },
        { """{"username":"bot","expires":"2027-01-31T12:30Z"}""", """{"username":"bot","expires":"2027-01-31T12:30:00Z"}""" },
        { """{"username":"bot","expires":"2027-01-31T12:30:00.987+02:00"}""", """{"username":"bot","expires":"2027-01-31T10:30:00Z"}""" },
        { """{"username":"bot","expires":"2027-01-31T12:30:00"}""", """{"username":"bot","expires":"2027-01-31T12:30:00Z"}""" },
        { """{"username":"bot","expires":" 2026-11-24 "}""", """{"username":"bot","expires":"2026-11-24T00:00:00Z"}""" },
        { """{"username":"Zoë 😀"}""", """{"username":"Zoë 😀"}""" },
    };

    [Theory, MemberData(nameof(Bodies))]
    public async Task Inputs_become_the_body_that_Mixpanel_documents(string input, string body)
    {
        await using var server = await Server();
        using var client = new MixpanelClient(Given.Account().At(server));

        await client.CallAsync("create_service_account", input);

        Given.JsonEqual(body, server.Request.Json);
    }

    [Theory]
    [InlineData("""{"username":" "}""", "username")]
    [InlineData("""{"username":"a","role":"boss"}""", "role")]
    [InlineData("""{"username":"a","role":""}""", "role")]
    [InlineData("""{"username":"a","projects":[1,{"id":2,"role":"boss"}]}""", "projects[1].role")]
    [InlineData("""{"username":"a","projects":[0]}""", "projects[0]")]
    [InlineData("""{"username":"a","projects":[1,-2]}""", "projects[1]")]
    [InlineData("""{"username":"a","projects":["one"]}""", "projects[0]")]
    [InlineData("""{"username":"a","projects":[{"id":"x"}]}""", "projects[0].id")]
    [InlineData("""{"username":"a","organization_id":0}""", "organization_id")]
    [InlineData("""{"username":"a","expires":""}""", "expires")]
    [InlineData("""{"username":"a","expires":"31.01.2027"}""", "expires")]
    [InlineData("""{"username":"a","expires":"2027-02-30"}""", "expires")]
    [InlineData("""{"username":"a","expires":"2026-11-23"}""", "expires")]
    [InlineData("""{"username":"a","expires":"2026-11-23T12:00:00Z"}""", "expires")]
    [InlineData("""{"username":"a","expires":"1801036800"}""", "expires")]
    public async Task A_bad_input_is_named_and_nothing_is_sent(string input, string field)
    {
        await using var server = await Server();
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(() => client.CallAsync("create_service_account", input))).Error;

        Assert.Equal((ErrorKind.InvalidInput, field), (error.Kind, error.Field));
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(422)]
    public async Task A_refusal_is_a_result(int status)
    {
        await using var server = await Server("""{"error":"username is taken","status":"error"}""", status);
        using var client = new MixpanelClient(Given.Account().At(server));

        var result = await ActionCatalogue.Find("create_service_account")!.InvokeAsync(client, JsonElement.Parse("""{"username":"bot"}"""));

        Assert.True(result.Refused);
        Assert.Empty(result.Secrets);
        Given.JsonEqual("""{"service_account_created":"false","error":"Mixpanel refused the request: username is taken"}""",
            JsonElement.Parse(result.Json.Span));
    }

    [Theory]
    [InlineData("""{"results":{"id":9,"username":"b"},"status":"ok"}""")]
    [InlineData("""{"results":{"id":9,"username":"b","token":""},"status":"ok"}""")]
    [InlineData("""{"results":{"id":9,"username":"b","token":null},"status":"ok"}""")]
    [InlineData("""{"results":{"id":9,"token":"t"},"status":"ok"}""")]
    [InlineData("""{"results":null,"status":"ok"}""")]
    [InlineData("""{"results":[],"status":"ok"}""")]
    [InlineData("""{"status":"ok"}""")]
    [InlineData("""[]""")]
    [InlineData("""null""")]
    public async Task A_creation_without_a_usable_answer_says_that_the_account_may_exist(string reply)
    {
        await using var server = await Server(reply);
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.CreateServiceAccountAsync(new() { Username = "bot" }))).Error;

        Assert.Equal((ErrorKind.Protocol, 201), (error.Kind, error.HttpStatus));
        Assert.Contains("The account may exist", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("""{"results":{"id":"12","username":"b","token":"t"}}""", "12")]
    [InlineData("""{"results":{"id":12,"username":"b","token":"t","expires":null,"token":"t"}}""", "12")]
    public async Task A_secret_is_not_lost_to_an_oddity_beside_it(string reply, string id)
    {
        await using var server = await Server(reply);
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.CreateServiceAccountAsync(new() { Username = "bot" });

        Assert.Equal((id, new MixpanelSecret("t")), (output.Id, output.Secret));
    }

    [Fact]
    public async Task All_accounts_come_as_Mixpanel_gives_them()
    {
        const string Accounts = """[{"id":1,"username":"a.1","last_used":null,"expires":null,"creator":5,"created":"2026-01-01T00:00:00Z","user":6,"new":{"x":[1.10,12345678901234567890]}},{"id":2,"username":"b.2","last_used":"2026-11-01T10:00:00+00:00","expires":"2027-01-31T00:00:00Z"}]""";
        await using var server = await Server($$"""{"results":{{Accounts}},"status":"ok"}""", 200);
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.CallAsync("get_all_service_accounts", """{"organization_id":42}""");

        Assert.Equal(2, output.GetProperty("total").GetInt32());
        Given.JsonEqual(Accounts, output.GetProperty("service_accounts"));
        Assert.Contains("[1.10,12345678901234567890]", output.GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"status":"ok"}""")]
    [InlineData("""{"results":{},"status":"ok"}""")]
    [InlineData("""{"results":[{"username":"no id"}],"status":"ok"}""")]
    [InlineData("""{"results":[1],"status":"ok"}""")]
    [InlineData("""{"results":[null],"status":"ok"}""")]
    [InlineData("null")]
    public async Task A_list_that_is_none_is_not_trusted(string reply)
    {
        await using var server = await Server(reply, 200);
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }))).Error.Kind);
    }

    [Theory]
    [InlineData("""{"results":null,"status":"ok"}""")]
    [InlineData("""{"results":[],"status":"ok"}""")]
    [InlineData("[]")]
    public async Task No_account_is_an_empty_list_in_every_form(string reply)
    {
        await using var server = await Server(reply, 200);
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 });

        Assert.Equal((0, 0), (output.Total, output.ServiceAccounts.Count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task An_organization_id_is_positive(long id)
    {
        await using var server = await Server();
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal("organization_id", (await Given.FailsAsync(client.GetAllServiceAccountsAsync(new() { OrganizationId = id }))).Error.Field);
        Assert.Empty(server.Requests);
    }
}
