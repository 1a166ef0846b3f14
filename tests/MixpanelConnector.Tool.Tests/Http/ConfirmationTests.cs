using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>Irreversible actions require a confirmation and the scope write.</summary>
public sealed class ConfirmationTests
{
    static readonly ActionDescriptor[] Final = [.. ActionCatalogue.Actions.Where(action => action.Effect is ActionEffect.Delete)];

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"confirm":false}""")]
    [InlineData("""{"confirm":"true"}""")]
    [InlineData("""{"confirm":1}""")]
    [InlineData("""{"confirm":null}""")]
    [InlineData("""{"Confirm":true}""")]
    [InlineData("""{"confirm":false,"confirm":true}""")]
    public async Task Without_a_yes_nothing_is_sent(string body)
    {
        await using var served = await Served.StartAsync();
        Assert.NotEmpty(Final);
        foreach (var action in Final)
        {
            var answer = await served.PostAsync($"/v1/actions/{action.Name}", body);
            Assert.Equal((action.Name, 400), (action.Name, (int)answer.StatusCode));
            Assert.Equal("confirm", (string?)JsonNode.Parse(await answer.TextAsync())!["field"]);
        }

        Assert.Empty(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task A_key_that_may_only_read_deletes_nothing_whatever_it_confirms()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out _);
        await using var served = await Served.StartAsync(options => options with { Keys = keys });
        foreach (var action in Final)
            Assert.Equal((action.Name, 403),
                (action.Name,
                    (int)(await served.PostAsync($"/v1/actions/{action.Name}", """{"confirm":true}""", ("Authorization", $"Bearer {read}"))).StatusCode));
        Assert.Empty(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task With_a_yes_the_input_goes_without_it()
    {
        await using var served = await Served.StartAsync(Answer.Json("""{"status":"ok","results":{"id":7}}"""));
        Assert.Equal(200, (int)(await served.PostAsync("/v1/actions/delete_annotation", """{"annotation_id":7,"confirm":true}""")).StatusCode);
        Assert.DoesNotContain("confirm", Assert.Single(served.Mixpanel.Requests).Text, StringComparison.Ordinal);
    }
}
