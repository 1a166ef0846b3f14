using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Emulator;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Migration;

/// <summary>Two projects of an embedded Mixpanel, which the profiles <c>old</c> and <c>new</c> name.</summary>
sealed class TwoProjects : IAsyncDisposable
{
    TwoProjects(EmulatedMixpanel mixpanel, int target) => (Mixpanel, Target, Tool) = (mixpanel, target, new Tool());

    public EmulatedMixpanel Mixpanel { get; }

    /// <summary>The id of the target project.</summary>
    public int Target { get; }

    public Tool Tool { get; }

    public static async Task<TwoProjects> StartAsync(EmulatorOptions? options = null)
    {
        var mixpanel = await EmulatedMixpanel.StartAsync(options, TestContext.Current.CancellationToken);
        var project = await PostAsync(mixpanel, "projects", """{"name":"new"}""");
        var projects = new TwoProjects(mixpanel, (int)project["id"]!);
        var endpoint = mixpanel.Address.AbsoluteUri.TrimEnd('/');
        projects.Tool.WriteProfiles($$"""{"old":{{Profile(endpoint, DevelopmentCredentials.ProjectId, DevelopmentCredentials.ProjectToken)}},"new":{{Profile(endpoint, projects.Target, (string)project["token"]!)}}}""");
        return projects;
    }

    /// <summary>The settings of a project, as a profile.</summary>
    public static string Profile(string endpoint, int project, string token, string more = "") => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"endpoint":"{{endpoint}}","project_id":{{project}},"token":"{{token}}","service_account_username":"{{DevelopmentCredentials.ServiceAccountUsername}}","service_account_secret":"{{DevelopmentCredentials.ServiceAccountSecret}}"{{more}}}""");

    /// <summary>Creates a lookup table in the target project; returns its id.</summary>
    public async Task<string> NewTableAsync(string name) =>
        (string)(await PostAsync(Mixpanel, string.Create(CultureInfo.InvariantCulture, $"projects/{Target}/lookup-tables"),
            $$"""{"name":"{{name}}"}"""))["id"]!;

    /// <summary>Imports records into a project.</summary>
    public async Task ImportAsync(string profile, IEnumerable<string> records, params string[] options)
    {
        var file = Tool.Folder.Write($"{Guid.NewGuid():N}.ndjson", string.Join('\n', records));
        var run = await Tool.RunAsync(["import", file, "--profile", profile, "--output", "json", .. options]);
        Assert.True(run.Exit == 0, run.Out + run.Err);
    }

    public async Task<Run> MigrateAsync(params string[] options) =>
        await Tool.RunAsync(["migrate", "--from", "old", "--to", "new", "--output", "json", .. options]);

    /// <summary>The exported events of a project without the properties that it adds, sorted.</summary>
    public async Task<IReadOnlyList<string>> EventsAsync(string profile)
    {
        var to = new Export.Exported(Tool.Folder.File($"{Guid.NewGuid():N}"));
        var run = await Tool.RunAsync("export", "events", "--profile", profile, "--to", to.Folder, "--from-date", "2026-09-30", "--to-date", "2026-10-05",
            "--calls-per-hour", "0", "--state", Tool.Folder.File("exports"));
        Assert.True(run.Exit == 0, run.Err);
        return [.. to.Records.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Own).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    static string Own(string line)
    {
        var json = JsonNode.Parse(line)!;
        foreach (var added in (string[])["mp_processing_time_ms", "$import", "$mp_api_endpoint", "$mp_api_timestamp_ms", "$mp_event_size"])
            json["properties"]!.AsObject().Remove(added);
        return json.ToJsonString();
    }

    public async ValueTask DisposeAsync()
    {
        Tool.Dispose();
        await Mixpanel.DisposeAsync();
    }

    static async Task<JsonNode> PostAsync(EmulatedMixpanel mixpanel, string path, string body)
    {
        using var client = new HttpClient { Timeout = Hang.Limit, BaseAddress = mixpanel.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"{DevelopmentCredentials.ServiceAccountUsername}:{DevelopmentCredentials.ServiceAccountSecret}")));
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri($"emulator/{path}", UriKind.Relative), content, TestContext.Current.CancellationToken);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["results"]!;
    }
}
