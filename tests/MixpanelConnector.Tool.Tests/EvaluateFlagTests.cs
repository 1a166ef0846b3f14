using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

public sealed class EvaluateFlagTests
{
    const string Definitions = """{"flags":[{"key":"k","context":"distinct_id","ruleset":{"variants":[{"key":"on","value":{"größe":[1,null]},"split":1}],"rollout":[{"rollout_percentage":1,"runtime_evaluation_rule":{"==":[{"var":"plan"},"pro"]}}]}},{"key":"bad"}]}""";

    [Theory]
    [InlineData("k", """{"distinct_id":"ada","custom_properties":{"Plan":"PRO"}}""",
        """{"flag_key":"k","variant_key":"on","variant_value":{"größe":[1,null]},"variant_source":"local","is_enabled":false,"is_qa_tester":false}""")]
    [InlineData("k", """{"distinct_id":"ada"}""",
        """{"flag_key":"k","variant_key":null,"variant_value":null,"variant_source":"fallback","is_enabled":false,"is_qa_tester":false,"reason":"NO_ROLLOUT_MATCH"}""")]
    [InlineData("k", "{}",
        """{"flag_key":"k","variant_key":null,"variant_value":null,"variant_source":"fallback","is_enabled":false,"is_qa_tester":false,"reason":"MISSING_CONTEXT_KEY","detail":"distinct_id"}""")]
    [InlineData("none", """{"distinct_id":"ada"}""",
        """{"flag_key":"none","variant_key":null,"variant_value":null,"variant_source":"fallback","is_enabled":false,"is_qa_tester":false,"reason":"FLAG_NOT_FOUND"}""")]
    public async Task A_flag_is_evaluated_by_definitions_of_Mixpanel_or_of_a_file(string key, string context, string expected)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Definitions));
        using var tool = Tool.At(server);
        var fetched = await tool.RunAsync("evaluate-flag", key, "--context", context);
        using var offline = new Tool();
        var ofFile = await offline.RunAsync("evaluate-flag", key, "--context", context, "--definitions", offline.Folder.Write("flags.json", Definitions));

        Assert.Equal((0, expected + "\n", "mixpanel: a definition is ignored: number 2: it has no context\n"), (fetched.Exit, fetched.Out, fetched.Err));
        Assert.Equal(fetched, ofFile);
    }

    [Fact]
    public async Task Mixpanel_evaluates_where_it_is_asked_to()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(
            """{"code":200,"flags":{"k":{"variant_key":"v","variant_value":true,"experiment_id":"e","is_experiment_active":false,"is_qa_tester":true}}}"""));
        using var tool = WithDeadlines(server);

        var run = await tool.RunAsync("evaluate-flag", "k", "--remote", "--context", """{"distinct_id":"ada"}""");

        Assert.Equal(
            (0,
                """{"flag_key":"k","variant_key":"v","variant_value":true,"variant_source":"remote","is_enabled":true,"is_qa_tester":true,"experiment_id":"e","is_experiment_active":false}"""
                    + "\n"),
            (run.Exit, run.Out));
        Assert.StartsWith("GET /flags?", server.Request.Line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "context", "evaluate-flag", "k", "--context", "[]")]
    [InlineData(2, "definitions", "evaluate-flag", "k", "--context", "{}", "--definitions", "none.json")]
    [InlineData(2, "definitions", "evaluate-flag", "k", "--context", "{}", "--definitions", "none.json", "--remote")]
    [InlineData(4, null, "evaluate-flag", "k", "--context", "{}")]
    [InlineData(4, null, "evaluate-flag", "k", "--context", "{}", "--remote")]
    public async Task What_is_wrong_ends_with_its_code(int exit, string? field, params string[] arguments)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json("""{"status":"error","error":"no"}""", 401));
        using var tool = WithDeadlines(server);

        var run = await tool.RunAsync(arguments);

        Assert.Equal((exit, ""), (run.Exit, run.Out));
        Assert.Equal(field, run.Problem.TryGetProperty("field", out var named) ? named.GetString() : null);
    }

    /// <summary>With a clock that treats ten seconds, the limit of Mixpanel's evaluation, as a deadline and not as a wait.</summary>
    static Tool WithDeadlines(RecordingServer server) => new()
    {
        Clock = new ImpatientClock(ImpatientClock.Noon, longestWait: TimeSpan.FromSeconds(5)),
        Environment = { ["MIXPANEL_ENDPOINT"] = server.Url, ["MIXPANEL_TOKEN"] = "token" },
    };
}
