using System.Net.Http.Headers;
using System.Text;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>Each operation's answers and errors, field by field, as Mixpanel documents them.</summary>
public sealed class DocumentedShapeTests
{
    const string Ingestion = """{"code":"int","error":"string","status":"string"}""";
    const string App = """{"error":"string","status":"=error"}""";
    const string Typed = """{"status":"=error","type":"string","error":"string"}""";
    const string Query = """{"request":"string","error":"string"}""";
    const string Ok = """{"status":"=ok"}""";
    const string Imported = """{"code":"int","num_records_imported":"int","status":"=OK"}""";
    const string Series = """{"data":{"series":["date"],"values":{"*":{"*":"number"}}},"legend_size":"int"}""";
    const string Account = """{"id":"int","username":"string","last_used":"date|null","expires":"date|null","creator":"int","creator_name":"string","creator_email":"string","created":"date","user":"int"}""";
    const string MemberAccount = """{"id":"int","username":"string","last_used":"date|null","expires":"date|null","creator":"int","creator_name":"string","creator_email":"string","created":"date","user":"int","hasSensitiveAccess":"bool","role":"string","role_order":"int","target_type":"string","email":"string"}""";
    const string Annotation = """{"id":"int","date":"date","description":"string","user":{"id":"int","first_name":"string","last_name":"string"},"tags":[{"id":"int","name":"string"}]}""";
    const string Tag = """{"id":"int","name":"string","project_id":"int","has_annotations":"bool"}""";
    const string Schema = """{"description":"string","properties":{"*":{"type":"string"}},"metadata":{"com.mixpanel":{"displayName":"string"}}}""";
    const string Flag = """
        {"name":"string","key":"string","tags":"array","context":"string","serving_method":"string","ruleset":{"variants":[{"key":"string","value":"any","is_control":"bool","split":"number"}],"rollout":[{"rollout_percentage":"number","variant_splits":{"*":"number"}}]},
        "status":"string","id":"string","project_id":"int","workspace_id":"int","project_name":"string","content_type":"=feature-flags","created":"date","creator_id":"int","creator_name":"string","creator_email":"string",
        "modified":"date","last_modified_by_id":"int","last_modified_by_name":"string","last_modified_by_email":"string","is_favorited":"bool","pinned_date":"null","enabled_at":"date|null","deleted":"null","can_edit":"bool","can_view":"bool","can_share":"bool","can_update_basic":"bool"}
        """;
    const string Experiment = """
        {"id":"string","name":"string","content_type":"string","description":"string","created":"date","creator_id":"int","creator_name":"string","creator_email":"string","modified":"date","deleted":"date|null","is_favorited":"bool","pinned_date":"null","tags":"array",
        "last_modified_by_id":"int","last_modified_by_name":"string","last_modified_by_email":"string","can_edit":"bool","can_view":"bool","can_share":"bool","can_update_basic":"bool","hypothesis":"string","status":"string","variants":"array","metrics":"array","settings":"object",
        "exposures_cache":"object","results_cache":"object","start_date":"date|null","end_date":"date|null","feature_flag":"null"}
        """;
    const string FunnelDate = """{"steps":[{"count":"int","goal":"string","step_conv_ratio":"number","overall_conv_ratio":"number","avg_time":"int|null","avg_time_from_start":"int","event":"string","step_label":"string"}],"analysis":{"completion":"int","starting_amount":"int","steps":"int","worst":"int"}}""";
    const string FlagBody = """{"name":"N","key":"k","tags":[],"context":"distinct_id","serving_method":"client","ruleset":{"variants":[{"key":"On","value":true,"is_control":false,"split":1}],"rollout":[{"rollout_percentage":1,"variant_splits":{"On":1}}]}}""";

    const string Days = "&from_date=2026-09-01&to_date=2026-09-01";
    const string Q = "/api/query";
    const string Organization = "/api/app/organizations/1/service-accounts";
    const string Project = "/api/app/projects/1";
    const string Flags = Project + "/workspaces/1/feature-flags";
    const string Experiments = "/api/app/workspaces/1/experiments";
    const string Table = "/lookup-tables/" + DevelopmentCredentials.LookupTableId + "?project_id=1";

    /// <summary>What is sent as whom, and the status and shape that come back. The requests of one row go one after the other; ids of answers stand in for <c>{id}</c>.</summary>
    public static TheoryData<string, string, string, string?, int, string> Operations { get; } = new()
    {
        { "import-events", "POST", "/import?strict=1&project_id=1", "[EVENT]", 200, Imported },
        { "import-events, one invalid", "POST", "/import?strict=1&project_id=1", """[{"event":"x","properties":{}}]""", 400, """{"code":"int","error":"string","failed_records":[{"index":"int","insert_id":"string","field":"string","message":"string"}],"num_records_imported":"int","status":"=Bad Request"}""" },
        { "import-events, not strict", "POST", "/import?strict=0&project_id=1", """[{"event":"x","properties":{}}]""", 200, Imported },
        { "import-events, malformed", "POST", "/import?strict=1&project_id=1", "[", 400, Ingestion },
        { "import-events, no account", "POST", "/import?strict=1&project_id=1", "[EVENT]", 401, Ingestion },
        { "import-events, other project", "POST", "/import?strict=1&project_id=9", "[EVENT]", 403, Ingestion },
        { "identity-merge, simplified", "POST", "/import?strict=1&project_id=1", """[{"event":"$merge","properties":{"$distinct_ids":["a","b"]}}]""", 400, """{"code":"int","error":"string","failed_records":["string"],"num_records_imported":"int","status":"=Bad Request"}""" },
        { "track-event", "POST", "/track", "[TRACKED]", 200, "\"int\"" },
        { "track-event, verbose", "POST", "/track?verbose=1", "[TRACKED]", 200, """{"error":"null","status":"int"}""" },
        { "track-event, invalid", "POST", "/track?verbose=1", "[{}]", 200, """{"error":"string","status":"int"}""" },
        { "profile-set", "POST", "/engage", """[{"$token":"local","$distinct_id":"a","$set":{"x":1}}]""", 200, "\"int\"" },
        { "profile-set, strict", "POST", "/engage?strict=1", """[{"$token":"local","$distinct_id":"a","$set":{"x":1}}]""", 200, """{"error":"null","num_good_events":"int","status":"int"}""" },
        { "group-set-property", "POST", "/groups?verbose=1", """[{"$token":"local","$group_key":"k","$group_id":"g","$set":{"x":1}}]""", 200, """{"error":"null","status":"int"}""" },
        { "delete-group", "POST", "/groups?verbose=1", """[{"$token":"local","$group_key":"k","$group_id":"g","$delete":""}]""", 200, """{"error":"null","status":"int"}""" },
        { "list-lookup-tables", "GET", "/lookup-tables?project_id=1", null, 200, """{"code":"int","status":"=OK","results":[{"id":"string","name":"string"}]}""" },
        { "list-lookup-tables, no account", "GET", "/lookup-tables?project_id=1", null, 401, Ingestion },
        { "replace-lookup-table", "PUT", Table, "id,n\n1,a\n", 200, """{"code":"int","status":"=OK"}""" },
        { "replace-lookup-table, bad row", "PUT", Table, "id,n\n1\n", 400, """{"code":"int","error":"string","status":"string","failed_records":[{"index":"int","message":"string"}]}""" },
        { "replace-lookup-table, unknown", "PUT", "/lookup-tables/00000000-0000-4000-8000-000000000009?project_id=1", "id\n1\n", 404, Ingestion },
        { "insights-query", "GET", Q + "/insights?project_id=1&bookmark_id=1", null, 200, """{"computed_at":"date","date_range":{"from_date":"date","to_date":"date"},"headers":["string"],"series":{"*":{"*":"number"}}}""" },
        { "funnels-query", "GET", Q + "/funnels?project_id=1&funnel_id=2" + Days, null, 200, $$$"""{"meta":{"dates":["date"]},"data":{"*":{{{FunnelDate}}}}}""" },
        { "funnels-list-saved", "GET", Q + "/funnels/list?project_id=1", null, 200, """[{"funnel_id":"int","name":"string"}]""" },
        { "retention-query", "GET", Q + "/retention?project_id=1&born_event=Signed up" + Days, null, 200, """{"*":{"counts":["int"],"first":"int"}}""" },
        { "retention-frequency-query", "GET", Q + "/retention/addiction?project_id=1&unit=day&addiction_unit=hour" + Days, null, 200, """{"data":{"*":["int"]}}""" },
        { "segmentation-query", "GET", Q + "/segmentation?project_id=1&event=Signed up" + Days, null, 200, Series },
        { "segmentation-numeric-query", "GET", Q + "/segmentation/numeric?project_id=1&event=Signed up&on=properties[\"time\"]" + Days, null, 200, Series },
        { "segmentation-sum-query", "GET", Q + "/segmentation/sum?project_id=1&event=Signed up&on=1" + Days, null, 200, """{"status":"=ok","computed_at":"date","results":{"*":"number"}}""" },
        { "segmentation-query-average", "GET", Q + "/segmentation/average?project_id=1&event=Signed up&on=1" + Days, null, 200, """{"status":"=ok","results":{"*":"number"}}""" },
        { "activity-stream-query", "GET", Q + "/stream/query?project_id=1&distinct_ids=[\"ada\"]" + Days, null, 200, """{"status":"=ok","results":{"events":[{"event":"string","properties":"object"}]}}""" },
        { "cohorts-list", "POST", Q + "/cohorts/list?project_id=1", null, 200, """[{"count":"int","is_visible":"int","description":"string","created":"date","project_id":"int","id":"int","name":"string"}]""" },
        { "engage-query", "POST", Q + "/engage?project_id=1", null, 200, """{"page":"int","page_size":"int","session_id":"string","status":"=ok","total":"int","results":[{"$distinct_id":"string","$properties":"object"}]}""" },
        { "list-recent-events", "GET", Q + "/events?project_id=1&event=[\"Signed up\"]&type=general&unit=day" + Days, null, 200, Series },
        { "query-top-events", "GET", Q + "/events/top?project_id=1&type=unique", null, 200, """{"events":[{"amount":"int","event":"string","percent_change":"number"}],"type":"=unique"}""" },
        { "query-months-top-event-names", "GET", Q + "/events/names?project_id=1&type=general", null, 200, """["string"]""" },
        { "query-event-properties", "GET", Q + "/events/properties?project_id=1&event=Signed up&name=distinct_id&type=general&unit=day" + Days, null, 200, Series },
        { "query-events-top-properties", "GET", Q + "/events/properties/top?project_id=1&event=Signed up", null, 200, """{"*":{"count":"int"}}""" },
        { "query-events-top-property-values", "GET", Q + "/events/properties/values?project_id=1&event=Signed up&name=distinct_id", null, 200, """["string"]""" },
        { "raw-event-export", "GET", "/api/2.0/export?project_id=1" + Days, null, 200, """{"event":"string","properties":{"time":"int","distinct_id":"string","$insert_id":"string","mp_processing_time_ms":"int","$import":"bool"}}""" },
        { "a query without its project", "GET", Q + "/events/names?type=general", null, 400, Query },
        { "a query, no account", "GET", Q + "/events/names?project_id=1&type=general", null, 401, Query },
        { "a query of another project", "GET", Q + "/events/names?project_id=9&type=general", null, 403, Query },
        { "a query with a bad selector", "GET", Q + "/segmentation?project_id=1&event=x&where=(" + Days, null, 400, Query },
        { "query-jql", "POST", Q + "/jql?project_id=1", null, 501, App },
        { "me", "GET", "/api/app/me", null, 200, """{"results":{"user_id":"int","user_name":"string","organizations":{"*":"object"},"projects":{"*":"object"},"workspaces":{"*":"object"}},"status":"=ok"}""" },
        { "list-service-accounts", "GET", Organization, null, 200, $$"""{"results":[{{Account}}],"status":"=ok"}""" },
        { "create-service-account", "POST", Organization, """{"username":"new","role":"analyst","expires":"2027-01-01T00:00:00Z","projects":[{"id":1,"role":"consumer"}]}""", 201, $$"""{"results":{"token":"string",{{Account[1..]}},"status":"=ok"}""" },
        { "create-service-account, no name", "POST", Organization, "{}", 400, App },
        { "create-service-account, no account", "POST", Organization, "{}", 401, App },
        { "get-service-account", "GET", Organization + "/1", null, 200, Account },
        { "get-service-account, unknown", "GET", Organization + "/99", null, 404, App },
        { "add-service-accounts-to-projects", "POST", Organization + "/add-to-project", """{"projects":[{"id":1,"role":"owner"}],"service_account_ids":[1]}""", 200, Ok },
        { "remove-service-accounts-from-projects", "POST", Organization + "/remove-from-project", """{"projects":[{"id":1,"service_account_ids":[99]}]}""", 404, App },
        { "list-project-service-accounts", "GET", Project + "/service-accounts", null, 200, $$"""{"results":[{{MemberAccount}}],"status":"=ok"}""" },
        { "delete-service-account", "DELETE", Organization + "/99", null, 404, App },
        { "list-all-annotations-for-project", "GET", Project + "/annotations", null, 200, $$"""{"results":[{{Annotation}}],"status":"=ok"}""" },
        { "create-annotation", "POST", Project + "/annotations", """{"date":"2026-09-01 00:00:00","description":"d","tags":[4]}""", 201, $$"""{"results":{{Annotation}},"status":"=ok"}""" },
        { "get-annotation", "GET", Project + "/annotations/5", null, 200, $$"""{"results":{{Annotation}},"status":"=ok"}""" },
        { "patch-annotation", "PATCH", Project + "/annotations/5", """{"description":"e"}""", 200, $$"""{"results":{{Annotation}},"status":"=ok"}""" },
        { "delete-annotation", "DELETE", Project + "/annotations/5", null, 200, """{"results":{"id":"int"},"status":"=ok"}""" },
        { "get-annotation-tags", "GET", Project + "/annotations/tags", null, 200, $"[{Tag}]" },
        { "create-annotation-tag", "POST", Project + "/annotations/tags", """{"name":"t"}""", 200, Tag },
        { "annotations, no account", "GET", Project + "/annotations", null, 401, App },
        { "list-all-schemas-for-project", "GET", Project + "/schemas", null, 200, $$"""{"results":[{"entityType":"string","name":"string","schemaJson":{{Schema}}}],"status":"=ok"}""" },
        { "upload-schemas-for-project", "POST", Project + "/schemas", """{"entries":[{"entityType":"profile","name":"$user","schemaJson":{}}],"truncate":true}""", 200, """{"results":{"added":"int","deleted":"int"},"status":"=ok"}""" },
        { "delete-all-schemas-in-project", "DELETE", Project + "/schemas", null, 200, """{"results":{"delete_count":"int"},"status":"=ok"}""" },
        { "list-schemas-for-entity", "GET", Project + "/schemas/event", null, 200, $$"""{"results":[{"entityType":"=event","name":"string","schemaJson":{{Schema}}}],"status":"=ok"}""" },
        { "delete-schemas-for-entity", "DELETE", Project + "/schemas/event?entity_name=Signed up", null, 200, """{"results":{"delete_count":"int"},"status":"=ok"}""" },
        { "list-schemas-by-entity-and-name", "GET", Project + "/schemas/event/Signed%20up", null, 200, Schema },
        { "upload-schema-by-entity-and-name", "POST", Project + "/schemas/event/x", "{}", 200, Ok },
        { "upload-schema-by-entity-and-name, bad", "POST", Project + "/schemas/event/x", """{"properties":{"a":{}}}""", 400, App },
        { "delete-schema-by-entity-and-name", "DELETE", Project + "/schemas/event/x", null, 200, """{"results":{"delete_count":"int"},"status":"=ok"}""" },
        { "create-retrieval", "POST", "/api/app/data-retrievals/v3.0?token=local", """{"distinct_ids":["ada"],"compliance_type":"CCPA","disclosure_type":"Data"}""", 201, """{"results":{"task_id":"string"},"status":"=ok"}""" },
        { "create-deletion", "POST", "/api/app/data-deletions/v3.0?token=local", """{"distinct_ids":["ada"],"compliance_type":"GDPR"}""", 201, """{"results":{"task_id":"string"},"status":"=ok"}""" },
        { "create-deletion, no account", "POST", "/api/app/data-deletions/v3.0?token=local", "{}", 401, App },
        { "get-variant-assignments", "GET", "/flags?token=local", null, 501, App },
        { "list-feature-flags", "GET", Flags, null, 200, $$"""{"results":[{{Flag}}],"status":"=ok"}""" },
        { "create-feature-flag", "POST", Flags, FlagBody.Replace("\"k\"", "\"l\"", StringComparison.Ordinal), 200, $$"""{"results":{{Flag}},"status":"=ok"}""" },
        { "create-feature-flag, bad", "POST", Flags, "{}", 400, Typed },
        { "get-feature-flag, unknown", "GET", Flags + "/x", null, 404, Typed },
        { "feature flags, no account", "GET", Flags, null, 401, Typed },
        { "list-experiments", "GET", Experiments, null, 200, $$"""{"results":[{{Experiment}}],"status":"=ok"}""" },
        { "create-experiment", "POST", Experiments, """{"name":"E","description":"d","hypothesis":"h","settings":{},"variants":[],"metrics":[]}""", 201, $$"""{"results":{{Experiment}},"status":"=ok"}""" },
        { "create-experiment, bad", "POST", Experiments, "{}", 400, Typed },
        { "get-experiment, unknown", "GET", Experiments + "/x", null, 404, Typed },
    };

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task An_operation_answers_as_documented(string operation, string method, string path, string? body, int status, string shape)
    {
        await using var mixpanel = await WithOneOfEachAsync();
        body = body?.Replace("EVENT", mixpanel.Event(insertId: "\"id-9\""), StringComparison.Ordinal).Replace("TRACKED", mixpanel.Event(more: "\"token\":\"local\""), StringComparison.Ordinal);
        var content = body is null ? null : new StringContent(body, Encoding.UTF8, path.StartsWith("/lookup-tables", StringComparison.Ordinal) ? "text/csv" : "application/json");
        var who = operation.EndsWith("no account", StringComparison.Ordinal) ? null
            : path.StartsWith("/api/app/data-", StringComparison.Ordinal) ? new AuthenticationHeaderValue("Bearer", DevelopmentCredentials.OAuthToken)
            : LocalMixpanel.Basic("local", "local");

        var answer = await mixpanel.SendAsync(new HttpMethod(method), path, content, who);

        Assert.True(answer.Status == status, $"{answer.Status}: {answer.Text}");
        Assert.StartsWith(shape == "\"int\"" || path.Contains("/export", StringComparison.Ordinal) ? "text/plain" : "application/json", answer.ContentType, StringComparison.Ordinal);
        Shape.Is(shape, answer.Json);
    }

    /// <summary>An event, a profile, and one document of each kind, with the ids from 1 on.</summary>
    static async Task<LocalMixpanel> WithOneOfEachAsync()
    {
        var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
        await mixpanel.PostAsync("/engage", """{"$token":"local","$distinct_id":"ada","$set":{"x":1}}""");
        foreach (var (path, json) in new[]
        {
            ("/emulator/projects/1/reports", """{"name":"r","events":["Signed up"]}"""),
            ("/emulator/projects/1/funnels", """{"name":"f","steps":[{"event":"Signed up"},{"event":"x"}]}"""),
            ("/emulator/projects/1/cohorts", """{"name":"c"}"""),
            (Project + "/annotations/tags", """{"name":"t"}"""),
            (Project + "/annotations", """{"date":"2026-09-01","description":"d","tags":[4]}"""),
            (Project + "/schemas/event/Signed%20up", """{"description":"d","properties":{"plan":{"type":"string"}},"metadata":{"com.mixpanel":{"displayName":"n"}}}"""),
            (Flags, FlagBody),
            (Experiments, """{"name":"E"}"""),
        })
            Assert.InRange((await mixpanel.SendAsync(HttpMethod.Post, path, new StringContent(json), LocalMixpanel.Basic("local", "local"))).Status, 200, 201);
        return mixpanel;
    }
}
