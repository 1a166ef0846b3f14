using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tests.Flags;

public sealed class EvaluationContextTests
{
    static readonly EvaluationContext Ada = new("ada");

    public static TheoryData<string> Shapes =>
        ["itself", "itself in a list", "itself behind another", "dictionaries", "dictionaries of dictionaries", "lists", "JSON", "parsed JSON"];

    [Theory, MemberData(nameof(Shapes))]
    public void Properties_that_contain_themselves_or_are_too_deep_are_refused(string shape)
    {
        var refused = Assert.Throws<MixpanelException>(() => Ada.WithProperties(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["fine"] = 1,
            ["v"] = Shape(shape),
        }));

        Assert.Equal(ErrorKind.InvalidInput, refused.Error.Kind);
    }

    [Fact]
    public void JSON_that_is_too_deep_is_refused()
    {
        Assert.Throws<MixpanelException>(() => Ada.WithProperties(new JsonObject { ["v"] = (JsonNode)Shape("JSON") }));
        Assert.Throws<MixpanelException>(() => EvaluationContext.FromJson(JsonElement.Parse(
            "{\"distinct_id\":\"ada\",\"custom_properties\":{\"v\":" + new string('[', 12_000) + new string(']', 12_000) + "}}", new() { MaxDepth = 20_000 })));
    }

    [Fact]
    public void Nested_properties_stay()
    {
        var nested = new Dictionary<string, object?>(StringComparer.Ordinal) { ["at"] = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc) };

        var context = Ada.WithProperties(new Dictionary<string, object?>(StringComparer.Ordinal) { ["a"] = nested, ["b"] = nested });

        Assert.Equal("""{"a":{"at":"2026-01-02T03:04:05Z"},"b":{"at":"2026-01-02T03:04:05Z"}}""", context.Json.GetProperty("custom_properties").GetRawText());
    }

    static object Shape(string shape)
    {
        var itself = new Dictionary<string, object?>(StringComparer.Ordinal);
        object deep = 1;
        switch (shape)
        {
            case "itself":
                itself["a"] = itself;
                itself["b"] = itself;
                return itself;
            case "itself in a list":
                itself["a"] = new List<object> { itself };
                return itself;
            case "itself behind another":
                itself["a"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["b"] = itself };
                return itself;
            case "dictionaries":
                for (var i = 0; i < 12_000; i++) deep = new Dictionary<string, object?>(StringComparer.Ordinal) { ["a"] = deep };
                return deep;
            case "dictionaries of dictionaries":
                for (var i = 0; i < 12_000; i++) deep = new System.Collections.Hashtable { ["a"] = deep };
                return deep;
            case "lists":
                for (var i = 0; i < 12_000; i++) deep = new List<object> { deep };
                return deep;
            case "JSON":
                JsonNode node = 1;
                for (var i = 0; i < 12_000; i++) node = new JsonArray(node);
                return node;
            default:
                return JsonElement.Parse(new string('[', 12_000) + new string(']', 12_000), new() { MaxDepth = 20_000 });
        }
    }
}
