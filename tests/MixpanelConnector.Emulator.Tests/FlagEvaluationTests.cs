using System.Net.Http.Headers;
using System.Text.Json;
using MixpanelConnector.Emulator.Flags;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>Flags are evaluated like the official SDKs do: tests/Cases/flags has their answers.</summary>
public sealed class FlagEvaluationTests
{
    const string Flags = DocumentedOperations.Flags;
    static readonly AuthenticationHeaderValue Owner = LocalMixpanel.Basic("local", "local"), Token = LocalMixpanel.Basic("local", "");

    static readonly JsonElement Cases = JsonElement.Parse(File.ReadAllBytes(Testing.Repository.File("tests/Cases/flags/vectors.json")));

    [Fact]
    public void The_answers_are_those_of_the_official_sdks()
    {
        List<string> wrong = [];
        var count = 0;
        foreach (var vector in Cases.GetProperty("vectors").EnumerateArray())
        {
            count++;
            var given = FlagEvaluation.Assign(vector.GetProperty("flag"), vector.GetProperty("context"));
            var expected = vector.GetProperty("expect");
            var value = given is { } some ? some.Variant.GetProperty("value").GetRawText() : "null";
            var answer = $"{given?.Key ?? "none"} {value} {given?.IsTestUser ?? false}";
            var right = $"{expected.GetProperty("variant").GetString() ?? "none"} {expected.GetProperty("value").GetRawText()} {expected.GetProperty("qa").GetBoolean()}";
            // If the SDKs disagree, any answer is accepted.
            if (answer != right && !vector.TryGetProperty("free", out _)) wrong.Add($"{vector.GetProperty("id")}: {answer} instead of {right}");
        }
        Assert.Empty(wrong);
        Assert.Equal(356, count);
    }

    [Fact]
    public void Hashes_are_those_of_the_official_sdks()
    {
        foreach (var hash in Cases.GetProperty("hashes").EnumerateArray())
            Assert.Equal(hash.GetProperty("bucket").GetInt32() / 100.0,
                FlagEvaluation.Hash(hash.GetProperty("key").GetString()!, hash.GetProperty("salt").GetString()!));
    }

    /// <summary>Cases that the vectors do not cover, with the answers of json-logic-js.</summary>
    [Theory]
    [InlineData("""{"==":[{"cat":[1e21,"|",0.000001,"|",1e-7,"|",123.5,"|",100]},"1e+21|0.000001|1e-7|123.5|100"]}""", true)]
    [InlineData("""{"==":[{"var":"list.1"},2]}""", true)]
    [InlineData("""{"==":[{"var":"list.01"},2]}""", false)]
    [InlineData("""{"==":[{"var":"list.length"},3]}""", true)]
    [InlineData("""{"===":[{"substr":["jsonlogic",-5,-2]},"log"]}""", true)]
    [InlineData("""{"===":[{"substr":["jsonlogic",4]},"logic"]}""", true)]
    [InlineData("""{"===":[{"*":["2 apples","3"]},6]}""", true)]
    [InlineData("""{"===":[{"%":[-5,3]},-2]}""", true)]
    [InlineData("""{"===":[{"-":"4"},-4]}""", true)]
    [InlineData("""{">":[1]}""", false)]
    [InlineData("""{"==":["0x10",16]}""", true)]
    [InlineData("""{"==":["1_0",10]}""", false)]
    [InlineData("""{"in":["2",{"var":"list"}]}""", false)]
    [InlineData("""{"in":[2,{"var":"list"}]}""", true)]
    [InlineData("""{"all":[[],true]}""", false)]
    [InlineData("""{"none":[[],true]}""", true)]
    [InlineData("""{"==":[{"reduce":[{"var":"list"},{"+":[{"var":"current"},{"var":"accumulator"}]},0]},6]}""", true)]
    [InlineData("""{"==":[{"map":[{"var":"list"},{"*":[{"var":""},2]}]},"2,4,6"]}""", true)]
    [InlineData("""{"semver_compare":["v1.10","<","1.9.9"]}""", false)]
    [InlineData("""{"semver_compare":["1.0.0-rc.2",">","1.0.0-rc.1"]}""", true)]
    [InlineData("""{"semver_compare":["1.0.0-rc.2","<","1.0.0"]}""", true)]
    [InlineData("""{"semver_compare":["01.0.0","!==","1.0.0"]}""", false)]
    [InlineData("""{"semver_compare":["1.0.0","==","1.0.0"]}""", false)]
    [InlineData("""{"datetime_compare":["2026-01-01T01:00:00.999+01:00","===",1767225600000]}""", true)]
    [InlineData("""{"datetime_compare":["2026-02-30T00:00:00Z","!==",0]}""", false)]
    [InlineData("""{"datetime_compare":["2026-01-01T00:00:00","!==",0]}""", false)]
    [InlineData("""{"or":[true,{"unknown":1}]}""", true)]
    [InlineData("""{"or":[false,{"unknown":1}]}""", false)]
    [InlineData("""{"!":{"unknown":1}}""", false)]
    [InlineData("""{"!":{"missing_some":[1,"a"]}}""", false)]
    [InlineData("""{"!!":{"reduce":[{"var":"many"},{"cat":[{"var":"accumulator"},{"var":"accumulator"}]},"ab"]}}""", false)]
    [InlineData("""{"!!":{"cat":{"reduce":[{"var":"many"},[{"var":"accumulator"},{"var":"accumulator"}],"a"]}}}""", false)]
    [InlineData("""{"none":[{"var":"many"},{"some":[{"var":"x"},{"var":"y"}]}]}""", true)]
    public void A_rule_has_the_answer_of_its_reference_or_lets_nobody_in(string rule, bool expected)
    {
        var flag = $$$"""{"key":"k","context":"distinct_id","ruleset":{"variants":[{"key":"on","value":true,"split":1}],"rollout":[{"rollout_percentage":1,"runtime_evaluation_rule":{{{rule}}}}]}}""";
        var context = $$$"""{"distinct_id":"ada","custom_properties":{"list":[1,2,3],"many":[{{{string.Join(',', Enumerable.Range(0, 200))}}}]}}""";

        Assert.Equal(expected, FlagEvaluation.Assign(JsonElement.Parse(flag), JsonElement.Parse(context)) is not null);
    }

    /// <summary>The cost of a rule is limited by the data it visits, not by the number of its operators: each of these would take minutes.</summary>
    [Theory]
    [InlineData("""{"var":"DOTS"}""")]
    [InlineData("""{"missing":["DOTS"]}""")]
    [InlineData("""{"==":[{"var":"DOTS"},1]}""")]
    [InlineData("""{"+":["DIGITSx"]}""")]
    [InlineData("""{"==":["DIGITS",1]}""")]
    [InlineData("""{"<":["DIGITS",1]}""")]
    [InlineData("""{"in":["bbbbbbbbbb","DIGITS"]}""")]
    [InlineData("""{"in":["DIGITSb","DIGITSDIGITS"]}""")]
    [InlineData("""{"substr":["DIGITS",1,1]}""")]
    [InlineData("""{"cat":["DIGITS",""]}""")]
    [InlineData("""{"min":["DIGITS"]}""")]
    [InlineData("""{"semver_compare":["DIGITS.1.1","1.1.1","==="]}""")]
    [InlineData("""{"datetime_compare":["DIGITS","2026-01-01T00:00:00Z","==="]}""")]
    public void A_rule_that_goes_through_long_texts_again_and_again_lets_nobody_in(string inner)
    {
        inner = inner.Replace("DOTS", new string('.', 300_000), StringComparison.Ordinal).Replace("DIGITS", new string('1', 300_000), StringComparison.Ordinal);
        var many = $"[{string.Join(',', Enumerable.Range(0, 200))}]";
        var flag = JsonElement.Parse(
            $$$"""{"key":"k","context":"distinct_id","ruleset":{"variants":[{"key":"On","value":1,"split":1}],"rollout":[{"rollout_percentage":1,"variant_splits":{},"runtime_evaluation_rule":{"none":[{{{many}}},{"none":[{{{many}}},{{{inner}}}]}]}}]}}""");

        Assert.Null(FlagEvaluation.Assign(flag, JsonElement.Parse("""{"distinct_id":"u","custom_properties":{}}""")));
    }

    [Fact]
    public async Task Flags_that_cost_too_much_together_are_refused_and_one_can_still_be_asked_for()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var text = new string('1', 900_000);
        for (var n = 0; n < 7; n++)
            await StoreAsync(mixpanel, """ "status":"enabled" """,
                $$$"""{"rollout_percentage":1,"variant_splits":{},"runtime_evaluation_rule":{"==":["{{{text}}}","{{{n}}}"]}}""", key: $"k{n}");

        var path = "/flags?project_id=1&context=" + Uri.EscapeDataString("""{"distinct_id":"u","custom_properties":{}}""");
        (await mixpanel.GetAsync(path, Owner)).Is(400,
            """{"error":"the rules of these flags take too many steps: ask for one by flag_key","status":"error"}""");
        (await mixpanel.GetAsync(path + "&flag_key=k1", Owner)).Is(200, None);
    }

    [Fact]
    public void An_evaluation_whose_caller_has_left_ends()
    {
        using var left = new CancellationTokenSource();
        left.Cancel();
        var flag = JsonElement.Parse(
            """{"key":"k","context":"distinct_id","ruleset":{"variants":[{"key":"On","value":1,"split":1}],"rollout":[{"rollout_percentage":1,"variant_splits":{},"runtime_evaluation_rule":{"==":[1,1]}}]}}""");

        Assert.Throws<OperationCanceledException>(() => FlagEvaluation.Assign(flag, JsonElement.Parse("""{"distinct_id":"u","custom_properties":{}}"""),
            budget: new RuleBudget(left.Token)));
    }

    [Theory]
    [InlineData(""" "status":"enabled" """, """ {"rollout_percentage":1,"variant_splits":{}} """,
        """{"code":200,"flags":{"k":{"variant_key":"On","variant_value":{"a":[1,null]},"is_qa_tester":false}}}""")]
    [InlineData(""" "status":"enabled","serving_method":"remote_only","experiment_id":"5f0a1c3e-8f6b-4c55-9d3b-0a7f3c2b1d10","is_experiment_active":true """,
        """ {"rollout_percentage":1,"variant_splits":{}} """,
        """{"code":200,"flags":{"k":{"variant_key":"On","variant_value":{"a":[1,null]},"experiment_id":"5f0a1c3e-8f6b-4c55-9d3b-0a7f3c2b1d10","is_experiment_active":true,"is_qa_tester":false}}}""")]
    [InlineData(""" "status":"disabled" """, """ {"rollout_percentage":1,"variant_splits":{}} """, None)]
    [InlineData(""" "status":"archived" """, """ {"rollout_percentage":1,"variant_splits":{}} """, None)]
    [InlineData(""" "status":"enabled" """, """ {"rollout_percentage":0,"variant_splits":{}} """, None)]
    [InlineData(""" "status":"enabled" """, """ {"rollout_percentage":1,"variant_splits":{},"cohort_hash":"abc"} """, None)]
    [InlineData(""" "status":"enabled" """, """ {"rollout_percentage":1,"variant_splits":{},"cohort_definition":{"id":1}} """, None)]
    [InlineData(""" "status":"enabled" """,
        """ {"rollout_percentage":1,"variant_splits":{},"runtime_event_rule":{"event_name":"e","time_window":"while_flag_enabled"}} """, None)]
    [InlineData(""" "status":"enabled" """, """ {"rollout_percentage":1,"variant_splits":{},"runtime_evaluation_rule":{"unknown":1}} """, None)]
    [InlineData(""" "status":"enabled" """,
        """ {"rollout_percentage":1,"variant_splits":{},"cohort_hash":"abc"},{"rollout_percentage":1,"variant_splits":{},"runtime_evaluation_rule":{"==":[{"var":"Plan"},"x"]}},{"rollout_percentage":1,"variant_splits":{},"runtime_evaluation_rule":{"==":[{"var":"plan"},"PRO"]}} """,
        """{"code":200,"flags":{"k":{"variant_key":"On","variant_value":{"a":[1,null]},"is_qa_tester":false}}}""")]
    public async Task A_stored_flag_is_assigned_when_it_is_enabled_and_can_be_evaluated(string members, string rollout, string expected)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await StoreAsync(mixpanel, members, rollout);

        const string Context = """{"distinct_id":"ada","custom_properties":{"PLAN":"pro"}}""";
        (await mixpanel.GetAsync("/flags?token=local&context=" + Uri.EscapeDataString(Context), Token)).Is(200, expected);
        (await mixpanel.GetAsync($"/flags/?token=local&mp_lib=react-native&$lib_version=3.8.0&ip=1&context={Uri.EscapeDataString(Context)}", Token)).Is(200,
            expected);
        using var body = new StringContent($$"""{"context":{{Context}}}""", System.Text.Encoding.UTF8, "application/octet-stream");
        (await mixpanel.SendAsync(HttpMethod.Post, "/flags/", body, Token)).Is(200, expected);
    }

    [Theory]
    [InlineData("", "request body must be a JSON object in UTF-8 that names each member once and has at most 56 levels")]
    [InlineData("{}", "'context' is required: the evaluation context as a JSON object")]
    [InlineData("""{"context":[]}""", "'context' is invalid: must be a JSON object")]
    [InlineData("""{"context":{}}""", "distinct_id must be provided in evalContext as a string")]
    public async Task A_context_in_a_body_is_checked_as_one_in_the_query(string body, string error)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.SendAsync(HttpMethod.Post, "/flags", new StringContent(body), Token)).Is(400, $$"""{"error":"{{error}}","status":"error"}""");
    }

    const string None = """{"code":200,"flags":{}}""";

    [Fact]
    public async Task A_test_user_gets_a_variant_that_no_rollout_gives_and_one_flag_can_be_asked_for()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await StoreAsync(mixpanel, """ "status":"enabled" """, """ {"rollout_percentage":0,"variant_splits":{}} """,
            test: ""","test":{"users":{"ada":"on"}}""");
        const string Ada = """{"code":200,"flags":{"k":{"variant_key":"On","variant_value":{"a":[1,null]},"is_qa_tester":true}}}""";

        foreach (var (query, user, expected) in new[] { ("", "ada", Ada), ("&flag_key=k", "ada", Ada), ("&flag_key=other", "ada", None), ("", "Ada", None) })
            (await mixpanel.GetAsync($"/flags?project_id=1{query}&context={Uri.EscapeDataString($$"""{"distinct_id":"{{user}}"}""")}", Owner)).Is(200,
                expected);
    }

    [Fact]
    public async Task Definitions_have_what_the_sdks_read_of_the_flags_that_they_may_evaluate()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var id = await StoreAsync(mixpanel, """ "status":"enabled","hash_salt":"0123456789abcdef0123456789abcdef" """,
            """ {"name":"r","rollout_percentage":0.5,"variant_splits":{"On":1},"variant_override":{"key":"On"}} """);
        await StoreAsync(mixpanel, """ "status":"disabled" """, "", key: "off");
        await StoreAsync(mixpanel, """ "status":"enabled","serving_method":"remote_only" """, "", key: "remote");

        (await mixpanel.GetAsync("/flags/definitions?token=local", Token)).Is(200,
            $$$"""{"flags":[{"id":"{{{id}}}","name":"N","key":"k","status":"enabled","project_id":1,"workspace_id":1,"context":"distinct_id","hash_salt":"0123456789abcdef0123456789abcdef","ruleset":{"variants":[{"key":"On","value":{"a":[1,null]},"is_control":false,"split":1}],"rollout":[{"name":"r","rollout_percentage":0.5,"variant_splits":{"On":1},"variant_override":{"key":"On"}}]}}]}""");
    }

    [Theory]
    [InlineData("/flags?token=local", "local:", 400, "'context' is required: the evaluation context as a JSON object")]
    [InlineData("/flags?token=local&context=", "local:", 400, "'context' is required: the evaluation context as a JSON object")]
    [InlineData("/flags?token=local&context=(", "local:", 400, "'context' is invalid: must be a JSON object")]
    [InlineData("/flags?token=local&context=[]", "local:", 400, "'context' is invalid: must be a JSON object")]
    [InlineData("/flags?token=local&context={}", "local:", 400, "distinct_id must be provided in evalContext as a string")]
    [InlineData("/flags?token=local&context={\"distinct_id\":7}", "local:", 400, "distinct_id must be provided in evalContext as a string")]
    [InlineData("/flags?token=local&context={\"distinct_id\":null}", "local:", 400, "distinct_id must be provided in evalContext as a string")]
    [InlineData("/flags?token=local", null, 401, "Invalid credentials")]
    [InlineData("/flags/definitions?token=local", null, 401, "Invalid credentials")]
    [InlineData("/flags/definitions?token=other", "other:", 401, "Invalid credentials")]
    [InlineData("/flags/definitions?token=local", "local:wrong", 401, "Invalid credentials")]
    [InlineData("/flags/definitions?token=nobodys", "local:wrong", 401, "Invalid credentials")]
    [InlineData("/flags/definitions?token=other", "local:", 403, "the token or the secret that signs in is another project's")]
    [InlineData("/flags/definitions?project_id=2", "local:", 403, "the token or the secret that signs in is another project's")]
    [InlineData("/flags/definitions?token=other", "local:local", 403, "no project with this token")]
    [InlineData("/flags/definitions?token=other&project_id=1", "local:local", 403, "'token' and 'project_id' are of two projects")]
    [InlineData("/flags/definitions?project_id=9", "local:local", 403, "service account has no access to this project")]
    [InlineData("/flags/definitions", "local:local", 400, "'project_id' is required with a service account")]
    public async Task What_is_wrong_with_a_request_is_told(string path, string? credentials, int status, string error)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync(path, credentials?.Split(':') is [var name, var secret] ? LocalMixpanel.Basic(name, secret) : null);

        Assert.Equal((status, error, "error"), (answer.Status, answer.Json.GetProperty("error").GetString(), answer.Json.GetProperty("status").GetString()));
    }

    [Theory]
    [InlineData("token=local", "local:")]
    [InlineData("token=local", "local:local")]
    [InlineData("project_id=1", "local:local")]
    [InlineData("token=local&project_id=1&mp_lib=python&lib_version=5.3.0", "local:local")]
    [InlineData("", "local:")]
    public async Task Either_a_token_or_a_service_account_signs_in(string query, string credentials)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.GetAsync("/flags/definitions?" + query, LocalMixpanel.Basic(credentials.Split(':')[0], credentials.Split(':')[1]))).Is(200,
            """{"flags":[]}""");
    }

    [Theory]
    [InlineData(""" "workspace_id":2 """, "", "workspace_id: is not the one of the path")]
    [InlineData(""" "hash_salt":"🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊🦊" """, "", "hash_salt: must have 32 characters")]
    [InlineData(""" "status":"enabled" """, ""","variants":[]""",
        "request body must be a JSON object in UTF-8 that names each member once and has at most 56 levels")]
    [InlineData(""" "status":"enabled" """, "DEEP", "request body must be a JSON object in UTF-8 that names each member once and has at most 56 levels")]
    public async Task A_flag_that_readers_would_take_for_another_is_refused(string members, string after, string error)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        after = after.Replace("DEEP",
            $$$"""{"rollout_percentage":1,"variant_splits":{},"runtime_evaluation_rule":{{{string.Concat(Enumerable.Repeat("{\"!\":", 55))}}}1{{{new string('}', 55)}}}}""",
            StringComparison.Ordinal);
        var rollouts = after.StartsWith('{') ? after : "";
        var flag = $$$"""{"name":"N","key":"k","tags":[],"context":"distinct_id","serving_method":"client",{{{members}}},"ruleset":{"variants":[{"key":"On","value":1,"is_control":false,"split":1}],"rollout":[{{{rollouts}}}]{{{(rollouts == "" ? after : "")}}}}}""";

        var answer = await mixpanel.SendAsync(HttpMethod.Post, Flags, new StringContent(flag), Owner);
        Assert.Equal((400, error), (answer.Status, answer.Json.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task Lengths_count_characters_and_each_variant_has_a_key_of_its_own()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        string Flag(string name, string second) =>
            $$$"""{"name":"{{{name}}}","key":"k","tags":[],"context":"distinct_id","serving_method":"client","ruleset":{"variants":[{"key":"on","value":1,"is_control":false,"split":1},{"key":"{{{second}}}","value":1,"is_control":false,"split":0}],"rollout":[]}}""";
        var foxes = string.Concat(Enumerable.Repeat("🦊", 255));

        Assert.Equal(400, (await mixpanel.SendAsync(HttpMethod.Post, Flags, new StringContent(Flag("N", "On")), Owner)).Status);
        Assert.Equal(400, (await mixpanel.SendAsync(HttpMethod.Post, Flags, new StringContent(Flag(foxes + "x", "off")), Owner)).Status);
        Assert.Equal(200, (await mixpanel.SendAsync(HttpMethod.Post, Flags, new StringContent(Flag(foxes, "off")), Owner)).Status);
    }

    /// <summary>Stores a flag with one variant, and returns its id.</summary>
    static async Task<string> StoreAsync(LocalMixpanel mixpanel, string members, string rollout, string key = "k", string test = "")
    {
        var method = members.Contains("serving_method", StringComparison.Ordinal) ? "" : "\"serving_method\":\"remote_or_local\",";
        var flag = $$$"""{"name":"N","key":"{{{key}}}","tags":[],"context":"distinct_id",{{{method}}}{{{members}}},"ruleset":{"variants":[{"key":"On","value":{"a":[1,null]},"is_control":false,"split":1}],"rollout":[{{{rollout}}}]{{{test}}}}}""";
        var stored = await mixpanel.SendAsync(HttpMethod.Post, Flags, new StringContent(flag), Owner);
        Assert.True(stored.Status == 200, stored.Text);
        return stored.Json.GetProperty("results").GetProperty("id").GetString()!;
    }
}
