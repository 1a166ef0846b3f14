using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Tests.Http;

public sealed class ActionListTests
{
    [Fact]
    public async Task The_list_tells_of_each_action_what_it_does_needs_and_costs()
    {
        await using var served = await Served.StartAsync();
        var actions = JsonNode.Parse(await (await served.SendAsync(HttpMethod.Get, "/v1/actions", (string?)null)).TextAsync())!["actions"]!.AsArray();

        Assert.Equal(string.Join(' ', ActionCatalogue.Actions.Select(action => action.Name)),
            string.Join(' ', actions.Select(action => (string?)action!["name"])));
        foreach (var action in actions)
        {
            Assert.Matches("^(read|create|update|delete)$", (string?)action!["effect"]);
            foreach (var field in (string[])["title", "group", "description", "remarks"]) Assert.False(string.IsNullOrEmpty((string?)action[field]));
            Assert.IsType<JsonObject>(action["example"]);
            Assert.NotNull(action["input_schema"]!["properties"]);
            Assert.NotNull(action["output_schema"]!["properties"]);
        }

        Assert.Equal(("service_account", "none"), Facts("create_service_account"));
        Assert.Equal(("service_account_of_project", "query"), Facts("query_event_counts"));
        Assert.Equal(("service_account_of_project_or_token", "ingestion"), Facts("track_event"));

        (string?, string?) Facts(string name)
        {
            var action = actions.Single(action => (string?)action!["name"] == name)!;
            return ((string?)action["credential"], (string?)action["rate_cost"]);
        }
    }

    [Fact]
    public async Task A_query_parameter_is_not_ignored()
    {
        await using var served = await Served.StartAsync();
        var refused = await served.PostAsync("/v1/actions/import_events?project_id=7", Served.OneEvent);
        Assert.Equal((400, "project_id"), ((int)refused.StatusCode, (await refused.JsonAsync()).GetProperty("field").GetString()));
        Assert.Empty(served.Mixpanel.Requests);
    }

    [Theory]
    [InlineData("query_user_profile", "Did you mean query_user_profiles? GET /v1/actions lists all actions.")]
    [InlineData("query-user-profiles", "Did you mean query_user_profiles?")]
    [InlineData("TRACK-EVNT", "Did you mean track_event?")]
    [InlineData("nothing_like_it_at_all", "There is no action with this name. GET /v1/actions lists all actions.")]
    [InlineData("track_event/more", "There is no action with this name.")]
    public async Task An_action_that_does_not_exist_is_answered_with_the_nearest(string name, string says)
    {
        await using var served = await Served.StartAsync();
        var answer = await served.PostAsync($"/v1/actions/{name}", "{}");
        Assert.Equal((404, "no_such_path"), ((int)answer.StatusCode, await answer.KindAsync()));
        Assert.Contains(says, (await answer.JsonAsync()).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
