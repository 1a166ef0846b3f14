using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

public class ImportEventsTests
{
    /// <summary>Accepts whatever arrives.</summary>
    static Answer Accept(RecordedRequest request) => Answer.Json(Given.Imported(request.Json.GetArrayLength()));

    static string Refusal(int imported, params int[] indexes) =>
        $$"""{"code":400,"error":"some data points in the request failed validation","failed_records":[{{string.Join(',', indexes.Select(i => $$$"""{"index":{{{i}}},"insert_id":"x","field":"properties.time","message":"bad {{{i}}}"}"""))}}],"num_records_imported":{{imported}},"status":"Bad Request"}""";

    [Fact]
    public async Task Shared_properties_fill_in_and_an_events_own_value_wins()
    {
        await using var server = await RecordingServer.StartAsync(Accept);
        using var client = new MixpanelClient(Given.Account().At(server));

        Given.JsonEqual("""{"status":"OK","num_records_imported":2}""", await client.CallAsync("import_events", """
            {"strict":"1","events":[{"event":"a","properties":{"plan":null,"$insert_id":"1"}},{"event":"b","properties":{"$insert_id":"2"}}],
             "properties":{"plan":"pro","nested":{"x":[1]},"ip":0}}
            """));

        Assert.Equal(
            """[{"event":"a","properties":{"plan":null,"$insert_id":"1","nested":{"x":[1]},"ip":0}},{"event":"b","properties":{"$insert_id":"2","plan":"pro","nested":{"x":[1]},"ip":0}}]""",
            server.Request.Text);
    }

    [Fact]
    public async Task Numbers_and_texts_arrive_as_they_were_written()
    {
        const string Properties = """{"$insert_id":"1","a":1.10,"b":12345678901234567890,"c":1e2,"d":-0,"e":0.1e-7,"f":1.0,"text":"ü 😀 \u0000 \" \\ / é 日本 <>&'+","ключ":[true,null]}""";
        await using var server = await RecordingServer.StartAsync(Accept);
        using var client = new MixpanelClient(Given.Account().At(server));

        await client.CallAsync("import_events", $$$"""{"strict":"1","events":[{"event":"Æ 😀","properties":{{{Properties}}}}],"properties":{"g":2.50}}""");

        var sent = server.Request.Json[0];
        Assert.Equal("Æ 😀", sent.GetProperty("event").GetString());
        foreach (var (name, number) in (KeyValuePair<string, string>[])
        [
            new("a", "1.10"),
            new("b", "12345678901234567890"),
            new("c", "1e2"),
            new("d", "-0"),
            new("e", "0.1e-7"),
            new("f", "1.0"),
            new("g", "2.50"),
        ])
            Assert.Equal(number, sent.GetProperty("properties").GetProperty(name).GetRawText());
        Assert.Equal(JsonElement.Parse(Properties).GetProperty("text").GetString(), sent.GetProperty("properties").GetProperty("text").GetString());
        Assert.Equal("[true,null]", sent.GetProperty("properties").GetProperty("ключ").GetRawText());
    }

    [Fact]
    public async Task A_missing_insert_id_is_the_same_in_every_call_and_another_for_each_event()
    {
        await using var server = await RecordingServer.StartAsync(Accept);
        using var client = new MixpanelClient(Given.Account().At(server));
        const string Input = """{"strict":"1","events":["a","a",{"event":"a"},{"event":"a","properties":{"x":1}},{"event":"a","properties":{"$insert_id":"mine"}}],"properties":{"time":1}}""";

        await client.CallAsync("import_events", Input);
        await client.CallAsync("import_events", Input);

        var ids = server.Requests[0].Json.EnumerateArray().Select(e => e.GetProperty("properties").GetProperty("$insert_id").GetString()!).ToArray();
        Assert.Equal(5, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal("mine", ids[4]);
        Assert.All(ids, id => Assert.Matches("^[0-9a-zA-Z-]{1,36}$", id));
        Assert.Equal(server.Requests[0].Body, server.Requests[1].Body);
    }

    [Fact]
    public async Task Shared_properties_that_would_swell_the_events_are_refused_before_anything_is_built()
    {
        await using var server = await RecordingServer.StartAsync(Accept);
        using var client = new MixpanelClient(Given.Account().At(server));
        var shared = $$"""{"text":"{{new string('x', 1_000_000)}}"}""";

        var error = (await Given.FailsAsync(() => client.CallAsync("import_events",
            $$"""{"strict":"1","events":[{{string.Join(',', Enumerable.Repeat("\"a\"", 20_000))}}],"properties":{{shared}} }"""))).Error;

        Assert.Equal((ErrorKind.InvalidInput, "properties"), (error.Kind, error.Field));
        Assert.Contains("20000 events", error.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_caller_that_leaves_ends_the_call_before_the_next_chunk_is_built()
    {
        using var stop = new CancellationTokenSource();
        await using var server = await RecordingServer.StartAsync(request =>
        {
            stop.Cancel();
            return Accept(request);
        });
        using var client = new MixpanelClient(Given.Account().At(server));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await client.ImportEventsAsync(Given.Import(Given.Events(10_000)), stop.Token));

        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Events_go_in_chunks_of_2000_and_their_failures_keep_their_place()
    {
        await using var server =
            await RecordingServer.StartAsync(request => request.Json.GetArrayLength() == 500 ? Answer.Json(Refusal(498, 499, 0), 400) : Accept(request));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.ImportEventsAsync(Given.Import(Given.Events(4500)));

        Assert.Equal("2000 2000 500", string.Join(' ', server.Requests.Select(request => request.Json.GetArrayLength())));
        Assert.Equal(("Bad Request", 4498), (output.Status, output.NumRecordsImported));
        Assert.Equal([4000, 4499], output.FailedRecords!.Select(record => record.Index));
        Assert.Equal("bad 499", output.FailedRecords![1].Message);
        Assert.Contains("some data points", output.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_request_is_larger_than_ten_megabytes()
    {
        await using var server = await RecordingServer.StartAsync(Accept);
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.ImportEventsAsync(Given.Import(Given.Events(25, new string('x', 999_000))));

        Assert.Equal(("OK", 25), (output.Status, output.NumRecordsImported));
        Assert.Equal("10 10 5", string.Join(' ', server.Requests.Select(request => request.Json.GetArrayLength())));
        Assert.All(server.Requests, request => Assert.InRange(request.Content.Length, 1, 10_000_000));
    }

    [Fact]
    public async Task A_chunk_may_be_ten_megabytes_to_the_byte()
    {
        await using var server = await RecordingServer.StartAsync(Accept);
        using var client = new MixpanelClient(Given.Account().At(server));
        var frame = """[{"event":"x","properties":{"$insert_id":"0","p":""}},{"event":"x","properties":{"$insert_id":"1","p":""}}]""".Length;
        EventData Of(int id, int padding) => Given.Event("x", $$"""{"$insert_id":"{{id}}","p":"{{new string('x', padding)}}"}""");
        var half = (10_000_000 - frame) / 2;

        await client.ImportEventsAsync(Given.Import(Of(0, half), Of(1, 10_000_000 - frame - half)));
        await client.ImportEventsAsync(Given.Import(Of(0, half), Of(1, 10_000_000 - frame - half + 1)));

        Assert.Equal(10_000_000, server.Requests[0].Content.Length);
        Assert.Equal("2 1 1", string.Join(' ', server.Requests.Select(request => request.Json.GetArrayLength())));
    }

    [Fact]
    public async Task Something_else_that_refuses_every_event_in_mixpanels_place_is_not_asked_about_each()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("<html>blocked</html>", 400));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.ImportEventsAsync(Given.Import(Given.Events(2000))))).Error;

        Assert.Equal(ErrorKind.Protocol, error.Kind);
        Assert.Contains("another server responds in its place", error.Message, StringComparison.Ordinal);
        Assert.InRange(server.Requests.Count, 20, 60);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    public async Task Something_else_in_mixpanels_place_refuses_no_events(int events)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("<html>blocked</html>", 400));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(client.ImportEventsAsync(Given.Import(Given.Events(events))))).Error.Kind);
    }

    [Fact]
    public async Task A_firewall_that_blocks_a_few_events_is_worked_around()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Text.Contains("Blocked", StringComparison.Ordinal) ? Answer.Plain("blocked", 400) : Accept(request));
        using var client = new MixpanelClient(Given.Account().At(server));
        var events = Enumerable.Range(0, 100).Select(n => Given.Event(n % 4 == 0 ? "Blocked" : "E", $$"""{"$insert_id":"{{n}}"}"""));

        var output = await client.ImportEventsAsync(Given.Import([.. events]));

        Assert.Equal((75, 25), (output.NumRecordsImported, output.FailedRecords!.Count));
    }

    [Fact]
    public async Task A_partial_refusal_is_a_result()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Refusal(2, 1), 400));
        using var client = new MixpanelClient(Given.Account().At(server));
        var result =
            await ActionCatalogue.Find("import_events")!.InvokeAsync(client, JsonElement.Parse("""{"strict":"1","events":["a","b","c"],"properties":{}}"""));

        Assert.True(result.Refused);
        Given.JsonEqual(
            """{"status":"Bad Request","num_records_imported":2,"failed_records":[{"index":1,"insert_id":"x","field":"properties.time","message":"bad 1"}],"error":"Mixpanel refused the request: some data points in the request failed validation"}""",
            JsonElement.Parse(result.Json.Span));
    }

    [Fact]
    public async Task What_is_too_large_is_divided_until_it_fits_and_one_event_alone_is_named()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Content.Length > 2000
                ? Answer.Json("""{"code":413,"error":"request exceeds max limit of 2097152 bytes","status":"Request Entity Too Large"}""", 413)
                : Accept(request));
        using var client = new MixpanelClient(Given.Account().At(server));
        EventData[] events = [.. Given.Events(20, new string('x', 100)), Given.Events(1, new string('x', 3000))[0], .. Given.Events(3)];

        var output = await client.ImportEventsAsync(Given.Import(events));

        Assert.Equal(("Bad Request", 23), (output.Status, output.NumRecordsImported));
        var failed = Assert.Single(output.FailedRecords!);
        Assert.Equal(20, failed.Index);
        Assert.Contains("larger than Mixpanel accepts", failed.Message, StringComparison.Ordinal);
        Assert.All(server.Requests.GroupBy(request => request.Text, StringComparer.Ordinal), same => Assert.Single(same));
    }

    [Fact]
    public async Task A_size_that_was_too_large_is_not_tried_again_for_later_events()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Content.Length > 200_000
                ? Answer.Json("""{"code":413,"error":"request exceeds max limit","status":"Request Entity Too Large"}""", 413)
                : Accept(request));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.ImportEventsAsync(Given.Import(Given.Events(6000, new string('x', 100))));

        Assert.Equal(("OK", 6000), (output.Status, output.NumRecordsImported));
        var tooLarge = server.Requests.Index().Where(item => item.Item.Content.Length > 200_000).Select(item => item.Index);
        Assert.InRange(tooLarge.Count(), 1, 2);
        Assert.All(tooLarge, index => Assert.InRange(index, 0, 1));
    }

    [Fact]
    public async Task Events_in_doubt_are_refused_once_mixpanel_itself_responds_to_a_later_chunk()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            request.Text.Contains("Blocked", StringComparison.Ordinal) ? Answer.Plain("blocked", 400) : Accept(request));
        using var client = new MixpanelClient(Given.Account().At(server));
        var large = new string('x', 9_000_000);
        EventData[] events = [Given.Event("Blocked", $$"""{"$insert_id":"1","p":"{{large}}"}"""), Given.Event("E", $$"""{"$insert_id":"2","p":"{{large}}"}""")];

        var output = await client.ImportEventsAsync(Given.Import(events));

        Assert.Equal((1, 0, 2), (output.NumRecordsImported, Assert.Single(output.FailedRecords!).Index, server.Requests.Count));
    }

    [Fact]
    public async Task A_refusal_without_names_is_divided_until_each_event_has_its_own_verdict()
    {
        await using var server = await RecordingServer.StartAsync(request => request.Text.Contains("id-5\"", StringComparison.Ordinal)
            ? Answer.Json(
                """{"code":400,"error":"x","num_records_imported":0,"failed_records":["identity events are not allowed when project is using simplified identity management"],"status":"Bad Request"}""",
                400)
            : Accept(request));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.ImportEventsAsync(Given.Import(Given.Events(64)));

        Assert.Equal(63, output.NumRecordsImported);
        Assert.Equal(5, Assert.Single(output.FailedRecords!).Index);
        Assert.InRange(server.Requests.Count, 7, 13); // 64 events: six divisions, two requests each, and the first
    }

    /// <summary>Halving would take about ten requests for each bad event.</summary>
    [Theory]
    [InlineData(1, 6)]
    [InlineData(100, 210)]
    [InlineData(1000, 2010)]
    public async Task A_refusal_without_names_is_looked_for_among_the_events_that_break_a_rule(int bad, int requests)
    {
        await using var server = await RecordingServer.StartAsync(request => request.Text.Contains("\"bad id\"", StringComparison.Ordinal)
            ? Answer.Json("""{"code":400,"error":"some data points in the request failed validation","status":"Bad Request"}""", 400)
            : Accept(request));
        using var client = new MixpanelClient(Given.Account().At(server));
        var step = 3000 / bad;
        EventData[] events =
        [
            .. Given.Events(3000).Index()
                .Select(item => item.Index % step == 0
                    ? Given.Event("Viewed", """{"time":1795435200,"distinct_id":"ann","$insert_id":"bad id"}""")
                    : item.Item),
        ];

        var output = await client.ImportEventsAsync(Given.Import(events));

        Assert.Equal(3000 - bad, output.NumRecordsImported);
        Assert.Equal(Enumerable.Range(0, bad).Select(i => i * step), output.FailedRecords!.Select(record => record.Index));
        Assert.InRange(server.Requests.Count, 1, requests);
    }

    [Theory]
    [InlineData("$identify")]
    [InlineData("$create_alias")]
    [InlineData("$merge")]
    public async Task Events_that_link_ids_are_left_out_where_mixpanel_refuses_all_others_with_them(string name)
    {
        const string Words = "identity events are not allowed when project is using simplified identity management";
        await using var server = await RecordingServer.StartAsync(request => request.Text.Contains(name, StringComparison.Ordinal)
            ? Answer.Json($$"""{"code":400,"error":"x","num_records_imported":0,"failed_records":["{{Words}}"],"status":"Bad Request"}""", 400)
            : Accept(request));
        using var client = new MixpanelClient(Given.Account().At(server));
        EventData[] events = [.. Given.Events(3000).Index().Select(item => item.Index % 30 == 7 ? item.Item with { Event = name } : item.Item)];

        var output = await client.ImportEventsAsync(Given.Import(events));

        Assert.Equal((2900, 3), (output.NumRecordsImported, server.Requests.Count));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (i * 30) + 7), output.FailedRecords!.Select(record => record.Index));
        Assert.All(output.FailedRecords!, record => Assert.Contains(Words, record.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_more_is_sent_when_all_events_link_ids()
    {
        await using var server = await RecordingServer.StartAsync(_ =>
            Answer.Json("""{"code":400,"error":"x","num_records_imported":0,"failed_records":["identity events are not allowed when project is using simplified identity management"],"status":"Bad Request"}""",
                400));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.ImportEventsAsync(Given.Import([.. Given.Events(10).Select(item => item with { Event = "$identify" })]));

        Assert.Equal((0, 10, 1), (output.NumRecordsImported, output.FailedRecords!.Count, server.Requests.Count));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(0)]
    [InlineData(9)]
    public async Task A_count_that_does_not_fit_is_no_success(int said)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Given.Imported(said)));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.ImportEventsAsync(Given.Import(Given.Events(3)) with { Strict = "0" });

        Assert.Equal(("Bad Request", said), (output.Status, output.NumRecordsImported));
        Assert.Contains($"{said} of 3 events as imported", output.Error, StringComparison.Ordinal);
        Assert.True(EventActions.ImportEvents.Refused(output));
    }

    [Fact]
    public async Task A_failure_in_the_middle_tells_how_far_it_came()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Given.Imported(2000)),
            Answer.Json("""{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""", 401));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.ImportEventsAsync(Given.Import(Given.Events(3000))))).Error;

        Assert.Equal(ErrorKind.Unauthorized, error.Kind);
        Assert.EndsWith("2000 of 3000 events had already been imported; resending all of them creates no duplicates.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", "1")]
    [InlineData("false", "0")]
    public async Task Strict_may_be_said_in_words(string strict, string sent)
    {
        await using var server = await RecordingServer.StartAsync(Accept);
        using var client = new MixpanelClient(Given.Token().At(server));

        await client.ImportEventsAsync(Given.Import(Given.Events(1)) with { Strict = strict });

        Assert.Equal($"POST /import?strict={sent}", server.Lines);
    }

    [Theory]
    [InlineData("""{"strict":"2","events":["x"],"properties":{}}""", "strict")]
    [InlineData("""{"strict":"","events":["x"],"properties":{}}""", "strict")]
    [InlineData("""{"strict":"1","events":[],"properties":{}}""", "events")]
    [InlineData("""{"strict":"1","events":["x"],"properties":{"$insert_id":"a"}}""", "properties.$insert_id")]
    public async Task A_bad_input_is_named_and_nothing_is_sent(string input, string field)
    {
        await using var server = await RecordingServer.StartAsync();
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(() => client.CallAsync("import_events", input))).Error;

        Assert.Equal((ErrorKind.InvalidInput, field), (error.Kind, error.Field));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Half_a_character_from_code_is_named_too()
    {
        await using var server = await RecordingServer.StartAsync();
        using var client = new MixpanelClient(Given.Account().At(server));
        var events = new EventData { Event = "x", Properties = new() { ["a"] = new System.Text.Json.Nodes.JsonArray("ok \uFFFD", "\uFFFD \ud800") } };

        var error = (await Given.FailsAsync(client.ImportEventsAsync(Given.Import(Given.Event("y"), events)))).Error;

        Assert.Equal("events[1].properties.a[1]", error.Field);
        Assert.Empty(server.Requests);
    }
}
