using System.Globalization;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

/// <summary>The event reports.</summary>
public sealed class ReportTests
{
    const string Series = """{"data":{"series":["2026-11-22","2026-11-23"],"values":{"A":{"2026-11-22":3,"2026-11-23":1.5},"B ü😀":{"2026-11-22":0,"2026-11-23":null}}},"legend_size":2,"computed_at":"now"}""";

    static Task<RecordingServer> Server(string reply = Series, int status = 200) => RecordingServer.StartAsync(_ => Answer.Json(reply, status));

    public static TheoryData<string, string, string, string> Answers => new()
    {
        { "query_event_counts", """{"events":["A"],"interval":2}""", Series,
            """{"series":["2026-11-22","2026-11-23"],"values":{"A":{"2026-11-22":3,"2026-11-23":1.5},"B ü😀":{"2026-11-22":0}},"legend_size":2}""" },
        { "query_event_counts", """{"events":["A"],"interval":2}""", """{"data":{"series":[],"values":{}}}""",
            """{"series":[],"values":{},"legend_size":0}""" },
        { "query_event_property_counts", """{"event":"A","property":"plan","interval":2}""", Series,
            """{"series":["2026-11-22","2026-11-23"],"values":{"A":{"2026-11-22":3,"2026-11-23":1.5},"B ü😀":{"2026-11-22":0}},"legend_size":2}""" },
        { "get_top_events", "{}",
            """{"events":[{"amount":2,"event":"A","percent_change":-0.35635745999582824},{"amount":1.5,"event":"B","percent_change":1,"new":[]}],"type":"average"}""",
            """{"events":[{"event":"A","amount":2,"percent_change":-0.35635745999582824},{"event":"B","amount":1.5,"percent_change":1}],"type":"average"}""" },
        { "get_top_events", """{"type":"unique"}""", """{"events":[]}""", """{"events":[],"type":"unique"}""" },
        { "get_event_names", "{}", """["A","$custom_event:1"]""", """{"names":["A","$custom_event:1"],"total":2}""" },
        { "get_event_properties", """{"event":"A"}""", """{"x":{"count":1},"$os":{"count":9007199254740993},"status":{"count":5,"new":1}}""",
            """{"properties":[{"name":"$os","count":9007199254740993},{"name":"status","count":5},{"name":"x","count":1}]}""" },
        { "get_event_property_values", """{"event":"A","property":"plan"}""", """["pro",1.10,true,""]""", """{"values":["pro","1.10","true",""],"total":4}""" },
    };

    [Theory, MemberData(nameof(Answers))]
    public async Task The_answer_is_what_Mixpanel_says(string action, string input, string reply, string output)
    {
        await using var server = await Server(reply);
        using var client = new MixpanelClient(Given.Account().At(server));

        Given.JsonEqual(output, await client.CallAsync(action, input));
    }

    public static TheoryData<string, string, string> Queries => new()
    {
        { "query_event_counts", """{"events":["A"],"interval":30}""", "/api/query/events?event=%5B%22A%22%5D&type=general&unit=day&interval=30" },
        { "query_event_counts", """{"events":["A&b","\"ü\""],"type":"unique","unit":"week","from_date":"2026-11-01","to_date":"2026-11-01"}""",
            "/api/query/events?event=%5B%22A%26b%22%2C%22%5C%22%C3%BC%5C%22%22%5D&type=unique&unit=week&from_date=2026-11-01&to_date=2026-11-01" },
        { "query_event_counts", """{"events":["A"],"type":"average","unit":"minute","interval":1}""",
            "/api/query/events?event=%5B%22A%22%5D&type=average&unit=minute&interval=1" },
        { "get_top_events", "{}", "/api/query/events/top?type=general" },
        { "get_top_events", """{"type":"average","limit":3}""", "/api/query/events/top?type=average&limit=3" },
        { "get_event_names", """{"type":"unique","limit":1}""", "/api/query/events/names?type=unique&limit=1" },
        { "query_event_property_counts", """{"event":"A b","property":"$os","interval":2}""",
            "/api/query/events/properties?event=A%20b&name=%24os&type=general&unit=day&interval=2" },
        { "query_event_property_counts",
            """{"event":"A","property":"p","values":[],"unit":"month","from_date":"2026-01-31","to_date":"2026-11-23","limit":5}""",
            "/api/query/events/properties?event=A&name=p&type=general&unit=month&from_date=2026-01-31&to_date=2026-11-23&limit=5" },
        { "query_event_property_counts", """{"event":"A","property":"p","values":["x","y"],"unit":"hour","interval":2}""",
            "/api/query/events/properties?event=A&name=p&type=general&unit=hour&interval=2&values=%5B%22x%22%2C%22y%22%5D" },
        { "get_event_properties", """{"event":"A/b?c"}""", "/api/query/events/properties/top?event=A%2Fb%3Fc" },
        { "get_event_property_values", """{"event":"A","property":"😀","limit":7}""", "/api/query/events/properties/values?event=A&name=%F0%9F%98%80&limit=7" },
    };

    [Theory, MemberData(nameof(Queries))]
    public async Task Inputs_become_the_query_that_Mixpanel_documents(string action, string input, string line)
    {
        await using var server = await Server(action.StartsWith("query", StringComparison.Ordinal)
            ? Series
            : action switch { "get_top_events" => """{"events":[]}""", "get_event_properties" => "{}", _ => "[]" });
        using var client = new MixpanelClient(Given.Account().At(server));

        await client.CallAsync(action, input);

        Assert.Equal($"GET {line}&project_id=12345", server.Request.Line);
        Assert.Equal("", server.Request.Text);
    }

    [Theory]
    [InlineData("query_event_counts", """{"events":[],"interval":1}""", "events")]
    [InlineData("query_event_counts", """{"events":["A",""],"interval":1}""", "events[1]")]
    [InlineData("query_event_counts", """{"events":["A"]}""", "interval")]
    [InlineData("query_event_counts", """{"events":["A"],"interval":0}""", "interval")]
    [InlineData("query_event_counts", """{"events":["A"],"interval":1,"from_date":"2026-11-01"}""", "interval")]
    [InlineData("query_event_counts", """{"events":["A"],"interval":1,"from_date":"2026-11-01","to_date":"2026-11-02"}""", "interval")]
    [InlineData("query_event_counts", """{"events":["A"],"from_date":"2026-11-01"}""", "to_date")]
    [InlineData("query_event_counts", """{"events":["A"],"to_date":"2026-11-01"}""", "from_date")]
    [InlineData("query_event_counts", """{"events":["A"],"from_date":"2026-11-02","to_date":"2026-11-01"}""", "to_date")]
    [InlineData("query_event_counts", """{"events":["A"],"from_date":"2026-02-30","to_date":"2026-11-01"}""", "from_date")]
    [InlineData("query_event_counts", """{"events":["A"],"from_date":"2026-11-01T00:00:00Z","to_date":"2026-11-02"}""", "from_date")]
    [InlineData("query_event_counts", """{"events":["A"],"type":"unique","unit":"hour","interval":1}""", "unit")]
    [InlineData("query_event_counts", """{"events":["A"],"type":"unique","unit":"minute","interval":1}""", "unit")]
    [InlineData("query_event_counts", """{"events":["A"],"unit":"year","interval":1}""", "unit")]
    [InlineData("query_event_counts", """{"events":["A"],"unit":"Day","interval":1}""", "unit")]
    [InlineData("query_event_counts", """{"events":["A"],"type":"","interval":1}""", "type")]
    [InlineData("query_event_property_counts", """{"event":"","property":"p","interval":1}""", "event")]
    [InlineData("query_event_property_counts", """{"event":"A","property":"","interval":1}""", "property")]
    [InlineData("query_event_property_counts", """{"event":"A","property":"p","interval":1,"limit":0}""", "limit")]
    [InlineData("query_event_property_counts", """{"event":"A","property":"p","interval":1,"values":["a",""]}""", "values[1]")]
    [InlineData("query_event_property_counts", """{"event":"A","property":"p"}""", "interval")]
    [InlineData("get_top_events", """{"limit":-1}""", "limit")]
    [InlineData("get_event_names", """{"limit":0}""", "limit")]
    [InlineData("get_event_properties", """{"event":""}""", "event")]
    [InlineData("get_event_property_values", """{"event":"A","property":""}""", "property")]
    public async Task A_bad_input_is_named_and_nothing_is_sent(string action, string input, string field)
    {
        await using var server = await Server();
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(() => client.CallAsync(action, input))).Error;

        Assert.Equal((ErrorKind.InvalidInput, field), (error.Kind, error.Field));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Values_that_no_enumeration_has_and_half_characters_are_refused_from_NET_too()
    {
        await using var server = await Server();
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal("type", (await Given.FailsAsync(client.GetTopEventsAsync(new() { Type = (EventCountType)7 }))).Error.Field);
        Assert.Equal("unit",
            (await Given.FailsAsync(client.QueryEventCountsAsync(new() { Events = ["A"], Unit = (EventCountUnit)7, Interval = 1 }))).Error.Field);
        Assert.Equal("events[0]", (await Given.FailsAsync(client.QueryEventCountsAsync(new() { Events = ["\ud800"], Interval = 1 }))).Error.Field);
        Assert.Equal("property", (await Given.FailsAsync(client.GetEventPropertyValuesAsync(new() { Event = "A", Property = "\udc00" }))).Error.Field);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(550, true)]
    [InlineData(560, false)]
    public async Task More_names_than_an_address_can_hold_are_refused_before_they_are_sent(int names, bool sent)
    {
        await using var server = await Server();
        using var client = new MixpanelClient(Given.Account().At(server));
        var call = client.QueryEventCountsAsync(new()
        {
            Events = [.. Enumerable.Range(1000, names).Select(n => n.ToString(CultureInfo.InvariantCulture))],
            Interval = 1,
        });

        if (sent) await call;
        else Assert.Equal("events", (await Given.FailsAsync(call)).Error.Field);
        Assert.Equal(sent ? 1 : 0, server.Requests.Count);
    }

    [Theory]
    [InlineData("query_event_counts", "[]")]
    [InlineData("query_event_counts", "null")]
    [InlineData("query_event_counts", "{}")]
    [InlineData("query_event_counts", """{"data":{"series":[]}}""")]
    [InlineData("query_event_counts", """{"data":{"series":[null],"values":{}}}""")]
    [InlineData("query_event_counts", """{"data":{"series":[],"values":{"A":[1]}}}""")]
    [InlineData("query_event_counts", """{"data":{"series":[],"values":{"A":{"2026-11-22":"3"}}}}""")]
    [InlineData("query_event_counts", """{"data":{"series":[],"values":{"A":{"2026-11-22":1e999}}}}""")]
    [InlineData("query_event_counts", """{"data":{"series":[],"values":{"\ud800":{}}}}""")]
    [InlineData("query_event_counts", """{"data":{"series":[],"values":{}},"legend_size":1.5}""")]
    [InlineData("query_event_property_counts", """{"data":[]}""")]
    [InlineData("get_top_events", """{"type":"general"}""")]
    [InlineData("get_top_events", """{"events":[{"event":"A","amount":1}]}""")]
    [InlineData("get_top_events", """{"events":[null]}""")]
    [InlineData("get_event_names", """{"names":[]}""")]
    [InlineData("get_event_names", """["A",null]""")]
    [InlineData("get_event_names", """["\udc00"]""")]
    [InlineData("get_event_names", """[["A"]]""")]
    [InlineData("get_event_properties", """[]""")]
    [InlineData("get_event_properties", """{"x":1}""")]
    [InlineData("get_event_properties", """{"x":{"count":1.5}}""")]
    [InlineData("get_event_property_values", """{}""")]
    public async Task An_odd_answer_is_not_trusted(string action, string reply)
    {
        await using var server = await Server(reply);
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(() => client.CallAsync(action, Input(action)))).Error.Kind);
    }

    [Theory]
    [InlineData("query_event_counts")]
    [InlineData("query_event_property_counts")]
    [InlineData("get_top_events")]
    [InlineData("get_event_names")]
    [InlineData("get_event_properties")]
    [InlineData("get_event_property_values")]
    public async Task A_refusal_says_why(string action)
    {
        await using var server = await Server("""{"request":"/api/query/events","error":"no such thing"}""", 400);
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(() => client.CallAsync(action, Input(action)))).Error;

        Assert.Equal(ErrorKind.Rejected, error.Kind);
        Assert.Contains("no such thing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_schema_names_the_choices_and_the_dates()
    {
        var properties = ActionCatalogue.Find("query_event_counts")!.InputSchema()["properties"]!;

        Given.JsonEqual("""{"type":"string","enum":["general","unique","average"]}""", JsonElement.Parse(properties["type"]!.ToJsonString()));
        Given.JsonEqual("""{"type":"string","enum":["minute","hour","day","week","month"]}""", JsonElement.Parse(properties["unit"]!.ToJsonString()));
        Given.JsonEqual("""{"type":"string","format":"date"}""", JsonElement.Parse(properties["from_date"]!.ToJsonString()));
    }

    static string Input(string action) => action switch
    {
        "query_event_counts" => """{"events":["A"],"interval":1}""",
        "query_event_property_counts" => """{"event":"A","property":"p","interval":1}""",
        "get_event_properties" => """{"event":"A"}""",
        "get_event_property_values" => """{"event":"A","property":"p"}""",
        _ => "{}",
    };
}
