using System.Text.Json;

namespace MixpanelConnector.EndToEnd;

/// <summary>The library and the embedded Mixpanel evaluate flags with separate code: two implementations of one description, with the same answers.</summary>
public sealed class FlagReadingsTests
{
    const int Flags = 800, Contexts = 10;

    static readonly string[] Scalars =
    [
        "0", "1", "-1", "2", "5.0", "1.5", "1e21", "1e-7", "123456789012", "\"\"", "\"0\"", "\"5\"", "\"05\"", "\"0x10\"", "\"1e3\"", "\"abc\"", "\"ABC\"",
        "\"a\"", "\" \"", "\"\\t5\\n\"", "\"Infinity\"", "\"-0\"",
        "\"true\"", "\"null\"", "null", "true", "false", "\"1,2\"", "\"é\"", "\"É\"", "\"ß\"", "\"µ\"", "\"μ\"", "\"🦊\"", "\"1.2.3\"",
        "\"2026-01-01T00:00:00Z\"", "\".5\"", "\"5abc\"", "\"\\uFEFF7\"", "\"\\u00857\"",
    ];

    static readonly string[] Paths =
    [
        "\"a\"", "\"b\"", "\"list\"", "\"list.0\"", "\"list.1\"", "\"obj.c\"", "\"obj.d.e\"", "\"nums.2\"", "\"nul\"", "\"nul.x\"", "\"empty\"", "\"missing\"",
        "\"\"", "\"a.length\"", "\"recs.1.q\"", "1", "0", "null",
    ];

    static readonly string[] Operators =
    [
        "==", "!=", "===", "!==", "<", "<=", ">", ">=", "!", "!!", "and", "or", "if", "?:", "in", "cat", "substr", "merge", "+", "-", "*", "/", "%", "min",
        "max", "var", "missing", "missing_some",
        "map", "filter", "reduce", "all", "some", "none", "semver_compare", "datetime_compare", "nope",
    ];

    [Fact]
    public async Task Both_give_the_same_variants()
    {
        var random = new Random(20);
        var flags = Enumerable.Range(0, Flags).Select(n => JsonElement.Parse(Flag(random, n))).ToList();
        await using var mixpanel =
            await RecordingServer.StartAsync(_ => Answer.Json($$"""{"flags":[{{string.Join(',', flags.Select(flag => flag.GetRawText()))}}]}"""));
        await using var client = new MixpanelFlags(new MixpanelOptions { Token = "token", Endpoint = mixpanel.Address });
        Assert.True(await client.WaitUntilReadyAsync(Hang.Limit, TestContext.Current.CancellationToken));
        Assert.Equal(Flags, client.Keys.Count);

        var differences = new List<string>();
        var given = 0;
        for (var n = 0; n < Contexts; n++)
        {
            var context = JsonElement.Parse(Context(random, n));
            var all = EvaluationContext.FromJson(context);
            foreach (var flag in flags)
            {
                var mine = client.Evaluate(flag.GetProperty("key").GetString()!, all, reportExposure: false);
                var other = Emulator.Flags.FlagEvaluation.Assign(flag, context);
                if (mine.VariantKey is not null) given++;
                if ((mine.VariantKey, mine.IsTestUser) != (other?.Key, other?.IsTestUser ?? false))
                    differences.Add($"{mine.VariantKey} {other?.Key}: {flag} {context}");
            }
        }

        Assert.True(differences.Count == 0, $"{differences.Count} differences, among them:\n{string.Join('\n', differences.Take(8))}");
        Assert.InRange(given, Flags * Contexts / 4, (Flags * Contexts) - 1);
    }

    static string Flag(Random random, int n)
    {
        var rollouts = string.Join(',', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Rollout(random)));
        var salt = Pick(random, "", ",\"hash_salt\":null", ",\"hash_salt\":\"\"", ",\"hash_salt\":\"salt-é\"");
        var test = Pick(random, "", "", ",\"test\":{\"users\":{\"ada\":\"A\",\"用户\":\"ÉTÉ\",\"x\":\"nobody\"}}");
        return $$$"""
            {"key":"k{{{n}}}","context":"{{{Pick(random, "distinct_id", "distinct_id", "device_id", "company")}}}"{{{salt}}},"ruleset":{"variants":[{"key":"µ","value":1,"split":0.2},{"key":"été","value":true,"split":{{{Pick(random, "0.1", "0.3", "null", "1")}}}},{"key":"a","value":"x","split":0.2},{"key":"🦊","value":null},{"key":"\uFF21","value":{},"split":0.3}],
            "rollout":[{{{rollouts}}}]{{{test}}}}}
            """;
    }

    static string Rollout(Random random) => $$"""
        {"rollout_percentage":{{Pick(random, "0", "0.005", "0.29", "0.5", "1", "1")}}{{Pick(random, "", ",\"variant_override\":{\"key\":\"ÉTÉ\"}", ",\"variant_override\":{\"key\":\"Μ\"}", ",\"variant_override\":{\"key\":\"zz\"}")}}
        {{Pick(random, "", ",\"variant_splits\":{\"a\":0.9,\"A\":0.1}", ",\"variant_splits\":{\"🦊\":1,\"a\":null}")}}
        {{random.Next(5) switch { 0 => "", 1 => $",\"runtime_evaluation_definition\":{{{Paths[random.Next(14)]}:{Scalar(random)}}}", _ => $",\"runtime_evaluation_rule\":{{\"!!\":[{Rule(random, 4)}]}}" }}}}
        """;

    static string Rule(Random random, int depth)
    {
        if (depth == 0 || random.Next(6) == 0)
            return random.Next(4) switch { 0 => Scalar(random), 1 => List(random), 2 => """{"x":1,"y":"Z"}""", _ => $$"""{"var":{{Pick(random, Paths)}}}""" };
        string Inner() => Rule(random, depth - 1);
        string Some(int least, int most) => string.Join(',', Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => Inner()));
        var name = Pick(random, Operators);
        var given = name switch
        {
            "!" or "!!" => random.Next(2) == 0 ? Inner() : $"[{Inner()}]",
            "if" or "?:" or "and" or "or" or "cat" or "merge" or "+" or "*" or "min" or "max" => $"[{Some(0, 4)}]",
            "var" => Pick(random, Pick(random, Paths), $"[{Pick(random, Paths)},{Inner()}]", $"[{Inner()}]"),
            "missing" => Pick(random, $"[{Pick(random, Paths)},\"a\"]", $"[[\"a\",{Pick(random, Paths)}]]", Inner()),
            "missing_some" => $"[{Pick(random, "0", "1", "2", "\"1\"")},[\"a\",{Pick(random, Paths)},{Pick(random, Paths)}]]",
            "map" or "filter" or "all" or "some"
                or "none" => $$"""[{{Pick(random, "{\"var\":\"list\"}", "{\"var\":\"nums\"}", "{\"var\":\"recs\"}", Inner())}},{{Pick(random, "{\"var\":\"\"}", "{\"var\":\"q\"}", Inner())}}]""",
            "reduce" => $$"""[{"var":"{{Pick(random, "list", "nums")}}"},{{Pick(random, """{"+":[{"var":"current"},{"var":"accumulator"}]}""", """{"cat":[{"var":"current"},{"var":"accumulator"}]}""", """{"merge":[{"var":"accumulator"},{"var":"current"}]}""", Inner())}},{{Inner()}}]""",
            "substr" => $"[{Inner()},{Pick(random, "0", "1", "-1", "-3", "\"1\"", "null", "1.7")},{Pick(random, "0", "1", "-1", "-2", "\"-1\"", "\"2\"", "null", "-1.5")}]",
            "semver_compare" => $"[{Pick(random, "\"1.2.3\"", "\"v1.2\"", "\"1\"", "\"1.2.3-alpha.1\"", "\"1.2.3-alpha.beta\"", "\"1.2.3+b\"", "\"01.2.3\"", "\" 1.2.3 \"", "\"1.2.3-01\"", "\"1.2.3+a-b\"", "{\"var\":\"a\"}")},\"{Pick(random, "===", "!==", "<", "<=", ">", ">=", "==")}\",{Pick(random, "\"1.2.3\"", "\"1.2.3-alpha\"", "\"2\"", "\"1.2.3-alpha.1\"")}]",
            "datetime_compare" => $"[{Pick(random, "\"2026-01-01T00:00:00Z\"", "\"2026-01-01t00:00:00.999z\"", "\"2026-02-29T00:00:00Z\"", "\"2024-02-29T23:59:59+05:30\"", "\"2026-01-01T24:00:00Z\"", "\"1969-12-31T23:59:58.5Z\"", "\" 2026-01-01T00:00:00Z \"", "\"0000-02-29T00:00:00Z\"", "\"2026-01-01T00:00:00+24:00\"", "{\"var\":\"a\"}")},\"{Pick(random, "===", "!==", "<", "<=", ">", ">=")}\",{Pick(random, "1767225600000", "1767225600999", "-1500", "-62167219200000", "1e19", "\"1\"")}]",
            _ => $"[{Some(2, 3)}]",
        };
        return $$"""{"{{name}}":{{given}}}""";
    }

    static string Context(Random random, int n)
    {
        var properties = $$$"""{"A":{{{Scalar(random)}}},"b":{{{Scalar(random)}}},"LIST":{{{List(random)}}},"Obj":{"C":{{{Scalar(random)}}},"d":{"E":{{{Scalar(random)}}}}},"nums":[1,2,3],"nul":null,"empty":"","recs":[{"q":1},{"Q":"x"}]}""";
        return $$$"""{"distinct_id":{{{Pick(random, $"\"user-{n}\"", "\"ada\"", "\"用户\"", "\"\"", "7", "true", "9007199254740993", "-0", "1.5", "null")}}}{{{Pick(random, "", ",\"device_id\":\"d\"", ",\"company\":\"é\"", ",\"company\":false,\"device_id\":12")}}}{{{(n % 7 == 6 ? Pick(random, "", ",\"custom_properties\":[1]", ",\"custom_properties\":{}") : $",\"custom_properties\":{properties}")}}}}""";
    }

    static string Scalar(Random random) => Pick(random, Scalars);

    static string List(Random random) =>
        $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(8) == 0 ? $"[{Scalar(random)}]" : Scalar(random)))}]";

    static T Pick<T>(Random random, params T[] from) => from[random.Next(from.Length)];
}
