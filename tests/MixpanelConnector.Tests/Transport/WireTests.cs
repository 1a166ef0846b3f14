using System.Net;
using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Transport;

/// <summary>The requests on the wire: one table, each row tested with every region and with a custom endpoint.</summary>
public class WireTests
{
    const string Json = "application/json";
    const string Form = "application/x-www-form-urlencoded";
    const string Event = """{"event":"Signed Up","properties":{"time":1795435200,"distinct_id":"ann","$insert_id":"id-1"}}""";
    const string Page = """{"page":1,"page_size":1000,"session_id":"s-1","status":"ok","total":0,"results":[]}""";
    const string NewAccount = """{"results":{"id":9,"username":"bot.x","token":"one-time"},"status":"ok"}""";

    /// <param name="Options">The options with the credentials.</param>
    /// <param name="Call">The call.</param>
    /// <param name="Reply">Mixpanel's answer.</param>
    /// <param name="Host">The hosts it is sent to: api-eu.mixpanel.com (Api) or eu.mixpanel.com (Web).</param>
    /// <param name="Line">Method, path and query.</param>
    /// <param name="Authorization">The header; null for none.</param>
    /// <param name="ContentType">The header; null for no body.</param>
    /// <param name="Body">The body, decompressed.</param>
    /// <param name="Gzip">Whether the body is sent compressed.</param>
    sealed record Row(Func<MixpanelOptions> Options, Func<MixpanelClient, Task> Call, string Reply, Host Host, string Line, string? Authorization,
        string? ContentType = null, string Body = "", bool Gzip = false);

    enum Host { Api, Web }

    static readonly string LongText = new('x', 1000);

    static readonly Dictionary<string, Row> Rows = new(StringComparer.Ordinal)
    {
        ["create_service_account, all inputs"] = new(
            Given.Account,
            client => client.CreateServiceAccountAsync(new()
            {
                Username = " bot ",
                Role = "admin",
                Expires = "2027-01-31",
                Projects = [5, new ProjectRole { Id = 6, Role = "consumer" }],
            }).AsTask(),
            NewAccount, Host.Web, "POST /api/app/organizations/77/service-accounts", Given.AccountHeader, Json,
            """{"username":"bot","role":"admin","expires":"2027-01-31T00:00:00Z","projects":[{"id":5,"role":"admin"},{"id":6,"role":"consumer"}]}"""),
        ["create_service_account, least"] = new(
            Given.Account, client => client.CreateServiceAccountAsync(new() { Username = "bot", OrganizationId = 8 }).AsTask(),
            NewAccount, Host.Web, "POST /api/app/organizations/8/service-accounts", Given.AccountHeader, Json, """{"username":"bot"}"""),
        ["query_user_profiles, all inputs"] = new(
            Given.Account,
            client => client.QueryUserProfilesAsync(new()
            {
                Where = """properties["plan"] == "pro" and "ü+&" in properties["x"]""",
                OutputProperties = ["$email", "ü"],
                Page = 1,
                SessionId = "s-1=",
            }).AsTask(),
            Page, Host.Web, "POST /api/query/engage?project_id=12345", Given.AccountHeader, Form,
            "where=properties%5B%22plan%22%5D%20%3D%3D%20%22pro%22%20and%20%22%C3%BC%2B%26%22%20in%20properties%5B%22x%22%5D&output_properties=%5B%22%24email%22%2C%22%C3%BC%22%5D&page=1&session_id=s-1%3D"),
        ["query_user_profiles, nothing asked"] = new(
            Given.Account, client => client.QueryUserProfilesAsync(new() { OutputProperties = [] }).AsTask(),
            Page, Host.Web, "POST /api/query/engage?project_id=12345", Given.AccountHeader, Form),
        ["import_events, service account"] = new(
            Given.Account, client => client.ImportEventsAsync(Given.Import(Given.Event("Signed Up"))).AsTask(),
            Given.ImportedOne, Host.Api, "POST /import?strict=1&project_id=12345", Given.AccountHeader, Json, $"[{Event}]"),
        ["import_events, token"] = new(
            Given.Token, client => client.ImportEventsAsync(Given.Import(Given.Event("Signed Up")) with { Strict = "0" }).AsTask(),
            Given.ImportedOne, Host.Api, "POST /import?strict=0", Given.TokenHeader, Json, $"[{Event}]"),
        ["import_events, both credentials: the service account"] = new(
            () => Given.Account() with { Token = Given.TokenText }, client => client.ImportEventsAsync(Given.Import(Given.Event("Signed Up"))).AsTask(),
            Given.ImportedOne, Host.Api, "POST /import?strict=1&project_id=12345", Given.AccountHeader, Json, $"[{Event}]"),
        ["import_events, large enough to compress"] = new(
            Given.Account,
            client => client.ImportEventsAsync(Given.Import(Given.Event("Signed Up",
                $$"""{"time":1,"distinct_id":"","$insert_id":"a","p":"{{LongText}}"}"""))).AsTask(),
            Given.ImportedOne, Host.Api, "POST /import?strict=1&project_id=12345", Given.AccountHeader, Json,
            $$$"""[{"event":"Signed Up","properties":{"time":1,"distinct_id":"","$insert_id":"a","p":"{{{LongText}}}"}}]""", Gzip: true),
        ["track_event, service account"] = new(
            Given.Account, client => client.TrackEventAsync(Given.Track()).AsTask(),
            Given.ImportedOne, Host.Api, "POST /import?strict=1&project_id=12345", Given.AccountHeader, Json, $"[{Event}]"),
        ["track_event, service account, a project of its own"] = new(
            Given.Account, client => client.TrackEventAsync(Given.Track() with { ProjectId = "999", Strict = "0" }).AsTask(),
            Given.ImportedOne, Host.Api, "POST /import?strict=0&project_id=999", Given.AccountHeader, Json, $"[{Event}]"),
        ["track_event, token"] = new(
            Given.Token, client => client.TrackEventAsync(Given.Track()).AsTask(),
            """{"status":1,"error":null}""", Host.Api, "POST /track?verbose=1&ip=0", null, Json,
            """[{"event":"Signed Up","properties":{"time":1795435200,"distinct_id":"ann","$insert_id":"id-1","token":"0123456789abcdef0123456789abcdef"}}]"""),
    };

    public static TheoryData<string> RowNames => [.. Rows.Keys];

    public static TheoryData<string, MixpanelRegion> RowsInEveryRegion
    {
        get
        {
            var data = new TheoryData<string, MixpanelRegion>();
            foreach (var name in Rows.Keys)
                foreach (var region in Enum.GetValues<MixpanelRegion>()) data.Add(name, region);
            return data;
        }
    }

    [Theory, MemberData(nameof(RowNames))]
    public async Task A_request_to_an_endpoint_is_exactly_this(string name)
    {
        var row = Rows[name];
        await using var server = await RecordingServer.StartAsync(Answer.Json(row.Reply));
        using var client = new MixpanelClient(row.Options().At(server));

        await row.Call(client);

        var request = server.Request;
        Assert.Equal(row.Line, request.Line);
        Assert.Equal(row.Authorization, request.Header("Authorization"));
        Assert.Equal("application/json", request.Header("Accept"));
        Assert.Equal("mixpanel-connector/0.1.0", request.Header("User-Agent"));
        Assert.Equal(row.ContentType, request.Header("Content-Type"));
        Assert.Equal(row.Gzip ? "gzip" : null, request.Header("Content-Encoding"));
        Assert.Equal(row.Body, request.Text);
    }

    [Theory, MemberData(nameof(RowNames))]
    public async Task An_endpoint_with_a_path_keeps_it(string name)
    {
        var row = Rows[name];
        await using var server = await RecordingServer.StartAsync(Answer.Json(row.Reply));
        using var client = new MixpanelClient(row.Options() with { Endpoint = new Uri(server.Url + "/proxy/mixpanel/"), Region = MixpanelRegion.Eu });

        await row.Call(client);

        Assert.Equal(row.Line.Replace(" /", " /proxy/mixpanel/", StringComparison.Ordinal), server.Request.Line);
    }

    [Theory, MemberData(nameof(RowsInEveryRegion))]
    public async Task Without_an_endpoint_the_region_chooses_the_host(string name, MixpanelRegion region)
    {
        var row = Rows[name];
        using var capture = new Capture(row.Reply);
        using var http = new HttpClient(capture) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(row.Options() with { Region = region }, http);

        await row.Call(client);

        var host = (row.Host, region) switch
        {
            (Host.Api, MixpanelRegion.Us) => "api.mixpanel.com",
            (Host.Api, MixpanelRegion.Eu) => "api-eu.mixpanel.com",
            (Host.Api, _) => "api-in.mixpanel.com",
            (_, MixpanelRegion.Us) => "mixpanel.com",
            (_, MixpanelRegion.Eu) => "eu.mixpanel.com",
            _ => "in.mixpanel.com",
        };
        Assert.Equal(row.Line.Replace(" ", $" https://{host}", StringComparison.Ordinal), Assert.Single(capture.Lines));
        Assert.Equal(row.Authorization, capture.Authorization);
    }

    public static TheoryData<string, string, string> Misfits
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var action in ActionCatalogue.Actions)
            {
                switch (action.Auth)
                {
                    case AuthScheme.ProjectToken:
                        data.Add(action.Name, "none", "token");
                        data.Add(action.Name, "account", "token");
                        break;
                    case AuthScheme.OAuthToken:
                        data.Add(action.Name, "none", "token");
                        data.Add(action.Name, "token", "oauth_token");
                        break;
                    case AuthScheme.ServiceAccountOfProjectOrToken:
                        data.Add(action.Name, "none", "service_account_username");
                        data.Add(action.Name, "no project", "project_id");
                        break;
                    default:
                        data.Add(action.Name, "none", "service_account_username");
                        data.Add(action.Name, "token", "service_account_username");
                        if (action.Auth is AuthScheme.ServiceAccountOfProject) data.Add(action.Name, "no project", "project_id");
                        break;
                }
            }

            return data;
        }
    }

    [Theory, MemberData(nameof(Misfits))]
    public async Task Without_a_fitting_credential_the_setting_is_named_and_nothing_is_sent(string action, string who, string setting)
    {
        using var capture = new Capture("");
        using var http = new HttpClient(capture) { Timeout = Hang.Limit };
        var options = who switch
        {
            "account" => Given.Account(),
            "token" => Given.Token() with { ProjectId = 12345 },
            "no project" => Given.Account() with { ProjectId = null },
            _ => Given.Bare() with { ProjectId = 12345 },
        };
        using var client = new MixpanelClient(options with { OrganizationId = 77, WorkspaceId = 3 }, http);
        var input = ActionRow.All.First(row => row.Action == action).Input;

        var error = (await Given.FailsAsync(ActionCatalogue.Find(action)!.InvokeAsync(client, input, TestContext.Current.CancellationToken))).Error;

        Assert.Equal((ErrorKind.InvalidInput, setting), (error.Kind, error.Field));
        Assert.Empty(capture.Lines);
    }

    /// <summary>Replaces the network, because no test can answer for mixpanel.com.</summary>
    sealed class Capture(string reply) : HttpMessageHandler
    {
        public List<string> Lines { get; } = [];

        public string? Authorization { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Lines.Add($"{request.Method} {request.RequestUri!.AbsoluteUri}");
            Authorization = request.Headers.Authorization?.ToString();
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                RequestMessage = request,
                Content = new StringContent(reply, Encoding.UTF8, "application/json"),
            });
        }
    }
}
