using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Migration;

/// <summary>The outcome of records that the target refuses, and of faults on the way.</summary>
public sealed class RefusedRecordsTests
{
    const int Day = 1;

    [Theory]
    [InlineData("{ this is no record")]
    [InlineData("<html>")]
    [InlineData("\u001f\u008b\u0000 binary")]
    [InlineData("\ufeff{\"event\":7}")]
    public async Task Each_that_is_not_taken_is_a_dead_letter_of_its_day_and_can_be_replayed(string unreadable)
    {
        var isMended = false;
        await using var server = await RecordingServer.StartAsync(request => request.Path switch
        {
            "/api/2.0/export" => Export.Exported.Lines(
                Export.Exported.Event("A", Day, 0, ",\"mp_processing_time_ms\":5"), unreadable, Export.Exported.Event("A", Day, 1, ",\"n\":1"),
                """{"event":"A","properties":{"time":1790841600000,"distinct_id":"undefined","$insert_id":"x"}}"""),
            "/import" when isMended => Answer.Json("""{"code":200,"num_records_imported":1,"status":"OK"}"""),
            "/import" => Answer.Json(
                """{"code":400,"error":"some data points in the request failed validation","failed_records":[{"index":1,"insert_id":"A-1","field":"properties.n","message":"refused"}],"num_records_imported":1,"status":"Bad Request"}""",
                400),
            _ => Answer.Plain("", 500),
        });
        using var tool = new Tool();
        tool.WriteProfiles($$"""{"old":{{TwoProjects.Profile(server.Url, 1, "a")}},"new":{{TwoProjects.Profile(server.Url, 2, "b")}}}""");
        var dead = tool.Folder.File("dead.ndjson");
        string[] line =
        [
            "migrate", "--from", "old", "--to", "new", "--only", "events", "--from-date", "2026-10-01", "--to-date", "2026-10-01", "--output", "json",
            "--dead-letter", dead,
        ];

        var run = await tool.RunAsync(line);

        Assert.True(run.Exit == 3, run.Out + run.Err);
        Assert.Equal("4 1 3 0",
            string.Join(' ', new[] { "read", "accepted", "rejected", "pending" }.Select(name => run.Json.GetProperty("events").GetProperty(name).GetInt32())));
        Assert.Equal(dead, run.Json.GetProperty("dead_letter").GetString());
        var letters = (await File.ReadAllLinesAsync(dead, TestContext.Current.CancellationToken)).Select(letter => JsonNode.Parse(letter)!.AsObject()).ToList();
        Assert.Equal("2026-10-01.unreadable:1 invalid_json, 2026-10-01:2 refused, 2026-10-01:3 distinct_id_banned",
            string.Join(", ",
                letters.Select(letter => $"{letter["source"]}:{letter["line"]} {(letter["http_status"] is null ? letter["code"] : letter["message"])}")));
        Assert.Equal(Export.Exported.Event("A", Day, 1, ",\"n\":1"), letters[1]["raw"]!.ToJsonString());

        var requests = server.Requests.Count;
        var again = await tool.RunAsync(line);
        Assert.Equal((3, requests, 3), (again.Exit, server.Requests.Count, again.Json.GetProperty("events").GetProperty("rejected").GetInt32()));
        Assert.Equal(letters.Count, (await File.ReadAllLinesAsync(dead, TestContext.Current.CancellationToken)).Length);

        isMended = true;
        var replay = await tool.RunAsync("import", "--replay", dead, "--profile", "new", "--output", "json");
        Assert.Equal((3, 1), (replay.Exit, replay.Json.GetProperty("accepted").GetInt32()));
        Assert.Contains("\"$insert_id\":\"A-1\"", server.Requests[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_is_stopped_goes_on_and_a_second_one_beside_it_ends_with_8()
    {
        using var stop = new Stop();
        using var tool = new Tool();
        string[] line =
        [
            "migrate", "--from", "old", "--to", "new", "--only", "events", "--from-date", "2026-10-01", "--to-date", "2026-10-03", "--parallel", "1",
            "--output", "json",
        ];
        Run? second = null;
        var isStopped = false;
        await using var server = await RecordingServer.StartAsync(request =>
        {
            if (request.Path == "/import") return Answer.Json("""{"code":200,"num_records_imported":1,"status":"OK"}""");
            if (Export.Exported.DayOf(request) != 2 || isStopped) return Export.Exported.Lines(Export.Exported.Event("A", Export.Exported.DayOf(request)));
            isStopped = true;
            second = Task.Run(() => tool.RunAsync(line)).GetAwaiter().GetResult();
            stop.Begin(RunOutcome.Terminated);
            return Answer.Stall;
        });
        tool.WriteProfiles($$"""{"old":{{TwoProjects.Profile(server.Url, 1, "a")}},"new":{{TwoProjects.Profile(server.Url, 2, "b")}}}""");

        var run = await tool.RunAsync(stop, line);

        Assert.Equal((8, 143, 1), (second!.Exit, run.Exit, run.Json.GetProperty("events").GetProperty("days").GetArrayLength()));
        Assert.Equal((0, 3),
            (await tool.RunAsync(line)) is var rest ? (rest.Exit, rest.Json.GetProperty("events").GetProperty("accepted").GetInt32()) : default);
        Assert.Equal(3, server.Requests.Count(request => request.Path == "/import"));
    }

    [Theory]
    [InlineData("/api/2.0/export", 401, 4)]
    [InlineData("/import", 401, 4)]
    [InlineData("/api/app/projects/1/schemas", 403, 4)]
    [InlineData("/api/app/projects/2/schemas", 500, 5)]
    [InlineData("/api/2.0/export", 500, 5)]
    public async Task What_stops_one_side_is_told_and_the_same_command_goes_on(string path, int status, int exit)
    {
        var isMended = false;
        await using var server = await RecordingServer.StartAsync(request =>
            !isMended && request.Path == path ? Answer.Json("""{"error":"no","status":"error","code":1}""", status) : request.Path switch
            {
                "/api/2.0/export" => Export.Exported.Lines(Export.Exported.Event("A", Day)),
                "/import" => Answer.Json("""{"code":200,"num_records_imported":1,"status":"OK"}"""),
                "/api/app/projects/1/schemas" => Answer.Json("""{"status":"ok","results":[{"entityType":"event","name":"A","schemaJson":{"description":"a"}}]}"""),
                "/api/app/projects/2/schemas" => Answer.Json("""{"status":"ok","results":{"added":1,"deleted":0}}"""),
                _ => Answer.Plain("", 500),
            });
        using var tool = new Tool();
        tool.WriteProfiles($$"""{"old":{{TwoProjects.Profile(server.Url, 1, "a")}},"new":{{TwoProjects.Profile(server.Url, 2, "b")}}}""");
        string[] line =
        [
            "migrate", "--from", "old", "--to", "new", "--only", "events,schemas", "--from-date", "2026-10-01", "--to-date", "2026-10-01", "--output", "json",
        ];

        var run = await tool.RunAsync(line);
        Assert.True(run.Exit == exit, run.Out + run.Err);
        foreach (var part in (string[])["events", "schemas"])
        {
            var counts = run.Json.GetProperty(part);
            Assert.Equal(counts.GetProperty("read").GetInt32(), counts.GetProperty("accepted").GetInt32() + counts.GetProperty("pending").GetInt32());
        }

        isMended = true;
        var rest = await tool.RunAsync(line);
        Assert.True(rest.Exit == 0, rest.Out + rest.Err);
        Assert.Equal((1, 1),
            (rest.Json.GetProperty("events").GetProperty("accepted").GetInt32(), rest.Json.GetProperty("schemas").GetProperty("accepted").GetInt32()));
    }

    [Fact]
    public async Task A_schema_that_is_refused_is_a_dead_letter_and_the_others_are_taken()
    {
        await using var server = await RecordingServer.StartAsync(request => request.Path switch
        {
            "/api/app/projects/1/schemas" => Answer.Json($$"""{"status":"ok","results":[{{string.Join(',', "ABCDE".Select(name => $$$"""{"entityType":"event","name":"{{{name}}}","schemaJson":{"description":"d"}}"""))}}]}"""),
            _ when request.Text.Contains("\"C\"", StringComparison.Ordinal) => Answer.Json("""{"error":"no","status":"error"}""", 400),
            _ => Answer.Json("""{"status":"ok","results":{"added":1,"deleted":0}}"""),
        });
        using var tool = new Tool();
        tool.WriteProfiles($$"""{"old":{{TwoProjects.Profile(server.Url, 1, "a")}},"new":{{TwoProjects.Profile(server.Url, 2, "b")}}}""");

        var run = await tool.RunAsync("migrate", "--from", "old", "--to", "new", "--only", "schemas", "--output", "json");

        var counts = run.Json.GetProperty("schemas");
        Assert.Equal((3, 5, 4, 1),
            (run.Exit, counts.GetProperty("read").GetInt32(), counts.GetProperty("accepted").GetInt32(), counts.GetProperty("rejected").GetInt32()));
        var letter = JsonNode.Parse(await File.ReadAllTextAsync(run.Json.GetProperty("dead_letter").GetString()!, TestContext.Current.CancellationToken))!;
        Assert.Equal(("schemas", 3, "C"), ((string)letter["source"]!, (int)letter["line"]!, (string)letter["raw"]!["name"]!));
    }
}
