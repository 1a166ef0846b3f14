using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Emulator;
using MixpanelConnector.Tool.Surfaces;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.EndToEnd;

/// <summary>One table of cases, run through the library, the command line, HTTP and MCP: the same JSON, errors included.</summary>
public sealed class SameAnswerTests
{
    static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    static readonly long Time = Now.ToUnixTimeSeconds();

    public static TheoryData<string, string, string, int> Cases => new()
    {
        { "import, all good", "import_events", Event("""{"event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"i-1","price":1.10,"big":12345678901234567890}}"""), 0 },
        { "import, shared properties", "import_events", """{"strict":"1","events":["Signed Up"],"properties":{"time":TIME,"distinct_id":"u1"}}""", 0 },
        { "import, some refused", "import_events", """{"strict":"1","properties":{},"events":[{"event":"A","properties":{"time":TIME,"distinct_id":"u1"}},{"event":"B","properties":{"distinct_id":"u1"}},{"event":"","properties":{"time":TIME,"distinct_id":"u1"}}]}""", 3 },
        { "import, not strict", "import_events", """{"strict":"0","properties":{},"events":[{"event":"A","properties":{"time":TIME,"distinct_id":"u1"}}]}""", 0 },
        { "import, strict missing", "import_events", """{"events":["A"],"properties":{}}""", 2 },
        { "import, unknown field", "import_events", """{"strict":"1","events":[{"event":"A","propertys":{}}],"properties":{}}""", 2 },
        { "import, no events", "import_events", """{"strict":"1","events":[],"properties":{}}""", 2 },
        { "track", "track_event", """{"event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"t-1","plan":"pro"}}""", 0 },
        { "track, other project", "track_event", """{"project_id":"77","event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"t-1"}}""", 4 },
        { "track, refused", "track_event", """{"event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"not allowed!"}}""", 3 },
        { "track, wrong types", "track_event", """{"event":1,"properties":{"time":"now","distinct_id":"u1"}}""", 2 },
        { "track, bad project", "track_event", """{"project_id":"mine","event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"t-1"}}""", 2 },
        { "create an account", "create_service_account", """{"username":"robot","role":"analyst","projects":[1,"1",{"id":1,"role":"consumer"}],"expires":"2027-01-31"}""", 0 },
        { "create, unknown role", "create_service_account", """{"username":"robot","projects":[{"id":1,"role":"king"}]}""", 2 },
        { "create, in the past", "create_service_account", """{"username":"robot","expires":"2020-01-31"}""", 2 },
        { "create, no name", "create_service_account", """{"username":" "}""", 2 },
        { "create, other organization", "create_service_account", """{"username":"robot","organization_id":99}""", 4 },
        { "accounts", "get_all_service_accounts", """{"organization_id":1}""", 0 },
        { "accounts of another", "get_all_service_accounts", """{"organization_id":99}""", 4 },
        { "accounts, wrong type", "get_all_service_accounts", """{"organization_id":"one"}""", 2 },
        { "profiles", "query_user_profiles", """{}""", 0 },
        { "profiles by expression", "query_user_profiles", """{"where":"properties[\"plan\"] == \"pro\"","output_properties":["plan"]}""", 0 },
        { "profiles, mistake", "query_user_profiles", """{"where":"properties[\"plan\"] == "}""", 3 },
        { "profiles, page without session", "query_user_profiles", """{"page":1}""", 2 },
        { "counts", "query_event_counts", """{"events":["Seen <b>","Nothing"],"interval":3}""", 0 },
        { "counts, users by day", "query_event_counts", """{"events":["Bought"],"type":"unique","from_date":"2026-05-30","to_date":"2026-06-01"}""", 0 },
        { "counts, users by hour", "query_event_counts", """{"events":["Bought"],"type":"unique","unit":"hour","interval":1}""", 2 },
        { "counts, no time", "query_event_counts", """{"events":["Bought"]}""", 2 },
        { "counts, unknown type", "query_event_counts", """{"events":["Bought"],"type":"all","interval":1}""", 2 },
        { "counts, too many units", "query_event_counts", """{"events":["Bought"],"unit":"minute","from_date":"2020-01-01","to_date":"2026-01-01"}""", 3 },
        { "top events", "get_top_events", """{"limit":1}""", 0 },
        { "event names", "get_event_names", "{}", 0 },
        { "event names, no limit", "get_event_names", """{"limit":0}""", 2 },
        { "counts by property", "query_event_property_counts", """{"event":"Bought","property":"plan","values":["pro"],"unit":"week","interval":1}""", 0 },
        { "counts by property, average", "query_event_property_counts", """{"event":"Bought","property":"plan","type":"average","interval":1}""", 0 },
        { "counts by property, no date", "query_event_property_counts", """{"event":"Bought","property":"plan","from_date":"soon","to_date":"2026-11-23"}""", 2 },
        { "properties of an event", "get_event_properties", """{"event":"Bought","limit":50}""", 0 },
        { "properties of no event", "get_event_properties", """{"event":""}""", 2 },
        { "values of a property", "get_event_property_values", """{"event":"Bought","property":"price"}""", 0 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Every_door_gives_the_same(string name, string action, string input, int exitCode)
    {
        Assert.NotEmpty(name);
        input = input.Replace("TIME", Time.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        var (libraryCode, libraryJson) = await ThroughLibraryAsync(action, input);
        var (lineCode, lineJson) = await ThroughCommandLineAsync(action, input);

        Assert.Equal(exitCode, libraryCode);
        Assert.Equal(libraryCode, lineCode);
        Assert.Equal(Comparable(libraryJson), Comparable(lineJson));

        var (status, httpJson) = await ThroughHttpAsync(action, input);
        var problem = JsonNode.Parse(libraryJson)!["kind"] is not null;
        Assert.Equal(problem ? (int?)JsonNode.Parse(libraryJson)!["status"] : 200, status);
        Assert.Equal(Comparable(libraryJson), Comparable(httpJson));

        var (isError, toolJson) = await ThroughMcpAsync(action, input);
        Assert.Equal(problem, isError);
        Assert.Equal(Comparable(libraryJson), Comparable(toolJson));
    }

    static string Event(string text) => $$"""{"strict":"1","properties":{},"events":[{{text}}]}""";

    static string Seen(string name, int user, string properties) => $$$"""{"event":"{{{name}}}","properties":{"token":"local","time":{{{Time}}},"distinct_id":"u{{{user}}}",{{{properties}}} }}""";

    static async Task<EmulatedMixpanel> StartAsync()
    {
        var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { TimeProvider = new FakeTimeProvider(Now) });
        using var http = new HttpClient { BaseAddress = mixpanel.Address };
        using var profiles = new StringContent("""[{"$token":"local","$distinct_id":"u1","$ip":"0","$ignore_time":true,"$set":{"plan":"pro","n":1.10}},{"$token":"local","$distinct_id":"u2","$ignore_time":true,"$set":{"plan":"free"}}]""", Encoding.UTF8, "application/json");
        Assert.Equal("1", await (await http.PostAsync(new Uri("/engage", UriKind.Relative), profiles)).Content.ReadAsStringAsync());
        using var events = new StringContent($"[{Seen("Bought", 1, "\"plan\":\"pro\",\"price\":1.5")},{Seen("Bought", 2, "\"plan\":\"free\",\"price\":20")},{Seen("Bought", 2, "\"plan\":\"pro\"")},{Seen("Seen <b>", 1, "\"note\":\"x\"")}]", Encoding.UTF8, "application/json");
        Assert.Equal("1", await (await http.PostAsync(new Uri("/track", UriKind.Relative), events)).Content.ReadAsStringAsync());
        return mixpanel;
    }

    static async Task<(int, string)> ThroughLibraryAsync(string action, string input)
    {
        await using var mixpanel = await StartAsync();
        using var client = new MixpanelClient(Options(mixpanel));
        try
        {
            var answer = await Catalogue.Find(action)!.InvokeAsync(client, JsonElement.Parse(input));
            return (answer.Refused ? ExitCode.Refused : ExitCode.Success, Encoding.UTF8.GetString(answer.Json.Span));
        }
        catch (MixpanelException e)
        {
            return (ErrorTable.Row(e.Error.Kind).ExitCode, Encoding.UTF8.GetString(ErrorTable.Problem(e.Error).Span));
        }
    }

    static async Task<(int, string)> ThroughCommandLineAsync(string action, string input)
    {
        await using var mixpanel = await StartAsync();
        using var home = new Home();
        string[] arguments = [action.Replace('_', '-'), "--input", input, .. action == "create_service_account" ? ["--show-secret"] : Array.Empty<string>()];
        var done = await Run.MixpanelAsync(home, arguments, Credentials.For(mixpanel));
        if (done.ExitCode is 2 or 4 or 5) Assert.Empty(done.Output);
        else Assert.Equal(done.ExitCode == 3 && done.Output.Length == 0, done.Error.Length > 0);
        return (done.ExitCode, done.Output.Length > 0 ? done.Output : done.Error);
    }

    static async Task<(int, string)> ThroughHttpAsync(string action, string input)
    {
        await using var served = await ServedAsync();
        using var body = new StringContent(input, Encoding.UTF8, "application/json");
        using var answer = await served.Http.PostAsync(new Uri($"/v1/actions/{action}", UriKind.Relative), body);
        Assert.Equal((int)answer.StatusCode == 200 ? "application/json" : "application/problem+json", answer.Content.Headers.ContentType!.ToString());
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    static async Task<(bool, string)> ThroughMcpAsync(string action, string input)
    {
        await using var served = await ServedAsync();
        using var body = new StringContent($$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{action}}}","arguments":{{{input}}}}}""", Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp") { Content = body, Headers = { { "Accept", "application/json, text/event-stream" } } };
        using var answer = await served.Http.SendAsync(request);
        var data = (await answer.Content.ReadAsStringAsync()).Split('\n').Single(line => line.StartsWith("data: ", StringComparison.Ordinal));
        var result = JsonNode.Parse(data["data: ".Length..])!["result"]!;
        return (bool?)result["isError"] == true ? (true, (string)result["content"]![0]!["text"]!) : (false, result["structuredContent"]!.ToJsonString());
    }

    static async Task<Doors> ServedAsync()
    {
        var mixpanel = await StartAsync();
        var folder = new Testing.TemporaryFolder();
        MixpanelClient NewClient() => new(Options(mixpanel));
        var client = NewClient();
        var options = new ServeOptions { Port = 0, StateFolder = folder.File("state"), SecretFolder = folder.File("secrets"), Destination = "test", ToolsMayWrite = true };
        var gateway = await Gateway.StartAsync(options, client, NewClient, TextWriter.Null, TestContext.Current.CancellationToken);
        return new Doors(mixpanel, folder, client, gateway, new HttpClient { BaseAddress = gateway.Address });
    }

    static MixpanelOptions Options(EmulatedMixpanel mixpanel) => new()
    {
        Endpoint = mixpanel.Address,
        ServiceAccount = new(DevelopmentCredentials.ServiceAccountUsername, new Secret(DevelopmentCredentials.ServiceAccountSecret)),
        ProjectId = 1,
        Token = DevelopmentCredentials.ProjectToken,
        TimeProvider = new FakeTimeProvider(Now),
    };

    sealed record Doors(EmulatedMixpanel Mixpanel, Testing.TemporaryFolder Folder, MixpanelClient Client, Gateway Gateway, HttpClient Http) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            await Gateway.DisposeAsync();
            Client.Dispose();
            await Mixpanel.DisposeAsync();
            Folder.Dispose();
        }
    }

    /// <summary>The secret is the one thing that differs from door to door, and the session from query to query.</summary>
    static string Comparable(string json)
    {
        var node = JsonNode.Parse(json)!.AsObject();
        if (node.ContainsKey("secret")) node["secret"] = "***";
        if (node.Remove("secret_file")) node.Insert(node.IndexOf("username") + 1, "secret", "***");
        if (node.ContainsKey("session_id")) node["session_id"] = "session";
        return node.ToJsonString();
    }
}
