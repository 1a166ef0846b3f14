using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Binding;

/// <summary>External inputs are validated against their schema; each error has its path, and nothing is sent.</summary>
public sealed class BindingTests
{
    const string Properties = """{"time":1,"distinct_id":"","$insert_id":"a"}""";

    public static TheoryData<string, string, string?, string> Faults => new()
    {
        { "get_all_service_accounts", "[]", null, "must be a JSON object, not an array" },
        { "get_all_service_accounts", "null", null, "must be a JSON object, not null" },
        { "get_all_service_accounts", "{}", "organization_id", "organization_id: is missing" },
        { "get_all_service_accounts", """{"organization_id":"1"}""", "organization_id", "must be an integer, not a string" },
        { "get_all_service_accounts", """{"organization_id":1.5}""", "organization_id", "must be an integer, not a number with a fraction or out of range" },
        { "get_all_service_accounts", """{"organization_id":99999999999999999999}""", "organization_id", "must be an integer" },
        { "get_all_service_accounts", """{"organization_id":null}""", "organization_id", "must be an integer, not null" },
        { "get_all_service_accounts", """{"organization_id":1,"organisation":2}""", "organisation", "is not a known field. The fields are organization_id" },
        { "get_all_service_accounts", """{"Organization_Id":1,"organization_id":1}""", "Organization_Id", "is not a known field" },
        { "get_all_service_accounts", """{"organization_id":1,"organization_id":1}""", "organization_id", "is given twice" },
        { "create_service_account", """{"username":1,"role":[],"projects":{} }""", "username",
            "username: must be a string, not a number; role: must be a string, not an array; projects: must be an array, not an object." },
        { "create_service_account", """{"username":"a","projects":[1,{"id":2,"role":3}]}""", "projects[1].role", "must be a string, not a number" },
        { "create_service_account", """{"username":"a","projects":[true]}""", "projects[0]", "must be an integer or a string or an object, not a boolean" },
        { "create_service_account", """{"username":"a","projects":[{"role":"admin"}]}""", "projects[0].id", "is missing" },
        { "create_service_account", """{"username":"a","projects":[{"id":1,"rol":"admin"}]}""", "projects[0].rol",
            "is not a known field; did you mean role? The fields are id, role" },
        { "create_service_account", """{"username":"a","projects":[{"id":1,"id":2}]}""", "projects[0].id", "is given twice" },
        { "create_service_account", """{"username":"a","projects":[{"id":1.5}]}""", "projects[0].id", "must be an integer or a string" },
        { "create_service_account", """{"username":null,"role":null}""", "username", "username: must be a string, not null." },
        { "create_service_account", """{"username":"a","projects":[{"id":null}]}""", "projects[0].id", "must be an integer or a string, not null" },
        { "create_service_account", """{"username":"a","projects":[null]}""", "projects[0]", "must be an integer or a string or an object, not null" },
        { "create_service_account", """{"username":"\ud800"}""", "username", "is not valid Unicode" },
        { "query_user_profiles", """{"output_properties":["a",1]}""", "output_properties[1]", "must be a string, not a number" },
        { "query_user_profiles", """{"output_properties":"a"}""", "output_properties", "must be an array, not a string" },
        { "query_user_profiles", """{"where":"\udc00 half"}""", "where", "is not valid Unicode" },
        { "query_event_counts", """{"events":["A"],"type":"all","unit":"\ud800","from_date":"1.11.2026"}""", "type",
            "type: must be one of general, unique, average; unit: is not valid Unicode; from_date: must be a date such as 2026-01-31." },
        { "query_event_counts", """{"events":["A"],"type":1,"unit":null,"from_date":20261101}""", "type",
            "type: must be a string, not a number; from_date: must be a string, not a number." },
        { "query_user_profiles", """{"output_properties":[null]}""", "output_properties[0]", "must be a string, not null" },
        { "get_all_service_accounts", """{"organization_id":9223372036854775808.0}""", "organization_id", "must be an integer" },
        { "get_all_service_accounts", """{"organization_id":92233720368547758.075}""", "organization_id", "must be an integer" },
        { "get_all_service_accounts", """{"organization_id":1.00000000000000000000000000000000000001}""", "organization_id", "must be an integer" },
        { "get_all_service_accounts", """{"organization_id":1e-1}""", "organization_id", "must be an integer" },
        { "get_all_service_accounts", """{"organization_id":1e19}""", "organization_id", "must be an integer" },
        { "get_all_service_accounts", """{"organization_id":1e99999999999999999999}""", "organization_id", "must be an integer" },
        { "import_events", """{"strict":1,"events":["a"]}""", "strict", "strict: must be a string, not a number; properties: is missing." },
        { "import_events", """{"strict":"ture","properties":{},"events":[]}""", "strict",
            "strict: must be one of 1, 0, true, false; did you mean true?; events: must not be empty." },
        { "import_events", """{"strict":"1","properties":{},"events":["a","b","c",{"event":"d","properties":[]}]}""", "events[3].properties",
            "must be an object, not an array" },
        { "import_events", """{"strict":"1","properties":{},"events":[{"properties":{} }]}""", "events[0].event", "is missing" },
        { "import_events", """{"strict":"1","properties":{},"events":[{"event":"a","time":1}]}""", "events[0].time",
            "is not a known field. The fields are event, properties" },
        { "import_events", """{"strict":"1","properties":{},"events":[{"event":"a","event":"b"}]}""", "events[0].event", "is given twice" },
        { "import_events", """{"strict":"1","properties":{},"events":[null]}""", "events[0]", "must be a string or an object, not null" },
        { "import_events", """{"strict":"1","properties":{},"events":[{"event":"a","properties":{"x":[{"y":"\ud800"}]}}]}""", "events[0].properties.x[0].y",
            "is not valid Unicode" },
        { "import_events", """{"strict":"1","properties":{},"events":[{"event":"a","properties":{"\ud800":1}}]}""", "events[0].properties",
            "has a name that is not valid Unicode" },
        { "import_events", """{"strict":"1","properties":{},"events":[{"event":"a","properties":{"x":1,"y":2,"x":3}}]}""", "events[0].properties.x",
            "is given twice" },
        { "import_events", """{"strict":"1","properties":{"a":{"b":1,"\u0062":2}},"events":["a"]}""", "properties.a.b", "is given twice" },
        { "track_event", """{"event":"a"}""", "properties", "is missing" },
        { "track_event", """{"event":"a","strict":"","project_id":"-1","properties":{"time":1,"distinct_id":"","$insert_id":"a"}}""", "strict",
            "strict: must be one of 1, 0, true, false; project_id: must be a positive integer as text, or <YOUR_PROJECT_ID> for the configured project." },
        { "track_event", """{"event":"a","properties":{}}""", "properties.time",
            "properties.time: is missing; properties.distinct_id: is missing; properties.$insert_id: is missing." },
        { "track_event", """{"event":"a","properties":{"time":"now","distinct_id":1,"$insert_id":null}}""", "properties.time",
            "properties.time: must be an integer, not a string; properties.distinct_id: must be a string, not a number; properties.$insert_id: "
            + "must be a string, not null." },
        { "track_event", """{"event":"a","properties":{"time":1,"distinct_id":"","$insert_id":"a","x":1,"x":2}}""", "properties.x", "is given twice" },
        { "track_event", """{"event":"\ud800","properties":{"time":1,"distinct_id":"","$insert_id":"a"}}""", "event", "is not valid Unicode" },
        { "track_event", """{"event":"a","\ud800":1,"properties":{"time":1,"distinct_id":"","$insert_id":"a"}}""", null,
            "has a name that is not valid Unicode" },
        { "track_event", """{"event":"a","strict":1,"project_id":5,"properties":{"time":1,"distinct_id":"","$insert_id":"a"}}""", "strict",
            "project_id: must be a string, not a number" },
    };

    [Theory, MemberData(nameof(Faults))]
    public async Task A_fault_is_named_with_its_path(string action, string input, string? field, string said)
    {
        await using var server = await RecordingServer.StartAsync();
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(() => client.CallAsync(action, input))).Error;

        Assert.Equal((ErrorKind.InvalidInput, field), (error.Kind, error.Field));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Of_many_faults_the_first_ten_are_shown_and_the_rest_counted()
    {
        using var client = new MixpanelClient(Given.Account());

        var error = (await Given.FailsAsync(() => client.CallAsync("query_user_profiles",
            $$"""{"output_properties":[{{string.Join(',', Enumerable.Repeat("1", 25))}}]}"""))).Error;

        Assert.Equal(10, error.Message.Split("must be a string").Length - 1);
        Assert.EndsWith(" (and 15 more).", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_hundred_faults_no_more_are_looked_for()
    {
        using var client = new MixpanelClient(Given.Account());

        var error = (await Given.FailsAsync(() => client.CallAsync("query_user_profiles",
            $$"""{{{string.Join(',', Enumerable.Range(0, 1000).Select(n => $"\"n{n}\":1"))}}}"""))).Error;

        Assert.Equal(10, error.Message.Split("is not a known field").Length - 1);
        Assert.EndsWith(" (and at least 90 more).", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_path_is_cut_where_it_is_shown()
    {
        using var client = new MixpanelClient(Given.Account());
        var name = new string('n', 5000);

        var error = (await Given.FailsAsync(() => client.CallAsync("query_user_profiles", $$"""{"{{name}}":1}"""))).Error;

        Assert.Equal($"{name[..200]}…", error.Field);
        Assert.DoesNotContain(name[..201], error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string> Alike => new()
    {
        { "query_user_profiles", """{"where":null,"output_properties":null,"page":null,"session_id":null}""", "{}" },
        { "query_user_profiles", """{"page":0.0}""", """{"page":0}""" },
        { "query_user_profiles", """{"page":-0}""", """{"page":0}""" },
        { "query_user_profiles", """{"page":0e9}""", """{"page":0}""" },
        { "query_user_profiles", """{"page":20E-1,"session_id":"s","where":"a\u0021"}""", """{"page":2,"session_id":"s","where":"a!"}""" },
        { "query_user_profiles", """{"page":9007199254740993.0,"session_id":"s"}""", """{"page":9007199254740993,"session_id":"s"}""" },
        { "query_user_profiles", """{"page":922337203685477580700e-2,"session_id":"s"}""", """{"page":9223372036854775807,"session_id":"s"}""" },
        { "query_user_profiles", """{"page":0.0000000000000000000000000000000000000000000000003e49,"session_id":"s"}""", """{"page":3,"session_id":"s"}""" },
        { "query_event_counts", """{"events":["A"],"type":null,"unit":"day","interval":3e1,"from_date":null,"to_date":null}""",
            """{"events":["A"],"unit":"day","interval":30}""" },
        { "track_event", $$"""{"strict":null,"project_id":null,"event":"a","properties":{{Properties}} }""",
            $$"""{"event":"a","properties":{{Properties}} }""" },
        { "track_event", """{"event":"a","properties":{"time":1.79E9,"distinct_id":"","$insert_id":"a","x":null,"y":1.0,"z":1e2}}""",
            """{"event":"a","properties":{"time":1790000000,"distinct_id":"","$insert_id":"a","x":null,"y":1.0,"z":1e2}}""" },
        { "import_events", """{"strict":"1","properties":{},"events":[{"event":"a","properties":null}]}""",
            """{"strict":"1","properties":{},"events":["a"]}""" },
    };

    [Theory, MemberData(nameof(Alike))]
    public async Task What_means_the_same_is_sent_alike(string action, string input, string plain)
    {
        await using var server = await RecordingServer.StartAsync(request =>
            Answer.Json(request.Path.StartsWith("/import", StringComparison.Ordinal)
                ? Given.ImportedOne
                : """{"results":[],"page":0,"status":"ok","data":{"series":[],"values":{}},"legend_size":0}"""));
        using var client = new MixpanelClient(Given.Account().At(server));

        await client.CallAsync(action, input);
        await client.CallAsync(action, plain);

        Assert.Equal(server.Requests[0].Text, server.Requests[1].Text);
        Assert.Equal(server.Requests[0].Line, server.Requests[1].Line);
    }

    [Fact]
    public async Task A_project_may_be_a_whole_number_of_any_form()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":{"id":9,"username":"bot.x","token":"t"},"status":"ok"}"""));
        using var client = new MixpanelClient(Given.Account().At(server));

        await client.CallAsync("create_service_account",
            """{"username":"a","organization_id":5.0,"role":null,"expires":null,"projects":[1.0,{"id":2e0,"role":null}]}""");
        await client.CallAsync("create_service_account", """{"username":"a","organization_id":5,"projects":[1,{"id":2}]}""");

        Assert.Equal(server.Requests[0].Text, server.Requests[1].Text);
    }

    [Fact]
    public async Task A_default_is_filled_in_and_a_given_value_stays()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Given.ImportedOne));
        using var client = new MixpanelClient(Given.Account().At(server));

        await client.CallAsync("track_event", $$"""{"event":"a","properties":{{Properties}} }""");
        await client.CallAsync("track_event", $$"""{"project_id":"3","properties":{{Properties}},"strict":"0","event":"a"}""");

        Assert.Equal("POST /import?strict=1&project_id=12345\nPOST /import?strict=0&project_id=3", server.Lines);
    }
}
