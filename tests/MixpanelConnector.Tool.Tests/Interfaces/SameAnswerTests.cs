using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Emulator;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces;

namespace MixpanelConnector.Tool.Tests.Interfaces;

/// <summary>A table of cases on the library, the command line, HTTP and agent tools, with the embedded Mixpanel: the same JSON, including errors.</summary>
public sealed class SameAnswerTests(SameAnswerTests.SharedMixpanel shared) : IClassFixture<SameAnswerTests.SharedMixpanel>
{
    static readonly long Time = ImpatientClock.Noon.ToUnixTimeSeconds();

    public static TheoryData<string, string, string, int> Cases => new()
    {
        { "import, all good", "import_events",
            Event("""{"event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"i-1","price":1.10,"big":12345678901234567890}}"""), 0 },
        { "import, shared properties", "import_events", """{"strict":"1","events":["Signed Up"],"properties":{"time":TIME,"distinct_id":"u1"}}""", 0 },
        { "import, some refused", "import_events",
            """{"strict":"1","properties":{},"events":[{"event":"A","properties":{"time":TIME,"distinct_id":"u1"}},{"event":"B","properties":{"distinct_id":"u1"}},{"event":"","properties":{"time":TIME,"distinct_id":"u1"}}]}""",
            3 },
        { "import, not strict", "import_events", """{"strict":"0","properties":{},"events":[{"event":"A","properties":{"time":TIME,"distinct_id":"u1"}}]}""",
            0 },
        { "import, strict missing", "import_events", """{"events":["A"],"properties":{}}""", 2 },
        { "import, unknown field", "import_events", """{"strict":"1","events":[{"event":"A","propertys":{}}],"properties":{}}""", 2 },
        { "import, no events", "import_events", """{"strict":"1","events":[],"properties":{}}""", 2 },
        { "track", "track_event", """{"event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"t-1","plan":"pro"}}""", 0 },
        { "track, other project", "track_event", """{"project_id":"77","event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"t-1"}}""", 4 },
        { "track, refused", "track_event", """{"event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"not allowed!"}}""", 3 },
        { "track, wrong types", "track_event", """{"event":1,"properties":{"time":"now","distinct_id":"u1"}}""", 2 },
        { "track, bad project", "track_event", """{"project_id":"mine","event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"t-1"}}""", 2 },
        { "create an account", "create_service_account",
            """{"username":"robot","role":"analyst","projects":[1,"1",{"id":1,"role":"consumer"}],"expires":"2027-01-31"}""", 0 },
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
        { "counts, users by day", "query_event_counts", """{"events":["Bought"],"type":"unique","from_date":"2026-11-21","to_date":"2026-11-23"}""", 0 },
        { "counts, users by hour", "query_event_counts", """{"events":["Bought"],"type":"unique","unit":"hour","interval":1}""", 2 },
        { "counts, no time", "query_event_counts", """{"events":["Bought"]}""", 2 },
        { "counts, unknown type", "query_event_counts", """{"events":["Bought"],"type":"all","interval":1}""", 2 },
        { "counts, too many units", "query_event_counts", """{"events":["Bought"],"unit":"minute","from_date":"2020-01-01","to_date":"2026-01-01"}""", 3 },
        { "top events", "get_top_events", """{"limit":1}""", 0 },
        { "event names", "get_event_names", "{}", 0 },
        { "event names, no limit", "get_event_names", """{"limit":0}""", 2 },
        { "counts by property", "query_event_property_counts", """{"event":"Bought","property":"plan","values":["pro"],"unit":"week","interval":1}""", 0 },
        { "counts by property, average", "query_event_property_counts", """{"event":"Bought","property":"plan","type":"average","interval":1}""", 0 },
        { "counts by property, no date", "query_event_property_counts", """{"event":"Bought","property":"plan","from_date":"soon","to_date":"2026-11-23"}""",
            2 },
        { "properties of an event", "get_event_properties", """{"event":"Bought","limit":50}""", 0 },
        { "properties of no event", "get_event_properties", """{"event":""}""", 2 },
        { "values of a property", "get_event_property_values", """{"event":"Bought","property":"price"}""", 0 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Every_interface_gives_the_same(string name, string action, string input, int exitCode)
    {
        Assert.NotEmpty(name);
        var called = ActionCatalogue.Find(action)!;
        var given = JsonElement.Parse(input.Replace("TIME", Time.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

        var library = await CallAsync(called, every => every.ThroughLibraryAsync(called, given));
        var line = await CallAsync(called, every => every.ThroughCommandLineAsync(called, given));
        var http = await CallAsync(called, every => every.ThroughHttpAsync(called, given));
        var tool = await CallAsync(called, every => every.ThroughMcpAsync(called, given));

        Assert.Equal(exitCode, library.IsProblem ? ErrorTable.Row(KindOf(library)).ExitCode : library.IsRefused ? ExitCode.Refused : ExitCode.Success);
        Assert.Equal(library.IsRefused, line.IsRefused);
        Assert.All([line, http, tool], other => Assert.Equal((library.IsProblem, Comparable(library)), (other.IsProblem, Comparable(other))));
    }

    static string Event(string text) => $$"""{"strict":"1","properties":{},"events":[{{text}}]}""";

    static ErrorKind KindOf(InterfaceAnswer problem) =>
        Enum.Parse<ErrorKind>(problem.Json.GetProperty("kind").GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    /// <summary>A call to the shared Mixpanel; to a separate one if each call creates something different.</summary>
    async Task<InterfaceAnswer> CallAsync(ActionDescriptor action, Func<EveryInterface, Task<InterfaceAnswer>> call)
    {
        if (action.IsRepeatable) return await call(shared.Every);
        await using var own = new SharedMixpanel();
        await own.InitializeAsync();
        return await call(own.Every);
    }

    /// <summary>Only the secret differs between interfaces, and only the session between queries.</summary>
    static string Comparable(InterfaceAnswer answer)
    {
        var node = JsonObject.Create(answer.Json)!;
        if (node.ContainsKey("secret")) node["secret"] = "***";
        if (node.Remove("secret_file")) node.Insert(node.IndexOf("username") + 1, "secret", "***");
        if (node.ContainsKey("session_id")) node["session_id"] = "session";
        return node.ToJsonString();
    }

    /// <summary>An embedded Mixpanel with some events and profiles, and the interfaces in front of it.</summary>
    public sealed class SharedMixpanel : IAsyncLifetime
    {
        EmulatedMixpanel _mixpanel = null!;

        internal EveryInterface Every { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { TimeProvider = new FakeTimeProvider(ImpatientClock.Noon) });
            using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = _mixpanel.Address };
            await FillAsync(http, "/engage",
                """[{"$token":"local","$distinct_id":"u1","$ip":"0","$ignore_time":true,"$set":{"plan":"pro","n":1.10}},{"$token":"local","$distinct_id":"u2","$ignore_time":true,"$set":{"plan":"free"}}]""");
            await FillAsync(http, "/track",
                $"[{Seen("Bought", 1, "\"plan\":\"pro\",\"price\":1.5")},{Seen("Bought", 2, "\"plan\":\"free\",\"price\":20")},{Seen("Bought", 2, "\"plan\":\"pro\"")},{Seen("Seen <b>", 1, "\"note\":\"x\"")}]");
            Every = await EveryInterface.StartAsync(new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["MIXPANEL_ENDPOINT"] = _mixpanel.Address.AbsoluteUri.TrimEnd('/'),
                ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = LocalMixpanel.Username,
                ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = LocalMixpanel.Secret,
                ["MIXPANEL_TOKEN"] = LocalMixpanel.Token,
                ["MIXPANEL_PROJECT_ID"] = LocalMixpanel.ProjectId.ToString(CultureInfo.InvariantCulture),
            });
        }

        public async ValueTask DisposeAsync()
        {
            await Every.DisposeAsync();
            await _mixpanel.DisposeAsync();
        }

        static string Seen(string name, int user, string properties) =>
            $$$"""{"event":"{{{name}}}","properties":{"token":"local","time":{{{Time}}},"distinct_id":"u{{{user}}}",{{{properties}}} }}""";

        static async Task FillAsync(HttpClient http, string path, string json)
        {
            using var body = new StringContent(json, Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), body, TestContext.Current.CancellationToken);
            Assert.Equal("1", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }
}
