using System.Globalization;

#pragma warning disable MA0002 // names in an answer compare by their characters
namespace MixpanelConnector.Emulator.Tests.Reports;

public sealed class ReportTests
{
    const string TheDay = "from_date=2026-09-01&to_date=2026-09-01";

    [Fact]
    public async Task Counts_are_given_by_event_and_unit()
    {
        await using var mixpanel = await WithAsync(("A", 0, "ada", ""), ("A", 0, "ada", ""), ("B", 24, "bob", ""));

        (await AskAsync(mixpanel, """events?event=["A","B"]&type=general&unit=day&interval=2""")).Is(200,
            """{"data":{"series":["2026-08-31","2026-09-01"],"values":{"A":{"2026-08-31":0,"2026-09-01":2},"B":{"2026-08-31":1,"2026-09-01":0}}},"legend_size":2}""");
        (await AskAsync(mixpanel, """events?event=["A"]&type=unique&unit=week&from_date=2026-08-30&to_date=2026-09-01""")).Is(200,
            """{"data":{"series":["2026-08-24","2026-08-31"],"values":{"A":{"2026-08-24":0,"2026-08-31":1}}},"legend_size":1}""");
        (await AskAsync(mixpanel, """events?event=["A"]&type=average&unit=month&interval=1""")).Is(200,
            """{"data":{"series":["2026-09-01"],"values":{"A":{"2026-09-01":2}}},"legend_size":1}""");
        var csv = await AskAsync(mixpanel, """events?event=["A","B"]&type=general&unit=day&interval=1&format=csv""");
        csv.Is(200, "date,A\n2026-09-01,2\n");
        Assert.Equal("text/csv; charset=utf-8", csv.ContentType);
    }

    [Fact]
    public async Task The_names_of_a_month_come_with_the_most_common_first()
    {
        await using var mixpanel = await WithAsync(("rare", 0, "a", ""), ("often", 0, "a", ""), ("often", 1, "a", ""), ("old", 40 * 24, "a", ""));

        (await AskAsync(mixpanel, "events/names?type=general")).Is(200, """["often","rare"]""");
        (await AskAsync(mixpanel, "events/names?type=general&limit=1")).Is(200, """["often"]""");
    }

    [Fact]
    public async Task Todays_events_are_compared_with_yesterdays()
    {
        await using var mixpanel = await WithAsync(
            ("less", 0, "a", ""), ("less", 24, "a", ""), ("less", 25, "a", ""), ("new", 0, "a", ""), ("new", 1, "b", ""), ("gone", 24, "a", ""));

        (await AskAsync(mixpanel, "events/top?type=general")).Is(200,
            """{"events":[{"amount":2,"event":"new","percent_change":1},{"amount":1,"event":"less","percent_change":-0.5}],"type":"general"}""");
    }

    [Fact]
    public async Task Properties_and_their_values_are_counted()
    {
        await using var mixpanel = await WithAsync(
            ("A", 0, "ada", "\"plan\":\"pro\",\"n\":1"), ("A", 1, "ada", "\"plan\":\"free\""), ("A", 2, "bob", "\"plan\":\"pro\",\"ok\":true"),
            ("B", 0, "bob", "\"plan\":\"x\""));

        (await AskAsync(mixpanel, $"events/properties?event=A&name=plan&type=general&unit=day&{TheDay}")).Is(200,
            """{"data":{"series":["2026-09-01"],"values":{"pro":{"2026-09-01":2},"free":{"2026-09-01":1}}},"legend_size":2}""");
        (await AskAsync(mixpanel, $"""events/properties?event=A&name=plan&values=["free"]&type=unique&unit=day&{TheDay}""")).Is(200,
            """{"data":{"series":["2026-09-01"],"values":{"free":{"2026-09-01":1}}},"legend_size":1}""");
        (await AskAsync(mixpanel, "events/properties/values?event=A&name=plan")).Is(200, """["pro","free"]""");
        (await AskAsync(mixpanel, "events/properties/values?event=A&name=ok")).Is(200, """["true"]""");
        var top = (await AskAsync(mixpanel, "events/properties/top?event=A&limit=100")).Json;
        Assert.Equal(3, top.GetProperty("plan").GetProperty("count").GetInt32());
        Assert.Equal(1, top.GetProperty("n").GetProperty("count").GetInt32());
        Assert.Single((await AskAsync(mixpanel, "events/properties/top?event=A&limit=1")).Json.EnumerateObject());
    }

    [Fact]
    public async Task Expressions_may_join_the_users_profile()
    {
        await using var mixpanel =
            await WithAsync(("A", 0, "ada", "\"country\":\"US\""), ("A", 0, "bob", "\"country\":\"US\""), ("A", 0, "ada", "\"country\":\"DE\""));
        await mixpanel.PostAsync("/engage",
            """[{"$token":"local","$distinct_id":"ada","$set":{"age":31}},{"$token":"local","$distinct_id":"bob","$set":{"age":30}}]""");

        (await AskAsync(mixpanel, $"segmentation?event=A&{TheDay}&where=properties[\"country\"] == \"US\" and user[\"age\"] > 30")).Is(200,
            """{"data":{"series":["2026-09-01"],"values":{"A":{"2026-09-01":1}}},"legend_size":1}""");
        (await AskAsync(mixpanel, $"segmentation?event=A&{TheDay}&on=user[\"age\"]")).Is(200,
            """{"data":{"series":["2026-09-01"],"values":{"31":{"2026-09-01":2},"30":{"2026-09-01":1}}},"legend_size":2}""");
    }

    [Fact]
    public async Task An_interval_groups_days_and_a_limit_keeps_the_largest_segments()
    {
        await using var mixpanel = await WithAsync(("A", 0, "a", "\"s\":\"x\""), ("A", 24, "a", "\"s\":\"x\""), ("A", 48, "b", "\"s\":\"y\""));

        (await AskAsync(mixpanel, "segmentation?event=A&type=unique&interval=2&on=properties[\"s\"]&limit=1&from_date=2026-08-30&to_date=2026-09-01")).Is(200,
            """{"data":{"series":["2026-08-30","2026-09-01"],"values":{"x":{"2026-08-30":1,"2026-09-01":1}}},"legend_size":1}""");
    }

    [Fact]
    public async Task Sums_and_averages_take_what_is_no_number_for_nought()
    {
        await using var mixpanel = await WithAsync(("A", 0, "a", "\"n\":1.5"), ("A", 1, "a", "\"n\":\"2\""), ("A", 2, "a", "\"n\":3"));

        (await AskAsync(mixpanel, $"segmentation/sum?event=A&on=properties[\"n\"]&{TheDay}")).Is(200,
            """{"status":"ok","computed_at":"2026-09-01T12:00:00.000000+00:00","results":{"2026-09-01":4.5}}""");
        (await AskAsync(mixpanel, $"segmentation/average?event=A&on=properties[\"n\"]&{TheDay}")).Is(200, """{"status":"ok","results":{"2026-09-01":1.5}}""");
        (await AskAsync(mixpanel, $"segmentation/numeric?event=A&on=number(properties[\"n\"]) * 1000&{TheDay}")).Is(200,
            """{"data":{"series":["2026-09-01"],"values":{"1,400 - 1,600":{"2026-09-01":1},"2,000 - 2,200":{"2026-09-01":1},"3,000 - 3,200":{"2026-09-01":1}}},"legend_size":3}""");
    }

    [Fact]
    public async Task The_stream_shows_what_users_did_in_order()
    {
        await using var mixpanel = await WithAsync(("late", 0, "ada", ""), ("early", 2, "ada", "\"n\":1.0"), ("other", 1, "bob", ""));

        var answer = await AskAsync(mixpanel, $"""stream/query?distinct_ids=["ada"]&{TheDay}""");

        Assert.Equal("ok", answer.Json.GetProperty("status").GetString());
        var events = answer.Json.GetProperty("results").GetProperty("events").EnumerateArray().ToList();
        Assert.Equal(["early", "late"], events.Select(e => e.GetProperty("event").GetString()));
        Assert.Equal(mixpanel.Now - 7260, events[0].GetProperty("properties").GetProperty("time").GetInt64());
        Assert.Equal("ada", events[0].GetProperty("properties").GetProperty("distinct_id").GetString());
        Assert.Equal("1.0", events[0].GetProperty("properties").GetProperty("n").GetRawText());
        Assert.Equal("id-1", events[0].GetProperty("properties").GetProperty("$insert_id").GetString());
    }

    [Fact]
    public async Task Saved_reports_are_counted_anew()
    {
        await using var mixpanel = await WithAsync(("A", 0, "a", "\"s\":\"x\""), ("A", 24, "a", ""), ("B", 0, "b", "\"s\":\"x\""));
        var plain = await SaveAsync(mixpanel, "reports", """{"name":"r","events":["A","B"],"last":2}""");
        var split =
            await SaveAsync(mixpanel, "reports", """{"name":"r","events":["A"],"on":"properties[\"s\"]","from_date":"2026-09-01","to_date":"2026-09-01"}""");

        (await AskAsync(mixpanel, $"insights?bookmark_id={plain}")).Is(200,
            """{"computed_at":"2026-09-01T12:00:00.000000+00:00","date_range":{"from_date":"2026-08-31T00:00:00+00:00","to_date":"2026-09-01T23:59:59.999000+00:00"},"headers":["$event"],"series":{"A":{"2026-08-31T00:00:00+00:00":1,"2026-09-01T00:00:00+00:00":1},"B":{"2026-08-31T00:00:00+00:00":0,"2026-09-01T00:00:00+00:00":1}}}""");
        Assert.Equal(
            """{"A":{"x":{"2026-09-01T00:00:00+00:00":1}}}""",
            (await AskAsync(mixpanel, $"insights?bookmark_id={split}")).Json.GetProperty("series").GetRawText());
        Assert.Equal(404, (await AskAsync(mixpanel, "insights?bookmark_id=99")).Status);
    }

    [Fact]
    public async Task Retention_is_split_by_the_event_with_which_users_come_back()
    {
        await using var mixpanel = await WithAsync(
            ("A", 9, "a", "\"s\":\"not asked\""), ("B", 8, "a", "\"s\":\"x\""), ("B", 7, "a", "\"s\":\"y\""), ("B", 6, "a", "\"s\":\"x\""),
            ("A", 9, "b", ""), ("B", 5, "b", "\"s\":\"x\""), ("A", 9, "c", ""), ("B", 4, "c", ""), ("A", 9, "d", ""));

        (await AskAsync(mixpanel, $"retention?born_event=A&event=B&interval_count=0&on=properties[\"s\"]&{TheDay}")).Is(200,
            """{"2026-09-01":{"$overall":{"counts":[3],"first":4},"x":{"counts":[2],"first":4},"undefined":{"counts":[1],"first":4},"y":{"counts":[1],"first":4}}}""");
        (await AskAsync(mixpanel, $"retention?born_event=A&event=B&interval_count=0&on=properties[\"s\"]&limit=1&{TheDay}")).Is(200,
            """{"2026-09-01":{"$overall":{"counts":[3],"first":4},"x":{"counts":[2],"first":4}}}""");
    }

    [Fact]
    public async Task Frequency_is_split_by_segment()
    {
        await using var mixpanel =
            await WithAsync(("A", 9, "a", "\"s\":\"x\""), ("A", 8, "a", "\"s\":\"y\""), ("A", 7, "a", "\"s\":\"x\""), ("A", 9, "b", "\"s\":\"x\""));

        var day = (await AskAsync(mixpanel, $"retention/addiction?unit=day&addiction_unit=hour&on=properties[\"s\"]&{TheDay}")).Json.GetProperty("data")
            .GetProperty("2026-09-01");
        Assert.Equal(["$overall", "x", "y"], day.EnumerateObject().Select(segment => segment.Name));
        Assert.Equal([[2, 1, 1, 0], [2, 1, 0, 0], [1, 0, 0, 0]],
            day.EnumerateObject().Select(segment => segment.Value.EnumerateArray().Take(4).Select(count => count.GetInt32()).ToArray()));
        Assert.All(day.EnumerateObject(), segment => Assert.Equal(24, segment.Value.GetArrayLength()));
    }

    [Fact]
    public async Task Saved_funnels_are_listed_and_split_by_segment()
    {
        await using var mixpanel = await WithAsync(("A", 3, "a", "\"s\":\"x\""), ("B", 2, "a", ""), ("A", 1, "b", "\"s\":\"y\""));
        var id = await SaveAsync(mixpanel, "funnels", """{"name":"Signup funnel","steps":[{"event":"A"},{"event":"B","label":"Bought"}],"length":1}""");

        (await AskAsync(mixpanel, "funnels/list")).Is(200, $$"""[{"funnel_id":{{id}},"name":"Signup funnel"}]""");
        (await AskAsync(mixpanel, $"funnels?funnel_id={id}&{TheDay}")).Is(200,
            """{"meta":{"dates":["2026-09-01"]},"data":{"2026-09-01":{"steps":[{"count":2,"goal":"A","step_conv_ratio":1,"overall_conv_ratio":1,"avg_time":null,"avg_time_from_start":0,"event":"A","step_label":"A"},{"count":1,"goal":"B","step_conv_ratio":0.5,"overall_conv_ratio":0.5,"avg_time":3600,"avg_time_from_start":3600,"event":"B","step_label":"Bought"}],"analysis":{"completion":1,"starting_amount":2,"steps":2,"worst":1}}}}""");
        var split = (await AskAsync(mixpanel, $"funnels?funnel_id={id}&{TheDay}&on=properties[\"s\"]")).Json.GetProperty("data").GetProperty("2026-09-01");
        Assert.Equal(["$overall", "x", "y"], split.EnumerateObject().Select(segment => segment.Name));
        Assert.Equal([1, 1], split.GetProperty("x").EnumerateArray().Select(step => step.GetProperty("count").GetInt32()));
        Assert.Equal([1, 0], split.GetProperty("y").EnumerateArray().Select(step => step.GetProperty("count").GetInt32()));
        Assert.Equal(404, (await AskAsync(mixpanel, $"funnels?funnel_id=99&{TheDay}")).Status);
    }

    [Fact]
    public async Task Cohorts_are_listed_and_filter_profiles()
    {
        await using var mixpanel =
            await WithAsync(("Bought", 24, "ada", ""), ("Bought", 48, "ada", ""), ("Bought", 24, "ghost", ""), ("Bought", 31 * 24, "bob", ""));
        await mixpanel.PostAsync("/engage",
            """[{"$token":"local","$distinct_id":"ada","$set":{"x":1}},{"$token":"local","$distinct_id":"bob","$set":{"x":2}}]""");
        var id = await SaveAsync(mixpanel, "cohorts",
            """{"name":"Buyers","description":"d","where":"behaviors[\"b\"] > 0","behaviors":[{"window":"30d","name":"b","event_selectors":[{"event":"Bought"}]}]}""");

        (await mixpanel.SendAsync(HttpMethod.Post, "/api/query/cohorts/list?project_id=1", authorization: LocalMixpanel.Basic("local", "local"))).Is(200,
            $$"""[{"count":2,"is_visible":1,"description":"d","created":"2026-09-01 12:00:00","project_id":1,"id":{{id}},"name":"Buyers"}]""");
        string Ids(Answer answer) =>
            string.Join(' ', answer.Json.GetProperty("results").EnumerateArray().Select(profile => profile.GetProperty("$distinct_id").GetString()));
        Assert.Equal("ada ghost", Ids(await AskAsync(mixpanel, $$"""engage?filter_by_cohort={"id":{{id}}}""")));
        Assert.Equal("ada", Ids(await AskAsync(mixpanel, $$"""engage?filter_by_cohort={"id":{{id}}}&include_all_users=false""")));
        Assert.Equal("ada",
            Ids(await AskAsync(mixpanel,
                """engage?where=behaviors["b"] >= 2&behaviors=[{"window":"30d","name":"b","event_selectors":[{"event":"Bought"}]}]""")));
        Assert.Equal(404, (await AskAsync(mixpanel, """engage?filter_by_cohort={"id":99}""")).Status);
        Assert.Equal(400, (await AskAsync(mixpanel, "engage?behaviors=[1]")).Status);
    }

    [Theory]
    [InlineData("events?type=general&unit=day&interval=1", "missing required parameter: event")]
    [InlineData("events?event=[\"A\"]&unit=day&interval=1", "missing required parameter: type")]
    [InlineData("events?event=[\"A\"]&type=general&interval=1", "missing required parameter: unit")]
    [InlineData("events?event=[\"A\"]&type=general&unit=day", "missing required parameter: from_date")]
    [InlineData("events?event=[\"A\"]&type=general&unit=year&interval=1", "invalid unit: must be minute, hour, day, week, month")]
    [InlineData("events?event=[\"A\"]&type=unique&unit=hour&interval=1", "invalid unit: uniques are counted by day, week or month")]
    [InlineData("events?event=A&type=general&unit=day&interval=1", "invalid event: must be a JSON array of strings")]
    [InlineData("events/names", "missing required parameter: type")]
    [InlineData("events/top?type=median", "invalid type: must be general, unique, average")]
    [InlineData("events/properties/values?event=A", "missing required parameter: name")]
    [InlineData("segmentation?event=A&from_date=2026-09-01", "missing required parameter: to_date")]
    [InlineData("segmentation?event=A&unit=week&" + TheDay, "invalid unit: must be minute, hour, day, month")]
    [InlineData("segmentation?event=A&limit=10001&" + TheDay, "invalid limit: must be an integer from 1 to 10000")]
    [InlineData("segmentation?event=A&on=(&" + TheDay, "invalid on: expected a value at position 2")]
    [InlineData("segmentation/sum?event=A&" + TheDay, "missing required parameter: on")]
    [InlineData("segmentation?event=A&unit=minute&from_date=2020-01-01&to_date=2026-09-01",
        "the range has more than 20000 units: choose a larger unit or a shorter range")]
    [InlineData("funnels?" + TheDay, "missing required parameter: funnel_id")]
    [InlineData("retention?" + TheDay, "missing required parameter: born_event")]
    [InlineData("retention?born_event=A&interval=91&" + TheDay, "invalid interval: must be an integer from 1 to 90")]
    [InlineData("retention/addiction?addiction_unit=hour&" + TheDay, "missing required parameter: unit")]
    [InlineData("retention/addiction?unit=day&" + TheDay, "missing required parameter: addiction_unit")]
    [InlineData("insights", "missing required parameter: bookmark_id")]
    [InlineData("stream/query?" + TheDay, "missing required parameter: distinct_ids")]
    public async Task A_bad_parameter_is_refused(string query, string error)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await AskAsync(mixpanel, query);

        Assert.Equal(400, answer.Status);
        Assert.Equal(error, answer.Json.GetProperty("error").GetString());
        Assert.StartsWith("/api/query/", answer.Json.GetProperty("request").GetString(), StringComparison.Ordinal);
    }

    /// <summary>With events that happened the given hours and one minute before now.</summary>
    static async Task<LocalMixpanel> WithAsync(params (string Name, int HoursAgo, string User, string More)[] events)
    {
        var mixpanel = await LocalMixpanel.StartAsync();
        var sent = events.Select((e, i) => mixpanel.Event(
            $"\"{e.Name}\"", (mixpanel.Now - 60 - (3600 * e.HoursAgo)).ToString(CultureInfo.InvariantCulture), $"\"{e.User}\"", $"\"id-{i}\"",
            e.More == "" ? null : e.More));
        var answer = await mixpanel.ImportAsync($"[{string.Join(',', sent)}]");
        Assert.True(answer.Status == 200, answer.Text);
        return mixpanel;
    }

    static async Task<int> SaveAsync(LocalMixpanel mixpanel, string kind, string json)
    {
        var answer = await mixpanel.SendAsync(HttpMethod.Post, $"/emulator/projects/1/{kind}", new StringContent(json), LocalMixpanel.Basic("local", "local"));
        Assert.True(answer.Status == 201, answer.Text);
        return answer.Json.GetProperty("results").GetProperty("id").GetInt32();
    }

    static Task<Answer> AskAsync(LocalMixpanel mixpanel, string query) =>
        mixpanel.GetAsync($"/api/query/{query}{(query.Contains('?', StringComparison.Ordinal) ? '&' : '?')}project_id=1",
            LocalMixpanel.Basic("local", "local"));
}
