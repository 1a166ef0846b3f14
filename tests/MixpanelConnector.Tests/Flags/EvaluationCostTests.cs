using System.Text;
using MixpanelConnector.Flags;

namespace MixpanelConnector.Tests.Flags;

/// <summary>The cost of an evaluation, which a hostile definition cannot increase.</summary>
public sealed class EvaluationCostTests
{
    const string Rule = """{"and":[{"==":[{"var":"plan"},"Pro"]},{"in":[{"var":"country"},["it","de"]]},{">":[{"var":"age"},17]},{"!":{"var":"blocked"}}]}""";

    static readonly EvaluationContext Ada = new EvaluationContext("ada",
        "d-1").WithProperties(new Dictionary<string, object?>(StringComparer.Ordinal) { ["Plan"] = "PRO", ["country"] = "IT", ["age"] = 36 });

    [Theory]
    [InlineData("distinct_id", "{}")]
    [InlineData("distinct_id", Rule)]
    [InlineData("company", "{}")]
    public void An_evaluation_that_was_done_before_takes_no_memory(string context, string rule)
    {
        var tracker = new RecordingTracker();
        var snapshot = Snapshot(Set(rule, context), tracker);
        for (var i = 0; i < 50; i++) snapshot.Evaluate("k", Ada);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) snapshot.Evaluate("k", Ada);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(context == "company" ? 0 : 1, tracker.Events.Count);
    }

    /// <summary>Without a limit on visited data, each would take minutes or overflow the stack, and then match.</summary>
    [Theory]
    [InlineData("""{"cat":{"reduce":[{"var":"many"},[{"var":"accumulator"},{"var":"accumulator"}],"a"]}}""", false)]
    [InlineData("""{"reduce":[{"var":"many"},{"cat":[{"var":"accumulator"},{"var":"accumulator"}]},"a"]}""", false)]
    [InlineData("""{"reduce":[{"var":"many"},{"merge":[{"var":"accumulator"},{"var":"accumulator"}]},[1]]}""", false)]
    [InlineData("""{"==":[{"reduce":[{"var":"many"},[{"var":"accumulator"}],"a"]},1]}""", false)]
    [InlineData("""{"map":[MANY,{"map":[MANY,{"map":[MANY,1]}]}]}""", false)]
    [InlineData("""{"all":[MANY,1]}""", true)]
    [InlineData("""{"in":["DIGITSb","DIGITSDIGITS"]}""", true)]
    [InlineData("""{"==":["DIGITS",1]}""", true)]
    [InlineData("""{"+":["DIGITSx"]}""", true)]
    [InlineData("""{"missing":["DOTS"]}""", true)]
    [InlineData("""{"var":[{"cat":"DOTS"}]}""", true)]
    [InlineData("""{"substr":["DIGITS",1]}""", true)]
    [InlineData("""{"<":["DIGITSa","DIGITSb"]}""", true)]
    public void A_rule_that_costs_without_bound_lets_nobody_in(string rule, bool isRepeated)
    {
        const string Twice = """{"all":[MANY,{"all":[MANY,{"!!":[[RULE]]}]}]}""";
        rule = (isRepeated ? Twice : """{"!!":[[RULE]]}""").Replace("RULE", rule, StringComparison.Ordinal).Replace("MANY", Many, StringComparison.Ordinal)
            .Replace("DIGITS", new string('1', 100_000), StringComparison.Ordinal).Replace("DOTS", new string('.', 100_000), StringComparison.Ordinal);
        var context = new EvaluationContext("ada").WithProperties(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["many"] = Enumerable.Range(0, 300).ToArray(),
        });

        Assert.Equal(FallbackReason.NoRolloutMatch, Set(rule).Evaluate("k", context).Reason);
    }

    static string Many => $"[{string.Join(',', Enumerable.Range(0, 200))}]";

    [Fact]
    public void Many_costly_flags_together_cost_little_more_than_one()
    {
        var rule = $$$"""{"all":[{{{Many}}},{"all":[{{{Many}}},{"all":[{{{Many}}},1]}]}]}""";
        var flags = string.Join(',', Enumerable.Range(0, 2000).Select(n => Flag(rule).Replace("\"key\":\"k\"", $"\"key\":\"k{n}\"", StringComparison.Ordinal)));

        Assert.Empty(FlagReader.Read(Encoding.UTF8.GetBytes($$"""{"flags":[{{flags}}]}"""), [])!.EvaluateAll(Ada));
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(400, false)]
    public void A_rule_that_is_too_deep_is_not_fulfilled_and_costs_no_other_flag(int levels, bool isRead)
    {
        var deep = string.Concat(Enumerable.Repeat("{\"!\":", levels)) + "1" + new string('}', levels);
        List<string> leftOut = [];

        var set = FlagReader.Read(
            Encoding.UTF8.GetBytes($$"""{"flags":[{{Flag(deep)}},{{Flag("{}").Replace("\"k\"", "\"other\"", StringComparison.Ordinal)}}]}"""), leftOut)!;

        Assert.Empty(leftOut);
        Assert.Equal(isRead ? "on" : null, set.Evaluate("k", Ada).VariantKey);
        Assert.Equal("on", set.Evaluate("other", Ada).VariantKey);
    }

    [Theory]
    [InlineData("\"value\":true")]
    [InlineData("\"runtime_evaluation_rule\":{}")]
    [InlineData("\"runtime_evaluation_rule\":{}", 400_000)]
    public void A_definition_with_another_part_that_is_too_deep_is_left_out_alone(string part, int levels = 400)
    {
        var deep = part.StartsWith("\"value", StringComparison.Ordinal) ? "\"value\":" : "\"runtime_evaluation_definition\":{\"plan\":";
        deep += new string('[', levels) + new string(']', levels) + (part.StartsWith("\"value", StringComparison.Ordinal) ? "" : "}");
        List<string> leftOut = [];

        var set = FlagReader.Read(
            Encoding.UTF8.GetBytes($$"""{"flags":[{{Flag("{}").Replace(part, deep, StringComparison.Ordinal)}},{{Flag("{}").Replace("\"k\"", "\"other\"", StringComparison.Ordinal)}}]}"""),
            leftOut)!;

        Assert.Contains("nested too deeply", Assert.Single(leftOut), StringComparison.Ordinal);
        Assert.Equal(["other"], set.Keys);
    }

    static FlagSet Set(string rule, string context = "distinct_id") =>
        FlagReader.Read(Encoding.UTF8.GetBytes($$"""{"flags":[{{Flag(rule, context)}}]}"""), [])!;

    static FlagSnapshot Snapshot(FlagSet set, IMixpanelTracker tracker) =>
        new(set, new ExposureReport(tracker, new MixpanelOptions { Token = "t" }, deduplicates: true));

    static string Flag(string rule, string context = "distinct_id") =>
        $$$"""{"key":"k","context":"{{{context}}}","ruleset":{"variants":[{"key":"on","value":true,"split":1}],"rollout":[{"rollout_percentage":1,"runtime_evaluation_rule":{{{rule}}}}]}}""";
}
