using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Emulator;
using MixpanelConnector.Tool.Surfaces;

namespace MixpanelConnector.EndToEnd;

/// <summary>The program, as a process, answers as the library does: one case for each outcome. All actions and interfaces are compared in process.</summary>
public sealed class SameAnswerTests
{
    static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("track_event", """{"event":"A","properties":{"time":TIME,"distinct_id":"u1","$insert_id":"t-1","plan":"pro","price":1.10}}""",
        ExitCode.Success)]
    [InlineData("import_events",
        """{"strict":"1","properties":{},"events":[{"event":"A","properties":{"time":TIME,"distinct_id":"u1"}},{"event":"B","properties":{"distinct_id":"u1"}}]}""",
        ExitCode.Refused)]
    [InlineData("query_user_profiles", """{"where":"properties[\"plan\"] == "}""", ExitCode.Refused)]
    [InlineData("create_service_account", """{"username":" "}""", ExitCode.InvalidInput)]
    [InlineData("get_all_service_accounts", """{"organization_id":99}""", ExitCode.NotAllowed)]
    public async Task The_program_answers_as_the_library_does(string action, string input, int exitCode)
    {
        input = input.Replace("TIME", Now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { TimeProvider = new FakeTimeProvider(Now) });
        var (libraryCode, libraryJson) = await ThroughLibraryAsync(mixpanel, action, input);
        using var home = new Home();
        var done = await Run.MixpanelAsync(home,
            [action.Replace('_', '-'), "--input", input, .. action == "create_service_account" ? ["--show-secret"] : Array.Empty<string>()],
            Credentials.For(mixpanel));

        Assert.Equal((exitCode, exitCode), (libraryCode, done.ExitCode));
        var isProblem = JsonNode.Parse(libraryJson)!["kind"] is not null;
        Assert.Empty(isProblem ? done.Output : done.Error);
        Assert.Equal(libraryJson, JsonNode.Parse(isProblem ? done.Error : done.Output)!.ToJsonString());
    }

    static async Task<(int ExitCode, string Json)> ThroughLibraryAsync(EmulatedMixpanel mixpanel, string action, string input)
    {
        using var client = new MixpanelClient(new MixpanelOptions
        {
            Endpoint = mixpanel.Address,
            ServiceAccount = new(DevelopmentCredentials.ServiceAccountUsername, new MixpanelSecret(DevelopmentCredentials.ServiceAccountSecret)),
            ProjectId = 1,
            Token = DevelopmentCredentials.ProjectToken,
            TimeProvider = new FakeTimeProvider(Now),
        });
        try
        {
            var answer = await ActionCatalogue.Find(action)!.InvokeAsync(client, JsonElement.Parse(input), TestContext.Current.CancellationToken);
            return (answer.Refused ? ExitCode.Refused : ExitCode.Success, JsonNode.Parse(Encoding.UTF8.GetString(answer.Json.Span))!.ToJsonString());
        }
        catch (MixpanelException e)
        {
            return (ErrorTable.Row(e.Error.Kind).ExitCode, JsonNode.Parse(Encoding.UTF8.GetString(ErrorTable.Problem(e.Error).Span))!.ToJsonString());
        }
    }
}
