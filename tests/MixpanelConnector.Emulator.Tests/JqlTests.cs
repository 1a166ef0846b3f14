using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>JQL scripts over events and profiles.</summary>
public sealed class JqlTests
{
    const string Days = "from_date: '2026-08-30', to_date: '2026-09-01'";
    const string All = $"Events({{{Days}}})";

    /// <summary>The transformations, and their results for six events of three users, one of them with an empty id, and three profiles.</summary>
    [Theory]
    [InlineData("EVENTS.reduce(mixpanel.reducer.count())", "[6]")]
    [InlineData("Events({from_date: new Date('2026-08-31'), to_date: params.today}).reduce(mixpanel.reducer.count())", "[5]")]
    [InlineData("EVENTS.filter(e => e.properties.n > 100).reduce(mixpanel.reducer.count())", "[0]")]
    [InlineData("EVENTS.filter(e => e.name == 'Buy').map(e => [e.distinct_id, e.time, e.sampling_factor, e.properties.n])",
        """[["ada",1788134400000,1,1],["bob",1788220800000,1,2],["ada",1788256800000,1,4]]""")]
    [InlineData("EVENTS.groupBy(['name'], mixpanel.reducer.count())",
        """[{"key":["Visit"],"value":2},{"key":["Buy"],"value":3},{"key":["Leave"],"value":1}]""")]
    [InlineData("EVENTS.groupBy(['name', 'properties.city', e => e.properties.n > 2], mixpanel.reducer.count()).sortDesc('value').applyGroupLimits([2, 1], 1)",
        """[{"key":["Visit","Rome",false],"value":1}]""")]
    [InlineData("EVENTS.groupBy(['properties.tags'], mixpanel.reducer.count())",
        """[{"key":[null],"value":2},{"key":["a","b"],"value":1},{"key":["a"],"value":3}]""")]
    [InlineData("EVENTS.filter(e => e.properties.tags).groupBy(mixpanel.multiple_keys(['properties.tags']), mixpanel.reducer.count())",
        """[{"key":["a"],"value":4},{"key":["b"],"value":1}]""")]
    [InlineData("EVENTS.groupByUser(mixpanel.reducer.count())", """[{"key":["ada"],"value":3},{"key":["bob"],"value":2}]""")]
    [InlineData("EVENTS.groupByUser(['name'], mixpanel.reducer.null()).groupBy([mixpanel.slice('key', 1)], mixpanel.reducer.count())",
        """[{"key":["Visit"],"value":1},{"key":["Buy"],"value":2},{"key":["Leave"],"value":1}]""")]
    [InlineData("EVENTS.groupByUser((state, events) => (state || []).concat(events.map(e => e.properties.n)))",
        """[{"key":["ada"],"value":[0,1,4]},{"key":["bob"],"value":[2,3]}]""")]
    [InlineData("EVENTS.reduce([(before, items) => _.reduce(before, (a, b) => a + b, items.length), mixpanel.reducer.any()]).map(r => [r[0], r[1].name])",
        """[[6,"Visit"]]""")]
    [InlineData("EVENTS.map(e => ({v: e.properties.n})).sortAsc(x => -x.v).map(x => x.v)", "[5,4,3,2,1,0]")]
    [InlineData("EVENTS.map(e => e.properties.tags).flatten()", """[null,"a","b","a","a",null,"a"]""")]
    [InlineData("EVENTS.groupBy(['name'], mixpanel.reducer.count()).reduce(mixpanel.reducer.top(2))",
        """[[{"key":["Buy"],"value":3},{"key":["Visit"],"value":2}]]""")]
    [InlineData("EVENTS.reduce([mixpanel.reducer.sum('properties.n'), mixpanel.reducer.avg('properties.n'), mixpanel.reducer.min('properties.n'), "
        + "mixpanel.reducer.max('properties.city')])",
        "[[15,2.5,0,null]]")]
    [InlineData("EVENTS.reduce(mixpanel.reducer.numeric_summary('properties.n'))",
        """[{"count":6,"sum":15,"sum_squares":55,"avg":2.5,"stddev":1.707825127659933}]""")]
    [InlineData("EVENTS.reduce(mixpanel.reducer.numeric_summary(e => 1e9 + e.properties.n % 3)).map(r => [r.count, r.avg, r.stddev])",
        "[[6,1000000001,0.816496580927726]]")]
    [InlineData("EVENTS.groupByUser(mixpanel.reducer.numeric_summary(e => 1e15 + e.properties.n)).map(r => [r.key[0], r.value.stddev])",
        """[["ada",1.699673171197595],["bob",0.5]]""")]
    [InlineData("EVENTS.reduce(mixpanel.reducer.numeric_summary('properties.none'))", """[{"count":0,"sum":0,"sum_squares":0,"avg":null,"stddev":null}]""")]
    [InlineData("[(before, items) => mixpanel.reducer.numeric_summary('v')(before, items)].map(f => EVENTS.map(e => ({ v: "
        + "1e9 + e.properties.n % 3 })).reduce(f))[0].map(r => Math.round(r.deviations))",
        "[4]")]
    [InlineData("EVENTS.reduce([mixpanel.reducer.numeric_percentiles('properties.n', 50), mixpanel.reducer.numeric_percentiles('properties.n', [10, 99])])",
        """[[2,[{"percentile":10,"value":0},{"percentile":99,"value":5}]]]""")]
    [InlineData("EVENTS.reduce([mixpanel.reducer.min_by('properties.n'), mixpanel.reducer.max_by('properties.n')]).map(r => [r[0].name, r[1].name])",
        """[["Visit","Visit"]]""")]
    [InlineData("EVENTS.map(e => ({n: {[e.name]: 1}, last: e.name})).reduce(mixpanel.reducer.object_merge())",
        """[{"n":{"Visit":2,"Buy":3,"Leave":1},"last":"Visit"}]""")]
    [InlineData("EVENTS.groupBy([mixpanel.numeric_bucket('time', mixpanel.daily_time_buckets)], mixpanel.reducer.count())",
        """[{"key":[1788048000000],"value":1},{"key":[1788134400000],"value":1},{"key":[1788220800000],"value":4}]""")]
    [InlineData("EVENTS.groupBy([mixpanel.numeric_bucket('time', mixpanel.weekly_time_buckets), mixpanel.numeric_bucket('time', "
        + "mixpanel.monthly_time_buckets)], mixpanel.reducer.count())",
        """[{"key":[1787529600000,1785542400000],"value":1},{"key":[1788134400000,1785542400000],"value":1},{"key":[1788134400000,1788220800000],"value":4}]""")]
    [InlineData("EVENTS.groupBy([mixpanel.numeric_bucket('properties.n', [1, 3]), mixpanel.numeric_bucket('properties.n', {bucket_size: 4, offset: 1})], "
        + "mixpanel.reducer.count())",
        """[{"key":[null,-3],"value":1},{"key":[1,1],"value":2},{"key":[3,1],"value":2},{"key":[3,5],"value":1}]""")]
    [InlineData("People().reduce(mixpanel.reducer.sum(mixpanel.to_number('properties.joined')))", "[1788256800]")]
    [InlineData("People({user_selectors: [{selector: 'user[\"plan\"] == \"pro\"'}, {selector: 'properties[\"$distinct_id\"] == \"cy\"'}]}).map(u => "
        + "[u.distinct_id, u.properties.plan, u.last_seen])",
        """[["ada","pro",1788264000000],["cy",null,1788264000000]]""")]
    [InlineData("Events({DAYS, event_selectors: [{event: 'Buy', selector: 'properties[\"n\"] > 1', label: 'Bought more'}, {event: "
        + "'Leave'}]}).groupBy(['name'], mixpanel.reducer.count())",
        """[{"key":["Bought more"],"value":2},{"key":["Leave"],"value":1}]""")]
    [InlineData("Events({DAYS, event_selectors: []}).groupBy(['properties.a.b'], mixpanel.reducer.count())",
        """[{"key":[null],"value":5},{"key":["dotted"],"value":1}]""")]
    [InlineData("join(EVENTS, People()).map(t => [t.distinct_id, t.event && t.event.name, t.user && t.user.properties.plan])",
        """[["ada","Visit","pro"],["ada","Buy","pro"],["bob","Buy","free"],["bob","Leave","free"],["ada","Buy","pro"],[null,"Visit",null],["cy",null,null]]""")]
    [InlineData("join(EVENTS, People(), {type: 'left'}).reduce(mixpanel.reducer.count())", "[6]")]
    [InlineData("join(People(), EVENTS, {type: 'left'}).reduce(mixpanel.reducer.count())", "[6]")]
    [InlineData("join(EVENTS, People(), {type: 'inner', selectors: [{event: 'Buy', selector: 'user[\"plan\"] == \"pro\" and properties[\"n\"] > 1'}]}).map(t "
        + "=> t.event.properties.n)",
        "[4]")]
    [InlineData("join(EVENTS, People(), {type: 'right', selectors: [{selector: 'not defined(user[\"plan\"])'}]}).map(t => t.distinct_id)", """["cy"]""")]
    [InlineData("[new Date().toISOString(), params.nothing, NaN, [undefined], {a: undefined, b() {}}, new Date(0)]",
        """["2026-09-01T12:00:00.000Z",null,null,[null],{},"1970-01-01T00:00:00.000Z"]""")]
    [InlineData("[Array.from({length: 3}, (_, i) => i), Array.from('ab'), 'a-b'.split('-'), 'aXbX'.match(/[A-Z]/g), Object.keys({length: 2000000}), "
        + "Math.max.apply(null, [1, 3]), [3, 1].sort(), [...'xy']]",
        """[[0,1,2],["a","b"],["a","b"],["X","X"],["length"],3,[1,3],["x","y"]]""")]
    [InlineData("Events({DAYS}).groupBy([e => e.name == 'Buy' ? '1:a' : '1', e => e.name == 'Buy' ? 'b' : ':a1:b'], mixpanel.reducer.count())",
        """[{"key":["1",":a1:b"],"value":3},{"key":["1:a","b"],"value":3}]""")]
    [InlineData("[12345678901234567890, -0, 1e21, 0.1, '\\ud83d', 'é\"']", """[12345678901234567000,0,1e+21,0.1,"�","é\""]""")]
    public async Task Collections_are_what_the_documentation_makes_of_them(string expression, string answer)
    {
        await using var mixpanel = await WithDataAsync();

        (await RunAsync(mixpanel,
            $"function main() {{ return {expression.Replace("EVENTS", All, StringComparison.Ordinal).Replace("DAYS", Days, StringComparison.Ordinal)}; }}",
            """{"today":"2026-09-01"}""")).Is(
            200, answer);
    }

    [Fact]
    public async Task Functions_of_underscore_are_there()
    {
        await using var mixpanel = await WithDataAsync();
        const string Script =
            """
            function main() {
              list = [3, 1, 2];
              return [
                _.chain(list).sortBy().map(x => x * 2).value(), _(list).max(), _.groupBy(['a', 'bb', 'c'], 'length'), _.pluck([{a: 1}, {a: 2}], 'a'), _.uniq([1, 1, 2]),
                _.find(list, x => x < 3), _.where([{a: 1, b: 2}, {a: 2}], {a: 1}), _.pick({a: 1, b: 2}, 'b'), _.omit({a: 1, b: 2}, 'b'), _.range(1, 7, 2), _.isEqual({a: [1, {}]}, {a: [1, {}]}),
                _.reduce({a: 1, b: 2}, (sum, value, key) => sum + key + value, ''), _.zip([1, 2], ['a', 'b']), _.object(['a', 'b'], [1, 2]), _.countBy([1.2, 1.9, 2], Math.floor), _.isEmpty({})
              ];
            }
            """;

        (await RunAsync(mixpanel, Script)).Is(
            200,
            """[[2,4,6],3,{"1":["a","c"],"2":["bb"]},[1,2],[1,2],1,[{"a":1,"b":2}],{"b":2},{"a":1},[1,3,5],true,"a1b2",[[1,"a"],[2,"b"]],{"a":1,"b":2},{"1":2,"2":1},true]""");
    }

    [Fact]
    public async Task Scripts_of_other_clients_run_with_the_project_in_the_form_and_undeclared_variables()
    {
        await using var mixpanel = await WithDataAsync();
        const string Script =
            """
            function main() { var selectors = []; _.each(params.events, function (name) { selectors.push({event: name}); });
              return join(Events({from_date: params.from, to_date: params.to, event_selectors: selectors}), People(), {type: 'inner'})
                .groupByUser(['event.name'], mixpanel.reducer.count()).map(function (row) { found = {}; found[row.key[1]] = row.value; return {$distinct_id: row.key[0], value: found}; }); }
            """;
        var form = LocalMixpanel.Form(("script", Script), ("format", "json"), ("project_id", "1"),
            ("params", """{"from":"2026-08-30","to":"2026-09-01","events":["Buy"]}"""));

        (await mixpanel.SendAsync(HttpMethod.Post, "/api/2.0/jql", form, LocalMixpanel.Basic("local-secret", ""))).Is(
            200, """[{"$distinct_id":"ada","value":{"Buy":2}},{"$distinct_id":"bob","value":{"Buy":1}}]""");
    }

    [Fact]
    public async Task A_body_of_JSON_and_an_answer_in_CSV_are_taken_too()
    {
        await using var mixpanel = await WithDataAsync();
        var body = JsonSerializer.Serialize(
            new
            {
                script = $"function main() {{ return {All}.groupBy(['name'], [mixpanel.reducer.count(), mixpanel.reducer.any()]).map(r => ({{key: r.key, "
                + $"value: r.value[0], more: [r.value[1].properties.city, 'a,b']}})); }}",
                project_id = 1,
                format = "csv"
            });

        var answer = await mixpanel.SendAsync(HttpMethod.Post, "/api/query/jql", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Owner);

        answer.Is(200, "key.0,value,more.0,more.1\nVisit,2,Rome,\"a,b\"\nBuy,3,Rome,\"a,b\"\nLeave,1,Oslo,\"a,b\"\n");
        Assert.StartsWith("text/csv", answer.ContentType, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Times_and_days_are_those_of_the_project()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.SendAsync(HttpMethod.Post, "/emulator/projects", new StringContent("""{"name":"B","token":"b","timezone":"Asia/Tokyo"}"""), Owner);
        await mixpanel.ImportAsync(
            """[{"event":"x","properties":{"time":1788188400,"distinct_id":"a","$insert_id":"1"}},{"event":"x","properties":{"time":1788188399,"distinct_id":"a","$insert_id":"2"}}]""",
            "?strict=1&project_id=2");

        // Midnight in Tokyo, and a second before it.
        (await RunAsync(mixpanel,
            "function main() { return Events({from_date: '2026-09-01', to_date: '2026-09-01'}).map(e => [e.time, new Date(e.time).getHours()]); }",
            project: "2")).Is(
            200, "[[1788220800000,0]]");
    }

    [Theory]
    [InlineData("function main() { return [",
        "Uncaught exception SyntaxError: Unexpected end of input (line 1, column 27)\n  function main() { return [\n                            ^")]
    [InlineData("\nfunction main() {\n  return EVENTS.groupBy(['name'], mixpanel.reducer.count()).take(10);\n}", "Uncaught exception TypeError: ")]
    [InlineData("function main() { return nothing; }", "Uncaught exception ReferenceError: nothing is not defined (line 1, column 26)")]
    [InlineData("function main() { throw new Error('no'); }", "Uncaught exception Error: no (line 1")]
    [InlineData("function main() { throw 'a text'; }", "Uncaught exception Error: a text")]
    [InlineData("function main() { throw {a: 1}; }", "Uncaught exception Error: an object that is no Error was thrown")]
    [InlineData("x = 1", "the script must define a function main()")]
    [InlineData("function main() { return 5; }", "Uncaught exception TypeError: main() must return a collection")]
    [InlineData("function main() { return Events(); }", "Events: from_date: must not be missing")]
    [InlineData("function main() { return Events({from_date: '2026-09-02', to_date: '2026-09-01'}); }", "Events: to_date: must not be before from_date")]
    [InlineData("function main() { return Events({from_date: 'today', to_date: '2026-09-01'}); }", "Events: from_date: must be a date like 2026-01-31")]
    [InlineData("function main() { return Events({DAYS, limit: 5}); }", "Events: limit: is not known")]
    [InlineData("function main() { return Events({DAYS, event_selectors: [{event: 'x', selector: 'properties['}]}); }", "invalid selector: ")]
    [InlineData("function main() { return People({user_selectors: [{selector: 5}]}); }", "People: user_selectors[0].selector: must be text")]
    [InlineData("function main() { return join(EVENTS.map(e => e), People()); }", "Uncaught exception TypeError: join takes Events() and People() as they are")]
    [InlineData("function main() { return join(EVENTS, EVENTS); }", "join takes Events() and People()")]
    [InlineData("function main() { return join(EVENTS, People(), {type: 'outer'}); }", "join: type: must be full, left, right, inner")]
    [InlineData("function main() { return EVENTS.map(e => e).groupByUser(mixpanel.reducer.count()); }",
        "Uncaught exception TypeError: groupByUser can only be called on")]
    [InlineData("function main() { return EVENTS.groupBy(['properties'], mixpanel.reducer.count()); }",
        "Uncaught exception TypeError: a part of a group key can only be a scalar")]
    [InlineData("function main() { return EVENTS.reduce(_.times(9, mixpanel.reducer.count)); }",
        "Uncaught exception TypeError: reduce accepts at most 8 reducers")]
    [InlineData("function main() { return EVENTS.groupBy(['name']); }", "Uncaught exception TypeError: groupBy: a reducer must be a function")]
    [InlineData("function main() { var a = {}; a.a = a; return [a]; }", "a value nests deeper than 64 levels, or holds itself")]
    [InlineData("function main() { return [2n]; }", "BigInt is not available in scripts")]
    [InlineData("function main() { return [eval('1')]; }", "Uncaught exception TypeError: ")]
    public async Task A_mistake_is_told_with_its_place(string script, string error)
    {
        await using var mixpanel = await WithDataAsync();

        var answer = await RunAsync(mixpanel, script.Replace("EVENTS", All, StringComparison.Ordinal).Replace("DAYS", Days, StringComparison.Ordinal));

        Assert.True(answer.Status == 412 && answer.Json.GetProperty("error").GetString()!.StartsWith(error, StringComparison.Ordinal), answer.Text);
    }

    /// <summary>Scripts that need the time limit: the default for the first, a short one for the others, to save processor time.</summary>
    [Theory]
    [InlineData("while (true) { }", null)]
    [InlineData("function main() { while (true) { try { while (true) { } } catch (e) { } } }", 0.5)]
    [InlineData("var twice = [1]; for (var i = 0; i < 40; i++) twice = [twice, twice]; JSON.stringify(twice);", 0.5)]
    [InlineData("var twice = [1]; for (var i = 0; i < 40; i++) twice = [twice, twice]; twice.flat(Infinity);", 0.5)]
    [InlineData("function main() { return [{toJSON() { while (true) { } }}]; }", 0.5)]
    public async Task A_script_that_takes_too_long_is_ended_and_the_next_one_runs(string script, double? seconds)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(
            options => seconds is { } limit ? options with { LongestScript = TimeSpan.FromSeconds(limit) } : options);

        var answer = await RunAsync(mixpanel, script);

        Assert.True(answer.Status == 412, answer.Text);
        Assert.StartsWith("the script takes more than ", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal); // memory is the process's
        (await RunAsync(mixpanel, "function main() { return [1]; }")).Is(200, "[1]");
    }

    /// <summary>Scripts that would never end, or that exhaust the memory, in a loop or in a single step.</summary>
    [Theory]
    [InlineData("(async () => { while (true) await 0; })(); function main() { return [1]; }")]
    [InlineData("var all = []; while (true) all.push({number: all.length});")]
    [InlineData("var text = 'xxxxxxxxxxxxxxxx'; while (true) text += text;")]
    [InlineData("var all = []; while (true) all.push(new Array(100000).fill(1));")]
    [InlineData("new Array(1e9).fill(0);")]
    [InlineData("'x'.repeat(1e9);")]
    [InlineData("'x'.repeat(30000).replaceAll('x', 'y'.repeat(30000));")]
    [InlineData("new Array(900000).join('a long text between any two of many');")]
    [InlineData("var text = 'x'.repeat(1000000); text.concat(...new Array(1000).fill(text)); text.padEnd(1e9);")]
    [InlineData("new Uint8Array(1e9);")]
    [InlineData("var text = 'a'.repeat(5e6); text.match(/a/g);")]
    [InlineData("var text = 'a'.repeat(5e6); text.split('');")]
    [InlineData("var text = 'a'.repeat(5e6); [...text];")]
    [InlineData("var text = 'a'.repeat(5e6); new Set(text);")]
    [InlineData("var text = 'a'.repeat(5e6); Object.keys(text);")]
    [InlineData("var text = 'a'.repeat(5e6); Object.assign({}, text);")]
    [InlineData("var text = 'a'.repeat(5e6); /a/[Symbol.split](text);")]
    [InlineData("Array.from({length: 1e8});")]
    [InlineData("Array.from({length: 1e8}, (_, i) => i);")]
    [InlineData("Array.prototype.fill.call({length: 1e8}, 0);")]
    [InlineData("Array.prototype.slice.call({length: 1e8});")]
    [InlineData("Math.max.apply(null, {length: 1e8});")]
    [InlineData("Reflect.apply(Math.max, null, {length: 1e8});")]
    [InlineData("var all = []; all.push.apply(all, new Array(900000)); while (true) all.push.apply(all, all);")]
    [InlineData("var twice = [1]; for (var i = 0; i < 40; i++) twice = [twice, twice]; function main() { return [twice]; }")]
    [InlineData("var deep = []; for (var i = 0; i < 100000; i++) deep = [deep]; String(deep);")]
    [InlineData("function again() { return again(); } again();")]
    [InlineData("var self = new Proxy({}, {get: (target, name) => self[name]}); self.a;")]
    [InlineData("/^(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab');")]
    [InlineData("function main() { return EVENTS.map(e => new Array(90000).fill('x'.repeat(1000))); }")]
    [InlineData("function main() { return EVENTS.map(e => _.range(200000)).flatten().map(n => ({n: n})).sortDesc('n'); }")]
    public async Task A_script_that_takes_too_much_is_ended_and_the_next_one_runs(string script)
    {
        await using var mixpanel = await WithDataAsync();

        var answer = await RunAsync(mixpanel, script.Replace("EVENTS", All, StringComparison.Ordinal));

        Assert.True(answer.Status == 412, answer.Text);
        (await RunAsync(mixpanel, "function main() { return [1]; }")).Is(200, "[1]");
    }

    [Fact]
    public async Task Who_leaves_ends_the_script()
    {
        await using var mixpanel = await WithDataAsync();
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/query/jql?project_id=1")
        {
            Content = LocalMixpanel.Form(("script", "function main() { while (true) { try { while (true) { } } catch (e) { } } }")),
        };
        request.Headers.Authorization = Owner;
        var running = mixpanel.Http.SendAsync(request, leaving.Token);
        await mixpanel.GetAsync("/healthz");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        (await RunAsync(mixpanel, "function main() { return [1]; }")).Is(200, "[1]");
    }

    [Theory]
    [InlineData("", "", "missing required parameter: script")]
    [InlineData("x", "[1]", "invalid params: must be a JSON object")]
    [InlineData("x", "{", "invalid params: must be a JSON object")]
    public async Task A_request_without_a_script_or_with_other_parameters_is_refused(string script, string parameters, string error)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await RunAsync(mixpanel, script, parameters)).Is(400, $$"""{"request":"/api/query/jql?project_id=1","error":"{{error}}"}""");
    }

    static System.Net.Http.Headers.AuthenticationHeaderValue Owner => LocalMixpanel.Basic("local", "local");

    static Task<Answer> RunAsync(LocalMixpanel mixpanel, string script, string parameters = "", string project = "1") =>
        mixpanel.SendAsync(HttpMethod.Post, $"/api/query/jql?project_id={project}", LocalMixpanel.Form(("script", script), ("params", parameters)), Owner);

    static async Task<LocalMixpanel> WithDataAsync()
    {
        var mixpanel = await LocalMixpanel.StartAsync();
        // Not in order of time, and the first one twice.
        var imported = await mixpanel.ImportAsync(
            """
            [
              {"event":"Buy","properties":{"time":1788134400,"distinct_id":"ada","$insert_id":"2","n":1,"city":"Rome","tags":["a","b"]}},
              {"event":"Visit","properties":{"time":1788048000,"distinct_id":"ada","$insert_id":"1","n":0,"city":"Rome"}},
              {"event":"Visit","properties":{"time":1788048000,"distinct_id":"ada","$insert_id":"1","n":0,"city":"Rome"}},
              {"event":"Buy","properties":{"time":1788220800,"distinct_id":"bob","$insert_id":"3","n":2,"city":"Oslo","tags":["a"]}},
              {"event":"Leave","properties":{"time":1788224400,"distinct_id":"bob","$insert_id":"4","n":3,"city":"Oslo","tags":"a","a.b":"dotted"}},
              {"event":"Buy","properties":{"time":1788256800,"distinct_id":"ada","$insert_id":"5","n":4,"city":"Oslo"}},
              {"event":"Visit","properties":{"time":1788260400,"distinct_id":"","$insert_id":"6","n":5,"city":"Oslo","tags":["a"]}}
            ]
            """);
        Assert.True(imported.Status == 200, imported.Text);
        var updated = await mixpanel.PostAsync(
            "/engage?verbose=1",
            """
            [
              {"$token":"local","$distinct_id":"ada","$set":{"plan":"pro","joined":"2026-09-01T10:00:00"}},
              {"$token":"local","$distinct_id":"bob","$set":{"plan":"free","joined":"never"}},
              {"$token":"local","$distinct_id":"cy","$set":{"age":3}}
            ]
            """);
        Assert.Equal("""{"error":null,"status":1}""", updated.Text);
        return mixpanel;
    }
}
