using System.Text.Json.Nodes;

namespace MixpanelConnector.Conventions;

/// <summary>
/// The inputs and outputs that others rely on. Additions are allowed; whatever contract.json contains must not be renamed, retyped, removed, nor changed in
/// being required or in its default.
/// </summary>
public class ContractTests
{
    static readonly JsonObject Contract = ReadContract();

    public static TheoryData<string> Actions => [.. Contract.Select(action => action.Key)];

    [Fact]
    public void The_contract_holds_the_five_actions() =>
        Assert.Equal("create_service_account get_all_service_accounts query_user_profiles import_events track_event",
            string.Join(' ', Contract.Select(action => action.Key)));

    [Theory, MemberData(nameof(Actions))]
    public void An_action_keeps_its_contract(string name)
    {
        var action = ActionCatalogue.Find(name);
        Assert.NotNull(action);

        Assert.Equal("", string.Join('\n', Breaches(Contract[name]!["inputs"]!.AsObject(), action.InputSchema(), "inputs")));
        Assert.Equal("", string.Join('\n', Breaches(Contract[name]!["outputs"]!.AsObject(), action.OutputSchema(), "outputs")));
    }

    [Theory, MemberData(nameof(Actions))]
    public void Nothing_that_was_added_to_the_inputs_is_required(string name)
    {
        var known = Contract[name]!["inputs"]!.AsObject();
        var required = ActionCatalogue.Find(name)!.InputSchema()["required"]?.AsArray().Select(field => (string)field!) ?? [];

        Assert.All(required, field => Assert.True(known.ContainsKey(field), $"{name} now requires {field}, which callers do not know."));
    }

    [Theory]
    [InlineData("""{"properties":{},"required":[]}""", "x.a is gone")]
    [InlineData("""{"properties":{"a":{"type":"integer"}},"required":["a"]}""", "x.a is integer, not string")]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", "x.a is no longer required")]
    [InlineData("""{"properties":{"a":{"type":"string","default":"1"}},"required":["a"]}""", "x.a has the default 1, not none")]
    public void A_breach_is_noticed(string schema, string breach) =>
        Assert.Equal(breach,
            string.Join('\n', Breaches(JsonNode.Parse("""{"a":{"type":"string","required":true}}""")!.AsObject(), JsonNode.Parse(schema)!.AsObject(), "x")));

    [Fact]
    public void A_field_that_becomes_required_is_noticed() =>
        Assert.Equal("x.a is now required",
            Breaches(JsonNode.Parse("""{"a":{"type":"string"}}""")!.AsObject(),
                JsonNode.Parse("""{"properties":{"a":{"type":"string"}},"required":["a"]}""")!.AsObject(), "x").Single());

    static IEnumerable<string> Breaches(JsonObject fields, JsonObject schema, string path)
    {
        var required = schema["required"]?.AsArray().Select(field => (string)field!).ToHashSet(StringComparer.Ordinal) ?? [];
        foreach (var (name, field) in fields)
        {
            var at = $"{path}.{name}";
            if (schema["properties"]?[name] is not JsonObject actual)
            {
                yield return $"{at} is gone";
                continue;
            }

            var (type, isRequired, value) = ((string)field!["type"]!, (bool?)field["required"] == true, (string?)field["default"]);
            if ((string?)actual["type"] != type) yield return $"{at} is {actual["type"]}, not {type}";
            if (isRequired && !required.Contains(name)) yield return $"{at} is no longer required";
            if (!isRequired && required.Contains(name)) yield return $"{at} is now required";
            if ((string?)actual["default"] != value) yield return $"{at} has the default {(string?)actual["default"] ?? "none"}, not {value ?? "none"}";
            if (field["properties"] is not JsonObject inner) continue;
            foreach (var breach in Breaches(inner, actual, at)) yield return breach;
        }
    }

    static JsonObject ReadContract()
    {
        using var stream = typeof(ContractTests).Assembly.GetManifestResourceStream("contract.json")!;
        return JsonNode.Parse(stream)!.AsObject();
    }
}
