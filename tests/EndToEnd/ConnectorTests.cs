using System.Text.Json.Nodes;

namespace MixpanelConnector.EndToEnd;

/// <summary>The connectors for workflow platforms: the n8n node, and the Power Platform definition.</summary>
public sealed class ConnectorTests
{
    static readonly string[] Contract = ["create_service_account", "get_all_service_accounts", "import_events", "query_user_profiles", "track_event"];

    [Fact]
    public async Task The_node_of_n8n_does_every_action_with_all_of_its_fields()
    {
        await using var mixpanel = await InterfaceClientsTests.WithAnEventAsync();
        using var home = new Home();
        var keys = home.File("keys.txt");
        var made = await Run.MixpanelAsync(home, ["serve", "new-key", "--keys", keys, "--name", "n8n", "--scope", "write"]);
        await using var serve = await Serve.StartAsync(home, ["--keys", keys], Credentials.For(mixpanel));
        using var node = Run.Start("node",
            [Repository.File("tests/EndToEnd/clients/n8n.cjs"), serve.Address.AbsoluteUri.TrimEnd('/'), mixpanel.Address.AbsoluteUri.TrimEnd('/'),
                (string)JsonNode.Parse(made.Output)!["key"]!],
            home);

        var done = await Run.EndAsync(node);

        Assert.True(done.ExitCode == 0, done.ToString());
        var result = JsonNode.Parse(done.Output)!;
        InterfaceClientsTests.AssertEveryAnswer(result["answers"]!.AsObject());
        Assert.NotEmpty(result["direct"]!.AsObject());
        InterfaceClientsTests.AssertAnswers(result["direct"]!.AsObject());
        Assert.Equal(Contract, result["first"]!.AsArray().Select(name => (string)name!).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var action in ActionCatalogue.Actions)
        {
            var fields = action.InputSchema()["properties"]!.AsObject().Select(field => field.Key);
            if (action.NeedsConfirmation) fields = fields.Append("confirm");
            Assert.Equal($"{action.Name}: {string.Join(' ', fields.Order(StringComparer.Ordinal))}",
                $"{action.Name}: {string.Join(' ', result["fields"]![action.Name]!.AsArray().Select(name => (string)name!).Order(StringComparer.Ordinal))}");
        }
    }

    [Theory]
    [InlineData("spectral")]
    [InlineData("redocly")]
    public async Task A_validator_of_OpenAPI_2_finds_nothing_in_the_definition_of_Power_Platform(string validator)
    {
        const string Definition = "connectors/power-platform/apiDefinition.swagger.json";
        using var home = new Home();
        using var node = validator == "spectral"
            ? Run.Start("node", [Repository.File("tests/EndToEnd/clients/spectral.cjs"), Definition], home)
            : Run.Start("node",
                [Repository.File("tests/EndToEnd/clients/node_modules/@redocly/cli/bin/cli.js"), "lint", Definition, "--extends", "spec", "--format", "json"],
                home, new Dictionary<string, string>(StringComparer.Ordinal) { ["REDOCLY_TELEMETRY"] = "off", ["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true" });

        var done = await Run.EndAsync(node);

        if (validator == "spectral")
        {
            Assert.True(done.ExitCode == 0 && done.Output.Trim() == "[]", done.ToString());
            return;
        }

        var totals = JsonNode.Parse(done.Output[done.Output.IndexOf('{', StringComparison.Ordinal)..])!["totals"]!;
        Assert.True(((int?)totals["errors"], (int?)totals["warnings"]) == (0, 0), done.ToString());
    }
}
