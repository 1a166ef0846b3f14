using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Emulator;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Tests.Interfaces;

/// <summary>
/// The example of every action's page runs on the embedded Mixpanel, once what it refers to exists: by the action that the page names, or as prepared here.
/// </summary>
public sealed class ActionExampleTests(ActionExampleTests.SharedMixpanel shared) : IClassFixture<ActionExampleTests.SharedMixpanel>
{
    public static TheoryData<string> Names => [.. ActionCatalogue.Actions.Select(action => action.Name)];

    [Theory, MemberData(nameof(Names))]
    public async Task It_runs_on_the_embedded_Mixpanel(string name)
    {
        var action = ActionCatalogue.Find(name)!;
        await PostAsync("reset", "{}");
        var project = name == "merge_identities"
            ? (await PostAsync("projects", """{"name":"Original","identity_management":"original"}"""))["results"]!
            : new JsonObject { ["id"] = LocalMixpanel.ProjectId, ["token"] = LocalMixpanel.Token };
        using var client = new MixpanelClient(new MixpanelOptions
        {
            Endpoint = shared.Mixpanel.Address,
            ServiceAccount = new ServiceAccountCredentials(LocalMixpanel.Username, new MixpanelSecret(LocalMixpanel.Secret)),
            OAuthToken = new MixpanelSecret(LocalMixpanel.OAuthToken),
            Token = (string)project["token"]!,
            ProjectId = (long)project["id"]!,
        });
        var input = Example(action);
        if (ActionFacts.Maker(action) is var (maker, field, made))
            input[field] = Value(input[field]!, (await InvokeAsync(client, maker, Example(maker)))[made]!);
        await PrepareAsync(name, client, input);

        Assert.NotNull(await InvokeAsync(client, action, input));
    }

    /// <summary>
    /// What a project has besides what the named action makes: saved reports, which no action makes, a launched experiment, an uploaded schema, an account.
    /// </summary>
    async Task PrepareAsync(string name, MixpanelClient client, JsonObject input)
    {
        switch (name)
        {
            case "query_funnel":
                await PostAsync("projects/1/funnels", """{"name":"To buy","steps":[{"event":"Visited"},{"event":"Bought"}],"length":7,"length_unit":"day"}""");
                break;
            case "query_insights":
                await PostAsync("projects/1/reports", """{"name":"Visits","events":["Visited"]}""");
                break;
            case "decide_experiment" or "force_conclude_experiment":
                await InvokeAsync(client, ActionCatalogue.Find("launch_experiment")!, new JsonObject { ["experiment_id"] = (string)input["experiment_id"]! });
                break;
            case "get_schema":
                await InvokeAsync(client, ActionCatalogue.Find("upload_schema")!, Example(ActionCatalogue.Find("upload_schema")!));
                break;
            case "remove_service_accounts_from_projects":
                await InvokeAsync(client, ActionCatalogue.Find("create_service_account")!, Example(ActionCatalogue.Find("create_service_account")!));
                break;
        }
    }

    async Task<JsonNode> PostAsync(string what, string body)
    {
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = shared.Mixpanel.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String("local:local"u8));
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"/emulator/{what}", UriKind.Relative), content);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    static JsonObject Example(ActionDescriptor action) => JsonNode.Parse(XmlDocs.Example(action) ?? "{}")!.AsObject();

    /// <summary>What a field of an example becomes: the made value, in the field's type.</summary>
    static JsonNode Value(JsonNode example, JsonNode made) => (example, made) switch
    {
        (JsonArray, _) => new JsonArray(JsonNode.Parse($"{made}")),
        (_, JsonArray all) => all[0]!.DeepClone(),
        _ when example.GetValueKind() is JsonValueKind.Number => JsonNode.Parse($"{made}")!,
        _ => made.DeepClone(),
    };

    static async Task<JsonNode> InvokeAsync(MixpanelClient client, ActionDescriptor action, JsonObject input)
    {
        var result = await action.InvokeAsync(client, JsonElement.Parse(input.ToJsonString()), TestContext.Current.CancellationToken);
        Assert.False(result.Refused, $"{action.Name}: {Encoding.UTF8.GetString(result.Json.Span)}");
        return JsonNode.Parse(result.Json.Span)!;
    }

    public sealed class SharedMixpanel : IAsyncLifetime
    {
        public EmulatedMixpanel Mixpanel { get; private set; } = null!;

        /// <summary>A deletion is delayed so that it can be cancelled.</summary>
        public async ValueTask InitializeAsync() =>
            Mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { DeletionDelay = TimeSpan.FromHours(1) });

        public ValueTask DisposeAsync() => Mixpanel.DisposeAsync();
    }
}
