using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests.Control;

/// <summary>The schemas of what only Mixpanel's web interface can create.</summary>
public sealed class SchemaTests
{
    const string Step = """{"event":"A","where":"properties[\"n\"] > 1","label":"First"}""";
    const string Mappings = """[{"value":"song","resourceType":"event"},{"value":"song","resourceType":"user"}]""";

    [Theory]
    [InlineData("funnels", $$"""{"name":"F","steps":[{{Step}}],"length":7,"length_unit":"hour"}""")]
    [InlineData("reports",
        """{"name":"R","events":["A"],"where":"properties[\"n\"] > 1","on":"properties[\"n\"]","type":"unique","unit":"week","from_date":"2026-08-01","to_date":"2026-08-31","last":3}""")]
    [InlineData("cohorts",
        """{"name":"C","description":"d","is_visible":false,"distinct_ids":["u"],"where":"behaviors[\"b\"] > 1","behaviors":[{"name":"b","window":"30d","event_selectors":[{"event":"A","selector":"properties[\"n\"] > 1"}]}]}""")]
    [InlineData("lookup-tables", $$"""{"id":"00000000-0000-4000-8000-00000000000a","name":"T","mappings":{{Mappings}}}""")]
    [InlineData("lookup-tables/00000000-0000-4000-8000-000000000001", $$"""{"mappings":{{Mappings}}}""")]
    public async Task Every_member_that_is_described_is_taken(string resource, string body)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var isTable = resource.Contains('/', StringComparison.Ordinal);

        await mixpanel.ControlAsync($"{(isTable ? "PUT" : "POST")} /emulator/projects/1/{resource}", body, isTable ? 200 : 201);

        var document = (await mixpanel.GetAsync("/emulator/openapi.json")).Json;
        var path = document.GetProperty("paths").GetProperty($"/emulator/projects/{{project}}/{(isTable ? "lookup-tables/{table}" : resource)}");
        Match(path.GetProperty(isTable ? "put" : "post")
            .GetProperty("requestBody")
            .GetProperty("content")
            .GetProperty("application/json")
            .GetProperty("schema"),
            JsonElement.Parse(body), resource);
        if (isTable) return;
        var seed = document.GetProperty("components")
            .GetProperty("schemas")
            .GetProperty("Seed")
            .GetProperty("properties")
            .GetProperty("projects")
            .GetProperty("items")
            .GetProperty("properties");
        Match(seed.GetProperty(resource.Replace('-', '_')).GetProperty("items"),
            JsonElement.Parse(resource == "lookup-tables" ? body[..^1] + ",\"csv\":\"id\"}" : body), "seed");
    }

    /// <summary>The value has exactly the described members, of the described types.</summary>
    static void Match(JsonElement schema, JsonElement value, string where)
    {
        var type = schema.GetProperty("type").GetString();
        Assert.True(type == (value.ValueKind switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.Number => "integer",
            _ => "boolean",
        }),
            $"{where}: {type}");
        if (type == "array") Assert.All(value.EnumerateArray(), item => Match(schema.GetProperty("items"), item, where + "[]"));
        if (type != "object") return;
        var properties = schema.GetProperty("properties");
        Assert.Equal(properties.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal),
            value.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
        Assert.All(value.EnumerateObject(), member => Match(properties.GetProperty(member.Name), member.Value, $"{where}.{member.Name}"));
    }
}
