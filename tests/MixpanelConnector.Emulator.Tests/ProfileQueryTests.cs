namespace MixpanelConnector.Emulator.Tests;

public sealed class ProfileQueryTests
{
    [Fact]
    public async Task All_profiles_are_found_with_all_their_properties()
    {
        await using var mixpanel = await WithProfilesAsync(2);

        var answer = await QueryAsync(mixpanel);

        Assert.Equal(200, answer.Status);
        var session = answer.Json.GetProperty("session_id").GetString();
        Assert.Matches("^[0-9]+-[A-Z]{6}$", session);
        Assert.Equal(
            $$$"""{"page":0,"page_size":1000,"session_id":"{{{session}}}","status":"ok","total":2,"results":[{"$distinct_id":"user-00","$properties":{"age":0,"price":0.10,"name":"\"ü\""}},{"$distinct_id":"user-01","$properties":{"age":1,"price":1.10,"name":"\"ü\""}}],"computed_at":"2026-09-01T12:00:00.000000+00:00"}""",
            answer.Text);
    }

    [Theory]
    [InlineData("/api/query/engage")]
    [InlineData("/api/2.0/engage")]
    public async Task A_query_may_be_a_GET_or_a_POST_under_both_names(string path)
    {
        await using var mixpanel = await WithProfilesAsync(2);

        var get = await mixpanel.GetAsync(path + "?project_id=1&distinct_id=user-01", LocalMixpanel.Basic("local", "local"));
        var post = await mixpanel.SendAsync(HttpMethod.Post, path + "?project_id=1", LocalMixpanel.Form(("distinct_id", "user-01")),
            LocalMixpanel.Basic("local", "local"));

        Assert.Equal("user-01", Ids(get));
        Assert.Equal("user-01", Ids(post));
    }

    [Theory]
    [InlineData("properties[\"age\"] >= 8", "user-08 user-09")]
    [InlineData("properties[\"$distinct_id\"] == \"user-03\"", "user-03")]
    [InlineData("not defined(properties[\"age\"])", "")]
    public async Task Only_profiles_for_which_where_holds_are_found(string where, string expected)
    {
        await using var mixpanel = await WithProfilesAsync(10);

        Assert.Equal(expected, Ids(await QueryAsync(mixpanel, ("where", where))));
    }

    [Fact]
    public async Task A_bad_where_is_refused_with_the_place_of_the_mistake()
    {
        await using var mixpanel = await WithProfilesAsync(1);

        var answer = await QueryAsync(mixpanel, ("where", "properties[\"a\"] =="));

        Assert.Equal(400, answer.Status);
        Assert.Equal("/api/query/engage?project_id=1", answer.Json.GetProperty("request").GetString());
        Assert.Matches("^invalid where: .* at position 19$", answer.Json.GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_where_that_fails_on_a_profile_is_refused()
    {
        await using var mixpanel = await WithProfilesAsync(1);

        var answer = await QueryAsync(mixpanel, ("where", "properties[\"age\"] and true"));

        Assert.Equal(400, answer.Status);
        Assert.StartsWith("invalid where: ", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_properties_asked_for_are_given()
    {
        await using var mixpanel = await WithProfilesAsync(1);

        var answer = await QueryAsync(mixpanel, ("output_properties", """["price","none"]"""));

        Assert.Contains("\"$properties\":{\"price\":0.10}", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("distinct_ids", """["user-07","user-02","nobody"]""", "user-02 user-07")]
    [InlineData("distinct_id", "user-07", "user-07")]
    [InlineData("distinct_id", "nobody", "")]
    public async Task Profiles_are_found_by_their_ids(string field, string value, string expected)
    {
        await using var mixpanel = await WithProfilesAsync(10);

        Assert.Equal(expected, Ids(await QueryAsync(mixpanel, (field, value))));
    }

    [Fact]
    public async Task Pages_neither_lose_nor_repeat_a_profile_while_others_come_and_go()
    {
        await using var mixpanel = await WithProfilesAsync(10);

        var first = await QueryAsync(mixpanel, ("page_size", "4"));
        var session = first.Json.GetProperty("session_id").GetString()!;
        await mixpanel.PostAsync("/engage",
            """[{"$token":"local","$distinct_id":"a-new-one","$set":{"a":1}},{"$token":"local","$distinct_id":"user-05","$delete":""}]""");
        var second = await QueryAsync(mixpanel, ("page", "1"), ("session_id", session));
        var third = await QueryAsync(mixpanel, ("page", "2"), ("session_id", session));
        var fourth = await QueryAsync(mixpanel, ("page", "3"), ("session_id", session));

        Assert.Equal("user-00 user-01 user-02 user-03", Ids(first));
        Assert.Equal("user-04 user-05 user-06 user-07", Ids(second));
        Assert.Equal("user-08 user-09", Ids(third));
        Assert.Equal("", Ids(fourth));
        Assert.All([first, second, third, fourth], page => Assert.Equal(10, page.Json.GetProperty("total").GetInt32()));
        Assert.Equal(4, second.Json.GetProperty("page_size").GetInt32());
    }

    [Theory]
    [InlineData("page", "1")]
    [InlineData("page", "-1")]
    [InlineData("page", "x")]
    [InlineData("output_properties", "a")]
    [InlineData("output_properties", "{}")]
    [InlineData("output_properties", "[1]")]
    [InlineData("distinct_ids", "[\"\\ud800\"]")]
    [InlineData("page_size", "0")]
    public async Task A_bad_parameter_is_refused(string field, string value)
    {
        await using var mixpanel = await WithProfilesAsync(1);

        var answer = await QueryAsync(mixpanel, (field, value));

        Assert.Equal(400, answer.Status);
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
    }

    [Theory]
    [InlineData("where", "properties[\"age\"] > 1", null)]
    [InlineData("page_size", "2", null)]
    [InlineData("where", "properties[\"age\"] >= 0", "where")]
    [InlineData("selector", "properties[\"age\"] > 1", "selector")]
    [InlineData("page_size", "3", "page_size")]
    [InlineData("page_size", "1000", "page_size")]
    [InlineData("distinct_ids", "[\"user-03\"]", "distinct_ids")]
    [InlineData("sort_key", "properties[\"age\"]", "sort_key")]
    [InlineData("as_of_timestamp", "1788264000", "as_of_timestamp")]
    public async Task A_page_may_repeat_the_parameters_of_its_session_but_not_change_them(string name, string value, string? refused)
    {
        await using var mixpanel = await WithProfilesAsync(5);
        var session = (await QueryAsync(mixpanel, ("where", "properties[\"age\"] > 1"), ("page_size", "2"))).Json.GetProperty("session_id").GetString()!;

        var answer = await QueryAsync(mixpanel, ("page", "1"), ("session_id", session), (name, value));

        if (refused is null)
            Assert.Equal(1, answer.Json.GetProperty("results").GetArrayLength());
        else
            Assert.Equal((400, $"invalid {refused}: must be the same as on the first page of the session"),
                (answer.Status, answer.Json.GetProperty("error").GetString()));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1")]
    public async Task A_page_of_an_unknown_session_is_refused(string page)
    {
        await using var mixpanel = await WithProfilesAsync(1);

        (await QueryAsync(mixpanel, ("page", page), ("session_id", "1-X")))
            .Is(400, """{"request":"/api/query/engage?project_id=1","error":"request for page in uncached query for params"}""");
    }

    [Theory]
    [InlineData("properties[\"x\"]", "ascending", "c b e f a d g")]
    [InlineData("properties[\"x\"]", "descending", "e f b c a d g")]
    [InlineData("properties[\"$distinct_id\"]", "descending", "g f e d c b a")]
    [InlineData("number(properties[\"x\"]) + 0", "ascending", "c b a d e f g")]
    public async Task Profiles_are_sorted_by_an_expression_and_those_without_a_value_come_last(string key, string order, string expected)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync(
            "/engage",
            """
            [{"$token":"local","$distinct_id":"a","$set":{"y":1}},{"$token":"local","$distinct_id":"b","$set":{"x":10}},{"$token":"local","$distinct_id":"c","$set":{"x":-2.5}},
            {"$token":"local","$distinct_id":"g","$set":{"y":1}},{"$token":"local","$distinct_id":"d","$set":{"x":null}},{"$token":"local","$distinct_id":"f","$set":{"x":"z"}},{"$token":"local","$distinct_id":"e","$set":{"x":"z"}}]
            """);

        Assert.Equal(expected, Ids(await QueryAsync(mixpanel, ("sort_key", key), ("sort_order", order))));
    }

    [Theory]
    [InlineData("sort_key", "properties[", "invalid sort_key: ")]
    [InlineData("sort_key", "properties[\"age\"] and true", "invalid sort_key: ")]
    [InlineData("sort_order", "up", "invalid sort_order: must be ascending, descending")]
    public async Task A_bad_order_is_refused(string field, string value, string error)
    {
        await using var mixpanel = await WithProfilesAsync(1);

        var answer = await QueryAsync(mixpanel, (field, value));

        Assert.Equal(400, answer.Status);
        Assert.StartsWith(error, answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LOVE", "1 2")]
    [InlineData("@example", "2")]
    [InlineData("user-3", "user-3")]
    [InlineData("pro", "")]
    public async Task A_search_looks_into_ids_names_and_addresses(string search, string expected)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync(
            "/engage",
            """[{"$token":"local","$distinct_id":"1","$set":{"$name":"Ada Lovelace"}},{"$token":"local","$distinct_id":"2","$set":{"$email":"love@example.com"}},{"$token":"local","$distinct_id":"user-3","$set":{"plan":"pro"}}]""");

        Assert.Equal(expected, Ids(await QueryAsync(mixpanel, ("search", search))));
        Assert.Equal("", Ids(await QueryAsync(mixpanel, ("search", search), ("where", "properties[\"$name\"] == \"nobody\""))));
    }

    [Fact]
    public async Task A_cohort_may_be_told_without_being_saved()
    {
        await using var mixpanel = await WithProfilesAsync(3);
        await mixpanel.ImportAsync($"[{mixpanel.Event(distinctId: "\"user-01\"")},{mixpanel.Event(distinctId: "\"stranger\"", insertId: "\"id-2\"")}]");
        const string came =
            """{"raw_cohort":{"behaviors":[{"name":"came","window":"30d","event_selectors":[{"event":"Signed up"}]}],"where":"behaviors[\"came\"] > 0"}}""";

        Assert.Equal("user-01 user-02", Ids(await QueryAsync(mixpanel, ("filter_by_cohort", """{"raw_cohort":{"where":"properties[\"age\"] > 0"}}"""))));
        Assert.Equal("stranger user-01", Ids(await QueryAsync(mixpanel, ("filter_by_cohort", came))));
        Assert.Equal("user-01", Ids(await QueryAsync(mixpanel, ("filter_by_cohort", came), ("include_all_users", "false"))));
        Assert.Equal(400, (await QueryAsync(mixpanel, ("filter_by_cohort", """{"raw_cohort":{"selector":"x"}}"""))).Status);
    }

    [Fact]
    public async Task Groups_are_queried_by_their_key()
    {
        await using var mixpanel = await WithProfilesAsync(1);
        await mixpanel.PostAsync("/groups", """{"$token":"local","$group_key":"company","$group_id":"acme","$set":{"seats":5}}""");

        Assert.Equal("acme", Ids(await QueryAsync(mixpanel, ("data_group_id", "company"), ("where", "properties[\"seats\"] == 5"))));
        Assert.Equal("", Ids(await QueryAsync(mixpanel, ("data_group_id", "team"))));
    }

    [Fact]
    public async Task Credentials_are_needed()
    {
        await using var mixpanel = await WithProfilesAsync(1);

        (await mixpanel.GetAsync("/api/query/engage?project_id=1")).Is(401, """{"request":"/api/query/engage?project_id=1","error":"Invalid credentials"}""");
        Assert.Equal(403, (await mixpanel.GetAsync("/api/query/engage?project_id=2", LocalMixpanel.Basic("local", "local"))).Status);
    }

    [Fact]
    public async Task Many_profiles_are_filtered_and_paged()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        for (var batch = 0; batch < 10; batch++)
        {
            var updates = Enumerable.Range(batch * 2000, 2000).Select(i =>
                $"{{\"$token\":\"local\",\"$distinct_id\":\"user-{i:D5}\",\"$set\":{{\"n\":{i},\"plan\":\"{(i % 2 == 0 ? "pro" : "free")}\"}}}}");
            (await mixpanel.PostAsync("/engage", $"[{string.Join(',', updates)}]")).Is(200, "1");
        }

        var ids = new List<string>();
        var session = "";
        for (var page = 0; ; page++)
        {
            var answer = await QueryAsync(mixpanel, ("where", "properties[\"plan\"] == \"pro\""), ("page", $"{page}"), ("session_id", session));
            session = answer.Json.GetProperty("session_id").GetString()!;
            var results = answer.Json.GetProperty("results");
            ids.AddRange(results.EnumerateArray().Select(result => result.GetProperty("$distinct_id").GetString()!));
            if (results.GetArrayLength() < answer.Json.GetProperty("page_size").GetInt32()) break;
        }

        Assert.True(ids.SequenceEqual(Enumerable.Range(0, 10_000).Select(i => $"user-{i * 2:D5}"), StringComparer.Ordinal));
    }

    static string Ids(Answer answer)
    {
        Assert.Equal(200, answer.Status);
        return string.Join(' ', answer.Json.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("$distinct_id").GetString()));
    }

    static Task<Answer> QueryAsync(LocalMixpanel mixpanel, params (string Name, string Value)[] fields) =>
        mixpanel.SendAsync(HttpMethod.Post, "/api/query/engage?project_id=1", LocalMixpanel.Form(fields), LocalMixpanel.Basic("local", "local"));

    static async Task<LocalMixpanel> WithProfilesAsync(int count)
    {
        var mixpanel = await LocalMixpanel.StartAsync();
        var updates = Enumerable.Range(0, count).Reverse().Select(i =>
            $$$"""{"$token":"local","$distinct_id":"user-{{{i:D2}}}","$ignore_time":true,"$set":{"age":{{{i}}},"price":{{{i}}}.10,"name":"\"ü\""}}""");
        await mixpanel.PostAsync("/engage", $"[{string.Join(',', updates)}]");
        return mixpanel;
    }
}
