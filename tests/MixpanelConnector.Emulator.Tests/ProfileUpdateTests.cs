using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

public sealed class ProfileUpdateTests
{
    [Theory]
    [InlineData("1e308", "1e308")]
    [InlineData("-1e308", "-1.7e308")]
    [InlineData("1", "1e400")]
    [InlineData(null, "1e400")]
    public async Task A_sum_that_no_double_can_hold_is_refused(string? present, string more)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        if (present is not null)
            (await mixpanel.PostAsync("/engage", $$$"""{"$token":"local","$distinct_id":"a","$ignore_time":true,"$set":{"v":{{{present}}}}}""")).Is(200, "1");

        var answer = await mixpanel.PostAsync("/engage?verbose=1",
            $$$"""{"$token":"local","$distinct_id":"a","$ignore_time":true,"$add":{"w":1,"v":{{{more}}},"x":1}}""");

        answer.Is(200, """{"error":"\u0027$add.v\u0027 is invalid: the sum is too large for a number","status":0}""");
        Assert.Equal(present is null ? "" : $$"""{"v":{{present}}}""",
            string.Concat((await mixpanel.Server.ProfilesAsync()).Select(profile => profile.Properties)));
    }

    [Theory]
    [InlineData("""{"$set":{"a":2,"b":[1]}}""", """{"a":2,"list":["x","y"],"text":"t","b":[1]}""")]
    [InlineData("""{"$set_once":{"a":2,"b":1.10}}""", """{"a":1,"list":["x","y"],"text":"t","b":1.10}""")]
    [InlineData("""{"$add":{"a":0.10,"b":-2,"text":1}}""", """{"a":1.10,"list":["x","y"],"text":"t","b":-2}""")]
    [InlineData("""{"$add":{"a":1e300}}""", """{"a":1E+300,"list":["x","y"],"text":"t"}""")]
    [InlineData("""{"$append":{"list":"x","b":{"c":1},"text":"u"}}""", """{"a":1,"list":["x","y","x"],"text":["t","u"],"b":[{"c":1}]}""")]
    [InlineData("""{"$union":{"list":["y","z","z"],"b":[1,1.0],"text":["u"]}}""", """{"a":1,"list":["x","y","z"],"text":["t","u"],"b":[1]}""")]
    [InlineData("""{"$remove":{"list":"x","text":"t","b":1}}""", """{"a":1,"list":["y"],"text":"t"}""")]
    [InlineData("""{"$unset":["a","none"]}""", """{"list":["x","y"],"text":"t"}""")]
    public async Task Every_operation_does_what_it_says(string operation, string expected)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync("/engage", Update("""{"$set":{"a":1,"list":["x","y"],"text":"t"}}"""));

        (await mixpanel.PostAsync("/engage", Update(operation))).Is(200, "1");

        Assert.Equal(expected, Assert.Single(await mixpanel.Server.ProfilesAsync()).Properties);
    }

    [Theory]
    [InlineData("\"null\"")]
    [InlineData("\"\"")]
    [InlineData("null")]
    public async Task A_profile_is_deleted_whatever_the_value(string value)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync("/engage", Update("""{"$set":{"a":1}}"""));

        (await mixpanel.PostAsync("/engage", Update($"{{\"$delete\":{value},\"$ignore_alias\":true}}"))).Is(200, "1");

        Assert.Empty(await mixpanel.Server.ProfilesAsync());
    }

    [Fact]
    public async Task The_updates_of_a_batch_are_carried_out_in_their_order()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.PostAsync("/engage",
            $"[{Update("""{"$set":{"a":1}}""")},{Update("""{"$add":{"a":2}}""")},{Update("""{"$delete":""}""")},{Update("""{"$append":{"l":1}}""")},{Update("""{"$append":{"l":2}}""")}]");

        Assert.Equal("""{"l":[1,2]}""", Assert.Single(await mixpanel.Server.ProfilesAsync()).Properties);
    }

    [Theory]
    [InlineData("", "2026-09-01T12:00:00")]
    [InlineData(",\"$time\":1700000000", "2023-11-14T22:13:20")]
    [InlineData(",\"$time\":1700000000000", "2023-11-14T22:13:20")]
    [InlineData(",\"$ignore_time\":true", null)]
    [InlineData(",\"$ip\":\"0\"", "2026-09-01T12:00:00")]
    public async Task An_update_says_when_the_user_was_last_seen(string root, string? seen)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.PostAsync("/engage", $"{{\"$token\":\"local\",\"$distinct_id\":\"ada\",\"$set\":{{\"a\":1}}{root}}}");

        var properties = JsonElement.Parse(Assert.Single(await mixpanel.Server.ProfilesAsync()).Properties);
        Assert.Equal(seen, properties.TryGetProperty("$last_seen", out var value) ? value.GetString() : null);
    }

    [Theory]
    [InlineData("""{"$distinct_id":"ada","$set":{}}""", "$token", "$token, missing or empty")]
    [InlineData("""{"$token":"local","$set":{}}""", "$distinct_id", "$distinct_id, missing or empty")]
    [InlineData("""{"$token":"local","$distinct_id":"ada"}""", "", "record is invalid: must have exactly one operation")]
    [InlineData("""{"$token":"local","$distinct_id":"ada","$set":{},"$add":{}}""", "", "record is invalid: must have exactly one operation")]
    [InlineData("""{"$token":"local","$distinct_id":"ada","$set":[]}""", "$set", "'$set' is invalid: must be an object")]
    [InlineData("""{"$token":"local","$distinct_id":"ada","$unset":"a"}""", "$unset", "'$unset' is invalid: must be a list of property names")]
    [InlineData("""{"$token":"local","$distinct_id":"ada","$unset":[]}""", "$unset", "'$unset' is invalid: must be a list of property names")]
    [InlineData("""{"$token":"local","$distinct_id":"ada","$add":{"a":"1"}}""", "$add.a", "'$add.a' is invalid: must be a number")]
    [InlineData("""{"$token":"local","$distinct_id":"ada","$union":{"a":"1"}}""", "$union.a", "'$union.a' is invalid: must be a list")]
    [InlineData("""{"$token":"local","$distinct_id":"ada","$set":{"a":1,"a":2}}""", "", "record is invalid: must not have a name twice")]
    [InlineData("""{"$token":"local","$distinct_id":"ada","$set":{"a":"\ud800"}}""", "", "record is invalid: string should be valid utf8")]
    [InlineData("7", "", "record is invalid: must be an object")]
    public async Task A_strict_answer_names_each_record_that_breaks_a_rule(string record, string field, string message)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.PostAsync("/engage?strict=1", $"[{Update("""{"$set":{"a":1}}""")},{record}]");

        Assert.Equal(200, answer.Status);
        Assert.Equal(0, answer.Json.GetProperty("status").GetInt32());
        Assert.Equal(1, answer.Json.GetProperty("num_good_events").GetInt32());
        var failed = Assert.Single(answer.Json.GetProperty("failed_records").EnumerateArray());
        Assert.Equal(1, failed.GetProperty("index").GetInt32());
        Assert.Equal(field, failed.GetProperty("field").GetString());
        Assert.Equal(message, failed.GetProperty("message").GetString());
        Assert.Single(await mixpanel.Server.ProfilesAsync());
        (await mixpanel.PostAsync("/engage", $"[{record}]")).Is(200, "0");
    }

    [Fact]
    public async Task A_strict_answer_to_good_records_says_how_many()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/engage?strict=1", Update("""{"$set":{"a":1}}"""))).Is(200, """{"error":null,"errors":{},"num_good_events":1,"status":1}""");
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("[{")]
    public async Task A_request_without_records_is_answered_with_0(string body)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/engage", body)).Is(200, "0");
        Assert.Equal(0, (await mixpanel.PostAsync("/engage?strict=1", body)).Json.GetProperty("num_good_events").GetInt32());
    }

    [Fact]
    public async Task Updates_are_taken_as_a_form_and_in_the_address()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var update = LocalMixpanel.Base64(Update("""{"$add":{"n":1}}"""));

        (await mixpanel.SendAsync(HttpMethod.Post, "/engage/", LocalMixpanel.Form(("data", update), ("verbose", "1")))).Is(200,
            """{"error":null,"status":1}""");
        (await mixpanel.GetAsync("/engage/?data=" + Uri.EscapeDataString(update))).Is(200, "1");

        Assert.Equal("""{"n":2}""", Assert.Single(await mixpanel.Server.ProfilesAsync()).Properties);
    }

    [Fact]
    public async Task A_profile_holds_at_most_2000_properties()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var properties = string.Join(',', Enumerable.Range(0, 2000).Select(i => $"\"p{i}\":{i}"));
        (await mixpanel.PostAsync("/engage", Update($"{{\"$set\":{{{properties}}}}}"))).Is(200, "1");

        (await mixpanel.PostAsync("/engage", Update("""{"$set":{"one_more":1}}"""))).Is(200, "0");
        (await mixpanel.PostAsync("/engage", Update("""{"$set":{"p0":"changed"}}"""))).Is(200, "1");

        Assert.StartsWith("""{"p0":"changed","p1":1,""", Assert.Single(await mixpanel.Server.ProfilesAsync()).Properties, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_may_not_grow_beyond_256_KB()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var half = new string('x', 130 * 1024);

        (await mixpanel.PostAsync("/engage", Update($"{{\"$append\":{{\"l\":\"{half}\"}}}}"))).Is(200, "1");
        (await mixpanel.PostAsync("/engage", Update($"{{\"$append\":{{\"l\":\"{half}\"}}}}"))).Is(200, "0");
        (await mixpanel.PostAsync("/engage", Update($"{{\"$set\":{{\"m\":[\"{half}\",\"{half}\"]}}}}"))).Is(200, "0");
    }

    [Fact]
    public async Task An_unknown_token_is_ignored_without_a_word()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/engage", """{"$token":"x","$distinct_id":"ada","$set":{"a":1}}""")).Is(200, "1");

        Assert.Empty(await mixpanel.Server.ProfilesAsync());
    }

    [Fact]
    public async Task Groups_are_kept_by_their_key()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/groups",
            """[{"$token":"local","$group_key":"company","$group_id":"acme","$set":{"seats":5}},{"$token":"local","$group_key":"team","$group_id":7,"$union":{"l":[1]}}]""")).Is(
            200, "1");

        Assert.Equal(
            [new StoredGroup(1, "company", "acme", """{"seats":5}"""), new StoredGroup(1, "team", "7", """{"l":[1]}""")],
            await mixpanel.Server.GroupsAsync());
        Assert.Empty(await mixpanel.Server.ProfilesAsync());
    }

    [Theory]
    [InlineData("""{"$token":"local","$group_key":"c","$group_id":"a","$add":{"a":1}}""", "$add")]
    [InlineData("""{"$token":"local","$group_key":"c","$group_id":"a","$append":{"a":1}}""", "$append")]
    [InlineData("""{"$token":"local","$group_id":"a","$set":{"a":1}}""", "$group_key")]
    [InlineData("""{"$token":"local","$group_key":"c","$set":{"a":1}}""", "$group_id")]
    [InlineData("""{"$token":"local","$group_key":"c","$group_id":"a","$distinct_id":"ada","$set":{"a":1}}""", "$distinct_id")]
    public async Task What_groups_do_not_have_is_refused(string record, string field)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.PostAsync("/groups?strict=1", $"[{record}]");

        Assert.Equal(field, answer.Json.GetProperty("failed_records")[0].GetProperty("field").GetString());
    }

    [Fact]
    public async Task Deep_nesting_is_refused_without_harm()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/engage", new string('[', 100_000))).Is(200, "0");
        (await mixpanel.PostAsync("/engage", Update($"{{\"$set\":{{\"a\":{new string('[', 40)}{new string(']', 40)}}}}}"))).Is(200, "1");
        Assert.Single(await mixpanel.Server.ProfilesAsync());
    }

    static string Update(string operation) => $"{{\"$token\":\"local\",\"$distinct_id\":\"ada\",\"$ignore_time\":true,{operation[1..]}";
}
