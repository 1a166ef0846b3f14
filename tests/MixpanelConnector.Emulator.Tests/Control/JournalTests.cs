using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests.Control;

/// <summary>The received requests, and the outcome of each record.</summary>
public sealed class JournalTests
{
    [Fact]
    public async Task Each_record_that_was_not_kept_has_a_reason_told_or_not()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync("/track",
            """[{"event":"A","properties":{"token":"local"}},{"event":"B","properties":{"token":"nobody's"}},{"event":"C","properties":{"token":"local","time":1}},{"properties":{"token":"local"}}]""");
        await mixpanel.ImportAsync($$"""[{{mixpanel.Event()}},{{mixpanel.Event(time: "null")}},{{mixpanel.Event(more: "\"$ignore\":true")}}]""",
            "?strict=0&project_id=1");
        await mixpanel.PostAsync("/engage",
            """[{"$token":"local","$distinct_id":"a","$set":{"x":1}},{"$token":"local","$distinct_id":"a","$add":{"x":"y"}}]""");
        await mixpanel.PostAsync("/groups", """{"$token":"local","$group_key":"k","$group_id":"g","$set":{}}""");

        var requests = (await mixpanel.ControlAsync("GET /emulator/requests")).EnumerateArray().Select(Shown).ToList();

        Assert.Equal(
            [
                "1 POST /track 200 [1] 4/1: 1 properties.token no project has this token (silent) | 2 properties.time older than five days: "
                + "older events go through /import (silent) | 3 event 'event' must not be missing or blank (silent)",
                "2 POST /import 200 [1] 3/1: 1 properties.time 'properties.time' is invalid: must not be missing (silent) | 2 properties.$ignore asked to be "
                + "ignored (silent)",
                "3 POST /engage 200 [1] 2/1: 1 $add.x '$add.x' is invalid: must be a number (silent)",
                "4 POST /groups 200 [1] 1/1:",
            ],
            requests, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Who_has_a_response_finds_its_request()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        for (var sent = 1; sent <= 300; sent++)
        {
            await mixpanel.GetAsync("/api/query/nothing");
            Assert.Equal(sent, mixpanel.Server.Requests.Count);
        }
    }

    [Fact]
    public async Task A_request_that_was_refused_as_a_whole_says_why()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.PostAsync("/track", "[{\"event\":");
        await mixpanel.PostAsync("/import?project_id=1", "[]");
        await mixpanel.GetAsync("/api/query/nothing");

        Assert.Equal(
            ["1 POST /track 200 [] refused: request body is not valid JSON: line 1, byte 11", "2 POST /import 401 [1] refused: Invalid credentials",
                "3 GET /api/query/nothing 501 [] refused: GET /api/query/nothing is not emulated"],
            (await mixpanel.ControlAsync("GET /emulator/requests")).EnumerateArray().Select(Shown), StringComparer.Ordinal);
    }

    [Fact]
    public async Task The_journal_is_asked_for_a_part_and_forgotten()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ControlAsync("PUT /emulator/projects/2", """{"name":"Second","token":"second"}""");
        foreach (var (name, token) in ((string, string)[])[("A", "local"), ("B", "second"), ("C", "second")]) await mixpanel.TrackAsync(name, token);
        await mixpanel.GetAsync("/api/query/events/names?project_id=2&type=general", LocalMixpanel.Basic("local", "local"));

        Assert.Equal([2, 3, 4], await NumbersAsync("?project_id=2"));
        Assert.Equal([3], await NumbersAsync("?project_id=2&path=/track&after=2"));
        Assert.Equal([3, 4], await NumbersAsync("?limit=2"));
        Assert.Equal([1, 2], await NumbersAsync("?limit=2&after=0"));
        await mixpanel.ControlAsync("GET /emulator/requests?limit=0", status: 400);
        await mixpanel.ControlAsync("GET /emulator/requests?before=1", status: 400);
        await mixpanel.ControlAsync("POST /emulator/projects/2/reset");
        Assert.Equal([1], await NumbersAsync(""));
        await mixpanel.ControlAsync("DELETE /emulator/requests");
        await mixpanel.TrackAsync("D");
        Assert.Equal([1], await NumbersAsync(""));

        async Task<IEnumerable<int>> NumbersAsync(string query) =>
            (await mixpanel.ControlAsync("GET /emulator/requests" + query)).EnumerateArray().Select(request => request.GetProperty("number").GetInt32());
    }

    [Fact]
    public async Task Of_requests_long_ago_the_records_are_forgotten_and_not_how_many_there_were()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var bad = $$$"""{"event":"","properties":{"token":"local","filler":"{{{new string('x', 5000)}}}"}}""";
        for (var i = 0; i < 60; i++) await mixpanel.PostAsync("/track", $"[{string.Join(',', Enumerable.Repeat(bad, 100))}]");

        var requests = mixpanel.Server.Requests;

        Assert.Equal((60, true), (requests.Count, requests.All(request => request.Records is { Received: 100, Kept: 0 })));
        Assert.InRange(requests.Sum(request => request.Records!.NotKept.Sum(record => record.Record.Length)), 8 << 20, 16 << 20);
        Assert.Equal((0, 100), (requests[0].Records!.NotKept.Count, requests[^1].Records!.NotKept.Count));
    }

    static string Shown(JsonElement request)
    {
        var head = $"{request.GetProperty("number")} {request.GetProperty("method")} {request.GetProperty("path")} {request.GetProperty("status")} [{string.Join(',', request.GetProperty("project_ids").EnumerateArray())}]";
        if (request.GetProperty("records") is not { ValueKind: JsonValueKind.Object } records) return $"{head} refused: {request.GetProperty("error")}";
        var notKept = records.GetProperty("not_kept").EnumerateArray()
            .Select(record => $" {record.GetProperty("index")} {record.GetProperty("field")} {record.GetProperty("reason")}{(record.GetProperty("told").GetBoolean() ? "" : " (silent)")}");
        return $"{head} {records.GetProperty("received")}/{records.GetProperty("kept")}:{string.Join(" |", notKept)}";
    }
}
