using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

public class QueryUserProfilesTests
{
    static string Page(int page, IEnumerable<int> ids, int pageSize = 3, string session = "\"s-1\"") =>
        $$"""{"page":{{page}},"page_size":{{pageSize}},"session_id":{{session}},"status":"ok","total":7,"results":[{{string.Join(',', ids.Select(id => $$$"""{"$distinct_id":"{{{id}}}","$properties":{"n":{{{id}}}}}"""))}}]}""";

    static async Task<List<string>> ReadAllAsync(MixpanelClient client, QueryUserProfilesInput? input = null)
    {
        var ids = new List<string>();
        await foreach (var profile in client.QueryAllUserProfilesAsync(input ?? new())) ids.Add(profile.DistinctId);
        return ids;
    }

    [Fact]
    public async Task A_page_is_given_as_it_came()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(
            """{"computed_at":"now","page":2,"page_size":1000,"session_id":1234567890,"status":"ok","total":2001,"results":[{"$distinct_id":4,"$properties":{"$email":"ü@x","price":1.10,"big":12345678901234567890,"nested":{"a":[null,true,1e2]}},"$group":"g"},{"$distinct_id":"-1405123841946871899","$properties":{} }]}"""));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.CallAsync("query_user_profiles", """{"page":2,"session_id":"x"}""");

        Given.JsonEqual(
            """{"results":[{"$distinct_id":"4","$properties":{"$email":"ü@x","price":1.10,"big":12345678901234567890,"nested":{"a":[null,true,1e2]}},"$group":"g"},{"$distinct_id":"-1405123841946871899","$properties":{} }],"page":2,"session_id":"1234567890","page_size":1000,"total":2001}""",
            output);
        Assert.Contains("1.10,\"big\":12345678901234567890", output.GetRawText(), StringComparison.Ordinal);
        Assert.Contains("1e2", output.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_page_in_the_answer_it_is_the_one_asked_for()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":[],"status":"ok"}"""));
        using var client = new MixpanelClient(Given.Account().At(server));

        Given.JsonEqual("""{"results":[],"page":0}""", await client.CallAsync("query_user_profiles", "{}"));
        Given.JsonEqual("""{"results":[],"page":3}""", await client.CallAsync("query_user_profiles", """{"page":3,"session_id":"s"}"""));
    }

    [Theory]
    [InlineData("""{"page":-1}""", "page")]
    [InlineData("""{"page":1}""", "session_id")]
    [InlineData("""{"page":1,"session_id":""}""", "session_id")]
    public async Task A_page_needs_its_session(string input, string field)
    {
        await using var server = await RecordingServer.StartAsync();
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(() => client.CallAsync("query_user_profiles", input))).Error;

        Assert.Equal((ErrorKind.InvalidInput, field), (error.Kind, error.Field));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task All_pages_are_read_with_the_same_filter_and_the_latest_session()
    {
        await using var server = await RecordingServer.StartAsync(
            Answer.Json(Page(0, [1, 2, 3])), Answer.Json(Page(1, [4, 5, 6], session: "77")), Answer.Json(Page(2, [7], session: "null")));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal("1 2 3 4 5 6 7", string.Join(' ', await ReadAllAsync(client, new() { Where = "a", OutputProperties = ["b"] })));
        Assert.Equal(
            """
            where=a&output_properties=%5B%22b%22%5D
            where=a&output_properties=%5B%22b%22%5D&page=1&session_id=s-1
            where=a&output_properties=%5B%22b%22%5D&page=2&session_id=77
            """,
            string.Join('\n', server.Requests.Select(request => request.Text)));
    }

    [Fact]
    public async Task A_full_last_page_is_followed_by_an_empty_one_and_the_end()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Page(0, [1, 2, 3])), Answer.Json(Page(1, [])));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(3, (await ReadAllAsync(client)).Count);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task An_answer_that_claims_pages_of_nothing_ends_the_reading()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Page(0, [], pageSize: 0)));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Empty(await ReadAllAsync(client));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_server_that_always_says_page_0_is_still_read_page_by_page()
    {
        await using var server = await RecordingServer.StartAsync(request =>
            Answer.Json(request.Text.Contains("page=2", StringComparison.Ordinal) ? Page(0, []) : Page(0, [1, 2, 3])));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(6, (await ReadAllAsync(client)).Count);
    }

    [Fact]
    public async Task A_full_page_without_a_session_cannot_be_followed()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Page(0, [1, 2, 3], session: "null")));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(() => ReadAllAsync(client))).Error.Kind);
    }

    [Fact]
    public async Task Pages_are_fetched_only_as_they_are_read()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Page(0, [1, 2, 3])));
        using var client = new MixpanelClient(Given.Account().At(server));

        await foreach (var profile in client.QueryAllUserProfilesAsync(new()))
        {
            if (profile.DistinctId == "3") break;
        }

        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task The_stream_of_the_interfaces_gives_one_json_text_for_each_profile()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Page(0, [1, 2])));
        using var client = new MixpanelClient(Given.Account().At(server));
        var lines = new List<string>();

        await foreach (var line in ActionCatalogue.Find("query_user_profiles")!.InvokeAllAsync(client, JsonElement.Parse("{}")))
            lines.Add(Encoding.UTF8.GetString(line.Span));

        Assert.Equal("""{"$distinct_id":"1","$properties":{"n":1}} {"$distinct_id":"2","$properties":{"n":2}}""", string.Join(' ', lines));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("properties[\"$email\"] == \"a\"")]
    public async Task A_query_that_takes_Mixpanel_too_long_is_asked_again_and_then_unavailable(string? where)
    {
        await using var server =
            await RecordingServer.StartAsync(_ => Answer.Json("""{"request":"/api/query/engage?project_id=12345","error":"Timeout Error."}""", 400));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.QueryUserProfilesAsync(new() { Where = where }))).Error;

        Assert.Equal((ErrorKind.Unavailable, 400, null), (error.Kind, error.HttpStatus, error.Field));
        Assert.Contains("Timeout Error.", error.Message, StringComparison.Ordinal);
        Assert.Equal(4, server.Requests.Count);
        Assert.Equal([2, 4, 8], client.Clock().Waits.Select(wait => wait.TotalSeconds));
    }

    [Theory]
    [InlineData("syntax error at position 5", "ab cd", 4)]
    [InlineData("unexpected token at position 6", "ab cd", 5)]
    [InlineData("syntax error at position 1: expected a value", "ab cd", 0)]
    public async Task A_bad_filter_is_shown_with_a_caret_at_the_place(string said, string where, int column)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json($$"""{"error":"{{said}}"}""", 400));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.QueryUserProfilesAsync(new() { Where = where }))).Error;

        Assert.Equal((ErrorKind.Rejected, "where", 400), (error.Kind, error.Field, error.HttpStatus));
        Assert.EndsWith($"{said}\n  {where}\n  {new string(' ', column)}^", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_long_filter_the_part_around_the_place_is_shown_without_control_characters()
    {
        var where = new string('a', 200) + "\n\u001b[31m?" + new string('b', 200);
        await using var server = await RecordingServer.StartAsync(Answer.Json("""{"error":"bad at position 207"}""", 400));
        using var client = new MixpanelClient(Given.Account().At(server));

        var lines = (await Given.FailsAsync(client.QueryUserProfilesAsync(new() { Where = where }))).Error.Message.Split('\n');

        Assert.Equal(3, lines.Length);
        Assert.Equal('?', lines[1][lines[2].IndexOf('^', StringComparison.Ordinal)]);
        Assert.InRange(lines[1].Length, 70, 80);
        Assert.DoesNotContain('\u001b', lines[1]);
    }

    [Theory]
    [InlineData("bad filter")]
    [InlineData("bad at position 99999999999")]
    [InlineData("bad at position 0")]
    [InlineData("bad at position 7")]
    [InlineData("bad at position x")]
    public async Task A_place_that_is_none_is_not_shown(string said)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json($$"""{"error":"{{said}}"}""", 400));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.QueryUserProfilesAsync(new() { Where = "ab cd" }))).Error;

        Assert.Equal(("where", $"Mixpanel refused the request: {said}"), (error.Field, error.Message));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"results":null}""")]
    [InlineData("""{"results":{}}""")]
    [InlineData("""{"results":[null]}""")]
    [InlineData("""{"results":[{"$properties":{} }]}""")]
    [InlineData("""{"results":[{"$distinct_id":null,"$properties":{} }]}""")]
    [InlineData("""{"results":[{"$distinct_id":"1","$properties":null}]}""")]
    [InlineData("""{"results":[{"$distinct_id":true,"$properties":{} }]}""")]
    [InlineData("""{"results":[{"$distinct_id":"1","$properties":[]}]}""")]
    public async Task A_page_that_is_none_is_not_trusted(string reply)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(reply));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error.Kind);
    }

    [Fact]
    public async Task Half_a_character_in_a_profile_is_an_error_and_no_crash()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":[{"$distinct_id":"1","$properties":{"a":"\ud800"}}]}"""));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(() => client.CallAsync("query_user_profiles", "{}"))).Error.Kind);
    }
}
