using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

public class TrackEventTests
{
    static readonly long Now = ImpatientClock.Noon.ToUnixTimeSeconds();

    static string Input(string rest = "", string properties = "") =>
        $$$"""{"event":"Signed Up"{{{rest}}},"properties":{"time":{{{Now}}},"distinct_id":"ann","$insert_id":"id-1"{{{properties}}}}}""";

    [Theory]
    [InlineData("")]
    [InlineData(""","project_id":"<YOUR_PROJECT_ID>" """)]
    public async Task The_placeholder_stands_for_the_configured_project(string rest)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Given.ImportedOne));
        using var client = new MixpanelClient(Given.Account().At(server));

        Given.JsonEqual("""{"status":1}""", await client.CallAsync("track_event", Input(rest)));
        Assert.Equal("POST /import?strict=1&project_id=12345", server.Lines);
    }

    [Fact]
    public async Task An_explicit_project_needs_no_configured_one()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Given.ImportedOne));
        using var client = new MixpanelClient(Given.Account().At(server) with { ProjectId = null });

        await client.CallAsync("track_event", Input(""","project_id":"9","strict":"0" """));

        Assert.Equal("POST /import?strict=0&project_id=9", server.Lines);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("abc")]
    [InlineData("1 ")]
    [InlineData("<your_project_id>")]
    public async Task Any_other_text_is_no_project(string project)
    {
        await using var server = await RecordingServer.StartAsync();
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal("project_id", (await Given.FailsAsync(client.TrackEventAsync(Given.Track() with { ProjectId = project }))).Error.Field);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Other_properties_are_kept_as_they_were_written(bool account)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(account ? Given.ImportedOne : """{"status":1,"error":null}"""));
        using var client = new MixpanelClient((account ? Given.Account() : Given.Token()).At(server));

        await client.CallAsync("track_event",
            Input(properties: ""","price":1.10,"big":12345678901234567890,"exp":1e2,"nested":{"a":[null,"ü😀"]},"$time":null"""));

        var sent = server.Request.Json[0].GetProperty("properties");
        Assert.Equal("1.10 12345678901234567890 1e2",
            $"{sent.GetProperty("price").GetRawText()} {sent.GetProperty("big").GetRawText()} {sent.GetProperty("exp").GetRawText()}");
        Given.JsonEqual("""{"a":[null,"ü😀"]}""", sent.GetProperty("nested"));
        Assert.Equal(JsonValueKind.Null, sent.GetProperty("$time").ValueKind);
        Assert.Equal(!account, sent.TryGetProperty("token", out _));
    }

    public static TheoryData<int, string, int, string?> Imports => new()
    {
        { 200, Given.ImportedOne, 1, null },
        { 200, Given.Imported(0), 0, "Mixpanel reports 0 of 1 event as imported, but lists none as failed." },
        { 400,
            """{"code":400,"error":"e","failed_records":[{"index":0,"insert_id":"id-1","field":"properties.time","message":"'properties.time' is invalid: must not be in the future"}],"num_records_imported":0,"status":"Bad Request"}""",
            0, "'properties.time' is invalid: must not be in the future" },
        { 400, """{"code":400,"error":"identity events are not allowed","status":"Bad Request"}""", 0,
            "Mixpanel refused the request: identity events are not allowed" },
        { 413, """{"code":413,"error":"big","status":"Request Entity Too Large"}""", 0, "The request is larger than Mixpanel accepts (big)." },
    };

    [Theory, MemberData(nameof(Imports))]
    public async Task With_a_service_account_the_verdict_on_the_import_is_the_status(int status, string reply, int expected, string? error)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(reply, status));
        using var client = new MixpanelClient(Given.Account().At(server));

        var result = await ActionCatalogue.Find("track_event")!.InvokeAsync(client, JsonElement.Parse(Input()));

        Given.JsonEqual(error is null ? $$"""{"status":{{expected}}}""" : $$"""{"status":{{expected}},"error":{{JsonSerializer.Serialize(error)}}}""",
            JsonElement.Parse(result.Json.Span));
        Assert.Equal(expected == 0, result.Refused);
    }

    [Theory]
    [InlineData("1", 1, null)]
    [InlineData("""{"status":1,"error":""}""", 1, null)]
    [InlineData("0", 0, "Mixpanel accepted nothing of the request and gave no reason.")]
    [InlineData("""{"status":0,"error":"token, missing or empty"}""", 0, "token, missing or empty")]
    public async Task With_a_token_the_answer_of_track_is_the_status(string reply, int status, string? error)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Plain(reply));
        using var client = new MixpanelClient(Given.Token().At(server));

        Assert.Equal(new TrackEventOutput { Status = status, Error = error }, await client.TrackEventAsync(Given.Track()));
    }

    [Theory]
    [InlineData(401, ErrorKind.Unauthorized)]
    [InlineData(403, ErrorKind.Forbidden)]
    [InlineData(404, ErrorKind.NotFound)]
    [InlineData(204, ErrorKind.Protocol)]
    public async Task Whatever_is_no_verdict_is_an_error(int status, ErrorKind kind)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(status == 204 ? "" : """{"error":"no"}""", status));
        foreach (var options in (MixpanelOptions[])[Given.Account(), Given.Token()])
        {
            using var client = new MixpanelClient(options.At(server));
            Assert.Equal(kind, (await Given.FailsAsync(client.TrackEventAsync(Given.Track()))).Error.Kind);
        }
    }

    public static TheoryData<long, string?> Times => new()
    {
        { Now, null },
        { Now * 1000, null },
        { Now + 3600, null },
        { Now + 3601, "more than an hour ahead" },
        { (Now + 3601) * 1000, "more than an hour ahead" },
        { Now - (5 * 86400), null },
        { Now - (5 * 86400) - 1, "older than five days" },
        { ((Now - (5 * 86400)) * 1000) - 1, "older than five days" },
        { 0, "before 1971" },
        { -1, "before 1971" },
        { long.MinValue, "before 1971" },
        { long.MaxValue, "more than an hour ahead" },
    };

    [Theory, MemberData(nameof(Times))]
    public async Task With_a_token_what_track_would_drop_in_silence_is_refused(long time, string? error)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"status":1,"error":null}"""));
        using var client = new MixpanelClient(Given.Token().At(server));

        var output = await client.TrackEventAsync(Given.Track(time: time));

        Assert.Equal(error is null ? 1 : 0, output.Status);
        Assert.Equal(error is null ? 1 : 0, server.Requests.Count);
        if (error is not null) Assert.Contains(error, output.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_token_an_event_needs_a_name()
    {
        await using var server = await RecordingServer.StartAsync();
        using var client = new MixpanelClient(Given.Token().At(server));

        Assert.Equal(new TrackEventOutput { Status = 0, Error = "event: the event's name is missing or blank" },
            await client.TrackEventAsync(Given.Track("  ")));
        Assert.Equal("event", (await Given.FailsAsync(client.TrackEventAsync(Given.Track("")))).Error.Field);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("1", 0)]
    [InlineData("0", 1)]
    public async Task With_a_token_a_strict_event_is_held_against_the_rules_of_import(string strict, int status)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"status":1,"error":null}"""));
        using var client = new MixpanelClient(Given.Token().At(server));
        var input = Given.Track() with { Strict = strict };
        input = input with { Properties = input.Properties with { DistinctId = "undefined" } };

        var output = await client.TrackEventAsync(input);

        Assert.Equal(status, output.Status);
        Assert.Equal(status, server.Requests.Count);
    }

    [Fact]
    public async Task With_a_service_account_an_event_may_be_of_any_age()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Given.ImportedOne));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(1, (await client.TrackEventAsync(Given.Track(time: 86400 * 365))).Status);
    }

    [Fact]
    public async Task An_event_for_another_token_is_refused_and_for_the_same_one_sent()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"status":1}"""));
        using var client = new MixpanelClient(Given.Token().At(server));

        Assert.Equal("properties.token",
            (await Given.FailsAsync(() => client.CallAsync("track_event", Input(properties: ""","token":"another" """)))).Error.Field);
        Assert.Empty(server.Requests);
        Given.JsonEqual("""{"status":1}""", await client.CallAsync("track_event", Input(properties: $$""","token":"{{Given.TokenText}}" """)));
    }
}
