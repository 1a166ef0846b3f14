using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Tests.Interfaces;

/// <summary>Every row of <c>tests/Cases/actions</c> on every interface: the same requests to Mixpanel, and the same output or problem.</summary>
public sealed class ActionRowTests(RowMixpanel mixpanel) : IClassFixture<RowMixpanel>
{
    static readonly JsonNode Schemas = JsonNode.Parse(OpenApi.Document().Span)!["components"]!["schemas"]!;

    public static TheoryData<string> Names => [.. ActionRow.All.Select(row => row.Name)];

    [Theory, MemberData(nameof(Names))]
    public async Task Every_interface_asks_and_answers_as_a_row_says(string name)
    {
        var row = ActionRow.All.Single(row => row.Name == name);
        var action = ActionCatalogue.Find(row.Action)!;

        var library = await mixpanel.CallAsync(row, action, every => every.ThroughLibraryAsync(action, row.Input));
        var line = await mixpanel.CallAsync(row, action, every => every.ThroughCommandLineAsync(action, row.Input));
        if (row.Problem is null) EnsureIsOf(row, await mixpanel.CallAsync(row, action, every => every.ThroughOptionsAsync(action, row.Input)), row.Secret);
        if (action.IsPaged && row.Problem is null)
            Assert.Equal(row.Output!.Value.GetProperty("results").EnumerateArray().Select(Text),
                (await mixpanel.CallAsync(row, action, every => every.AllThroughCommandLineAsync(action, row.Input))).Select(Text), StringComparer.Ordinal);
        var http = await mixpanel.CallAsync(row, action, every => every.ThroughHttpAsync(action, row.Input));
        EnsureIsOf(row, library, secret: "***");
        EnsureIsOf(row, line, row.Secret);
        EnsureIsOf(row, http, row.Secret);
        Assert.Equal((row.Refused, row.Refused), (library.IsRefused, line.IsRefused));
        if (row.Problem is not null) Assert.Equal((library.Json.GetRawText(), library.Json.GetRawText()), (line.Json.GetRawText(), http.Json.GetRawText()));
        if (!action.CanBeUndone)
        {
            await mixpanel.CallInVainAsync(row, every => every.EnsureAgentsAreRefusedAsync(action, row.Input));
            return;
        }

        var tool = await mixpanel.CallAsync(row, action, every => every.ThroughMcpAsync(action, row.Input));
        if (tool.Json.TryGetProperty("code", out _) && row.Problem is { } malformed)
        {
            Assert.Contains("params.arguments", tool.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
            if (malformed.Field is not null) Assert.Contains(malformed.Field, tool.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
            return;
        }

        EnsureIsOf(row, row.Secret is null ? tool : tool with { Json = WithSecretOfFile(tool.Json) }, row.Secret);
        if (row.Problem is not null) Assert.Equal(ForAgents(library.Json), tool.Json.GetRawText());
    }

    [Fact]
    public void The_inputs_and_outputs_of_all_rows_fit_the_schemas_of_the_OpenAPI_document()
    {
        var faults = new List<string>();
        foreach (var row in ActionRow.All.Where(row => row.Problem is null))
        {
            var type = string.Concat(row.Action.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
            var input = JsonObject.Create(row.Input)!;
            if (ActionCatalogue.Find(row.Action)!.NeedsConfirmation) input["confirm"] = true;
            faults.AddRange(SchemaCheck.Input(input, Schemas[type + "Input"]!)
                .Concat(SchemaCheck.Output(JsonObject.Create(row.Output!.Value), Schemas[type + "Output"]!))
                .Select(fault => $"{row.Name}: {fault}"));
        }

        Assert.Empty(faults);
    }

    static void EnsureIsOf(ActionRow row, InterfaceAnswer given, string? secret) => Assert.Null(row.Difference(given.Json, given.IsProblem, secret));

    /// <summary>A problem whose text is sanitized for a model.</summary>
    static string ForAgents(JsonElement problem) =>
        problem.GetRawText().Replace(JsonText(problem.GetProperty("detail").GetString()!),
            JsonText(ResponseSanitizer.Text(problem.GetProperty("detail").GetString()!)), StringComparison.Ordinal);

    static string Text(JsonElement json) => JsonNode.Parse(json.GetRawText())!.ToJsonString();

    static string JsonText(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";

    /// <summary>The answer with the secret from the file that it names.</summary>
    static JsonElement WithSecretOfFile(JsonElement json)
    {
        var answer = JsonObject.Create(json)!;
        Assert.True(answer.Remove("secret_file", out var file), json.GetRawText());
        answer["secret"] = File.ReadAllText((string)file!).TrimEnd('\n');
        return JsonElement.Parse(answer.ToJsonString());
    }
}
