using System.Net.Http.Headers;
using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>However parameters are sent, all of them count: none is ignored silently, because that would answer a different question.</summary>
public sealed class QueryParametersTests
{
    public static TheoryData<string> Queries =>
    [
        "engage", "events?event=[\"A\"]&type=general&unit=day&interval=1", "events/names?type=general", "events/top?type=general",
        "events/properties?event=A&name=a&type=general&unit=day&interval=1", "events/properties/top?event=A", "events/properties/values?event=A&name=a",
        "segmentation?event=A&from_date=2026-09-01&to_date=2026-09-01",
        "segmentation/numeric?event=A&on=properties[\"a\"]&from_date=2026-09-01&to_date=2026-09-01",
        "segmentation/sum?event=A&on=properties[\"a\"]&from_date=2026-09-01&to_date=2026-09-01",
        "segmentation/average?event=A&on=properties[\"a\"]&from_date=2026-09-01&to_date=2026-09-01",
        "funnels/list", "retention?born_event=A&from_date=2026-09-01&to_date=2026-09-01",
        "retention/addiction?unit=day&addiction_unit=hour&from_date=2026-09-01&to_date=2026-09-01",
        "stream/query?distinct_ids=[\"a\"]&from_date=2026-09-01&to_date=2026-09-01", "../2.0/export?from_date=2026-09-01&to_date=2026-09-01",
    ];

    [Theory, MemberData(nameof(Queries))]
    public async Task What_is_not_known_is_refused_by_name(string query)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var path = new Uri(new Uri("http://m/api/query/"), query).PathAndQuery;
        var first = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';

        Assert.Equal(200, (await GetAsync($"{path}{first}project_id=1")).Status);
        Assert.Equal(200, (await GetAsync($"{path}{first}project_id=1&workspace_id=1")).Status);
        var answer = await GetAsync($"{path}{first}project_id=1&wherre=false");

        Assert.Equal(400, answer.Status);
        Assert.Equal("unknown parameter: wherre", answer.Json.GetProperty("error").GetString());

        Task<Answer> GetAsync(string address) => mixpanel.GetAsync(address, LocalMixpanel.Basic("local", "local"));
    }

    [Theory]
    [InlineData("application/json", """{"where":"properties[\"n\"] == 1"}""", 1)]
    [InlineData("application/json; charset=utf-8", """{"distinct_ids":["u0","u2"],"page":0,"page_size":1,"session_id":null,"where":""}""", 2)]
    [InlineData("APPLICATION/JSON",
        """{"output_properties":["n"],"filter_by_cohort":{"raw_cohort":{"where":"properties[\"n\"] > 0"}},"include_all_users":false}""", 2)]
    [InlineData("application/x-www-form-urlencoded", "selector=properties%5B%22n%22%5D+%3D%3D+1", 1)]
    public async Task A_form_and_a_JSON_object_say_the_same(string contentType, string body, int total)
    {
        await using var mixpanel = await WithProfilesAsync();

        var answer = await PostAsync(mixpanel, contentType, body);

        Assert.Equal(200, answer.Status);
        Assert.Equal(total, answer.Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Pages_go_on_whichever_way_they_are_asked_for()
    {
        await using var mixpanel = await WithProfilesAsync();
        var session = (await PostAsync(mixpanel, "application/json", """{"page_size":2}""")).Json.GetProperty("session_id").GetString();

        var second = await PostAsync(mixpanel, "application/json", $$"""{"page":1,"session_id":"{{session}}"}""");
        var unknown = await PostAsync(mixpanel, "application/json", """{"page":1,"session_id":"1-AAAAAA"}""");

        Assert.Equal((1, 1), (second.Json.GetProperty("page").GetInt32(), second.Json.GetProperty("results").GetArrayLength()));
        Assert.Equal((400, "request for page in uncached query for params"), (unknown.Status, unknown.Json.GetProperty("error").GetString()));
    }

    [Theory]
    [InlineData("text/plain", "where=false", 415)]
    [InlineData("multipart/form-data", "where=false", 415)]
    [InlineData(null, "where=false", 415)]
    [InlineData("application/json", "[]", 400)]
    [InlineData("application/json", """{"where":"true","where":"false"}""", 400)]
    [InlineData("application/json", """{"wherre":"false"}""", 400)]
    [InlineData("application/json", """{"where":false}""", 400, "page=0", "where=true")]
    [InlineData("application/x-www-form-urlencoded", "where=true&where=false", 400)]
    [InlineData("application/x-www-form-urlencoded", "where=true&selector=false", 400)]
    [InlineData("application/x-www-form-urlencoded", "page=1&session_id=x", 400, "page=2")]
    public async Task What_cannot_be_read_or_contradicts_itself_is_refused(string? contentType, string body, int status, params string[] query)
    {
        await using var mixpanel = await WithProfilesAsync();

        var answer = await PostAsync(mixpanel, contentType, body, query);

        Assert.Equal(status, answer.Status);
        Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
    }

    [Fact]
    public async Task The_same_said_twice_is_no_contradiction()
    {
        await using var mixpanel = await WithProfilesAsync();

        Assert.Equal(200, (await PostAsync(mixpanel, "application/x-www-form-urlencoded", "project_id=1&page=0", "page=0")).Status);
    }

    [Fact]
    public async Task A_page_can_be_asked_for_in_the_next_process()
    {
        using var folder = new TemporaryFolder();
        string session;
        await using (var mixpanel = await WithProfilesAsync(options => options with { DataDirectory = folder.Path }))
            session = (await PostAsync(mixpanel, "application/json", """{"page_size":2}""")).Json.GetProperty("session_id").GetString()!;

        await using var again = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path });
        var page = await PostAsync(again, "application/json", $$"""{"page":1,"session_id":"{{session}}"}""");

        Assert.Equal("u2", Assert.Single(page.Json.GetProperty("results").EnumerateArray()).GetProperty("$distinct_id").GetString());
    }

    [Fact]
    public async Task The_oldest_query_is_forgotten_for_a_new_one()
    {
        await using var mixpanel = await WithProfilesAsync();
        var sessions = new List<string>();
        for (var i = 0; i < 33; i++)
            sessions.Add((await PostAsync(mixpanel, "application/json", "{}")).Json.GetProperty("session_id").GetString()!);

        Assert.Equal(400, (await PageOneAsync(sessions[0])).Status);
        Assert.Equal(200, (await PageOneAsync(sessions[1])).Status);
        Assert.Equal(200, (await PageOneAsync(sessions[32])).Status);

        Task<Answer> PageOneAsync(string session) => PostAsync(mixpanel, "application/json", $$"""{"page":1,"session_id":"{{session}}"}""");
    }

    static async Task<LocalMixpanel> WithProfilesAsync(Func<EmulatorOptions, EmulatorOptions>? configure = null)
    {
        var mixpanel = await LocalMixpanel.StartAsync(configure);
        await mixpanel.PostAsync("/engage",
            $"[{string.Join(',', Enumerable.Range(0, 3).Select(n => $$$"""{"$token":"local","$distinct_id":"u{{{n}}}","$set":{"n":{{{n}}}}}"""))}]");
        return mixpanel;
    }

    static Task<Answer> PostAsync(LocalMixpanel mixpanel, string? contentType, string body, params string[] query)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        return mixpanel.SendAsync(HttpMethod.Post, $"/api/query/engage?project_id=1{string.Concat(query.Select(field => "&" + field))}", content,
            LocalMixpanel.Basic("local", "local"));
    }
}
