using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

public sealed class OpenApiTests
{
    static readonly JsonNode Document = JsonNode.Parse(OpenApi.Document().Span)!;

    [Fact]
    public void It_names_a_contact_and_describes_a_tag_for_each_group()
    {
        Assert.NotNull(Document["info"]!["contact"]);
        var tags = Document["tags"]!.AsArray().ToDictionary(tag => (string)tag!["name"]!, tag => (string?)tag!["description"], StringComparer.Ordinal);
        Assert.All(ActionCatalogue.Groups, group => Assert.Equal(group.About, tags[group.Title]));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/console.js")]
    [InlineData("/console.css")]
    [InlineData("/console.svg")]
    [InlineData("/reference.css")]
    public void What_a_page_is_made_of_is_no_operation_of_a_generated_client(string path) => Assert.Null(Document["paths"]![path]);

    [Fact]
    public void Every_operation_is_described_and_tells_of_its_problems()
    {
        foreach (var (path, methods) in Document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in methods!.AsObject())
            {
                Assert.False(string.IsNullOrWhiteSpace((string?)operation!["description"]), $"{method} {path}");
                Assert.Contains(operation["responses"]!.AsObject(), response => response.Key[0] == '4');
            }
        }
    }

    [Fact]
    public void Every_action_has_its_group_its_limit_and_an_example_that_holds_the_yes()
    {
        foreach (var action in ActionCatalogue.Actions)
        {
            var operation = Document["paths"]![$"/v1/actions/{action.Name}"]!["post"]!;
            Assert.Equal(action.Group.Title, (string?)operation["tags"]![0]);
            if (action.Cost is RateCost.Query) Assert.Contains("60 queries an hour", (string?)operation["description"], StringComparison.Ordinal);
            if (action.NeedsConfirmation) Assert.True((bool?)operation["requestBody"]!["content"]!["application/json"]!["example"]!["confirm"]);
        }
    }
}
