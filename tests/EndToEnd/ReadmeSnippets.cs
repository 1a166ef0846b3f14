using System.Globalization;
using System.Text;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The C# of the README, compiled here word for word and run.</summary>
public sealed class ReadmeSnippets
{
    [Fact]
    public void The_readme_shows_exactly_this_code()
    {
        var source = File.ReadAllText(Repository.File("tests/EndToEnd/ReadmeSnippets.cs"));
        var lines = source.Split("// snippet begins\n")[1].Split("        // snippet ends")[0].Split('\n').Select(line => line.Length > 8 ? line[8..] : line);
        Assert.Equal(Assert.Single(MarkdownBlocks.Of("README.md", "csharp")), string.Join('\n', lines));
    }

    [Fact]
    public async Task The_code_of_the_readme_runs()
    {
        await using var emulated = await EmulatedMixpanel.StartAsync();
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = emulated.Address };
        using var profiles = new StringContent("""[{"$token":"local","$distinct_id":"u1","$set":{"plan":"pro","$email":"u1@example.com"}}]""", Encoding.UTF8,
            "application/json");
        await http.PostAsync(new Uri("/engage", UriKind.Relative), profiles);
        var output = new StringWriter(CultureInfo.InvariantCulture);

        await RunAsync(output, "local", "local", 1, emulated.Address, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

        Assert.Equal("u1: u1@example.com\n", output.ToString());
        var tracked = Assert.Single(await emulated.EventsAsync());
        Assert.Contains("\"total\":59.90", tracked.Properties, StringComparison.Ordinal);
    }

    static async Task RunAsync(StringWriter Console, string username, string secret, long projectId, Uri endpoint, long time)
    {
        // snippet begins
        using var mixpanel = new MixpanelClient(new MixpanelOptions
        {
            ServiceAccount = new ServiceAccountCredentials(username, new MixpanelSecret(secret)),
            ProjectId = projectId,
            Region = MixpanelRegion.Eu,
            Endpoint = endpoint, // null for the real Mixpanel
        });

        var tracked = await mixpanel.TrackEventAsync(new()
        {
            Event = "Order placed",
            Properties = new() { Time = time, DistinctId = "user-1", InsertId = "order-17", Other = { ["total"] = 59.90m } },
        });

        await foreach (var profile in mixpanel.QueryAllUserProfilesAsync(new() { Where = """properties["plan"] == "pro" """ }))
            Console.WriteLine($"{profile.DistinctId}: {profile.Properties["$email"]}");
        // snippet ends
        Assert.Equal(1, tracked.Status);
    }
}
