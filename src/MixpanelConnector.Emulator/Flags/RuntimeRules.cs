using System.Text.Json;

namespace MixpanelConnector.Emulator.Flags;

/// <summary>Whether a rollout's rules match the <c>custom_properties</c> of a context; strings are case-insensitive.</summary>
static class RuntimeRules
{
    public static bool Hold(JsonElement rollout, JsonElement context, RuleBudget budget)
    {
        var rule = NonEmpty(rollout, "runtime_evaluation_rule");
        var legacy = NonEmpty(rollout, "runtime_evaluation_definition");
        if (rule is null && legacy is null) return true;
        if (FlagEvaluation.Member(context, "custom_properties") is not { ValueKind: JsonValueKind.Object } properties) return false;
        if (rule is not { } logic) return AreEqual(legacy!.Value, properties);
        try
        {
            budget.BeginRule();
            return JavaScript.IsTrue(new JsonLogic(budget).Evaluate(JavaScript.Lowered(logic, ofData: false), JavaScript.Lowered(properties, ofData: true)));
        }
        catch (JsonLogicException)
        {
            return false; // a rule that cannot be evaluated matches nobody
        }
    }

    static JsonElement? NonEmpty(JsonElement rollout, string name) =>
        FlagEvaluation.Member(rollout, name) is { ValueKind: JsonValueKind.Object } rule && rule.EnumerateObject().Any() ? rule : null;

    /// <summary>The older form: properties, by their names in lower case, and the strings that they must equal.</summary>
    static bool AreEqual(JsonElement wanted, JsonElement properties)
    {
        var values = (Dictionary<string, object?>)JavaScript.Lowered(properties, ofData: true)!;
        return wanted.EnumerateObject().All(member =>
            values.TryGetValue(member.Name, out var value) && JavaScript.ToText(value) == JavaScript.ToText(JavaScript.Lowered(member.Value, ofData: false)));
    }
}
