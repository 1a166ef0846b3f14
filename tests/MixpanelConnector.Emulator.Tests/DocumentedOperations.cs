namespace MixpanelConnector.Emulator.Tests;

/// <summary>A documented operation: a request with every documented parameter and member, and the expected answer.</summary>
/// <param name="Id">Mixpanel's operationId, and after a comma the case.</param>
/// <param name="Method">The method.</param>
/// <param name="Path">The path with its parameters; <c>{name}</c> stands for the id of a previously created document.</param>
/// <param name="Body">The body; null for none.</param>
/// <param name="Status">The documented status of success.</param>
/// <param name="Shape">The answer, as <see cref="Tests.Shape"/> writes it; null for no body.</param>
sealed record DocumentedOperation(string Id, string Method, string Path, string? Body, int Status, string? Shape)
{
    /// <summary>The parameters and members without which the request is refused.</summary>
    public string[] Required { get; init; } = [];

    /// <summary>Parameters that accept any text.</summary>
    public string[] AnyText { get; init; } = [];

    /// <summary>Whether the specification allows only the documented members.</summary>
    public bool IsClosed { get; init; }

    /// <summary>Whether the body is optional.</summary>
    public bool MayHaveNoBody { get; init; }

    /// <summary>The operations that must run before, by id.</summary>
    public string[] After { get; init; } = [];

    public override string ToString() => Id;
}

/// <summary>
/// The operations that Mixpanel documents and the embedded one answers, each as a row; those on records of <c>/track</c>, <c>/engage</c> and <c>/groups</c>
/// are <see cref="TrackingOperation"/>s.
/// </summary>
static class DocumentedOperations
{
    public const string Project = "/api/app/projects/1";
    public const string Flags = Project + "/workspaces/1/feature-flags";
    public const string Experiments = "/api/app/workspaces/1/experiments";
    public const string WarehouseImports = Project + "/warehouse-sources/imports";
    public const string Ok = """{"status":"=ok"}""";
    const string Q = "/api/query";
    const string Accounts = "/api/app/organizations/1/service-accounts";
    const string Query = "project_id=1&workspace_id=1";
    const string Days = "&from_date=2026-09-01&to_date=2026-09-01";
    const string Where = "&where=properties[\"time\"] > 0";
    const string On = "&on=properties[\"time\"]";
    const string Table = "/lookup-tables/" + DevelopmentCredentials.LookupTableId + "?project_id=1";

    const string Imported = """{"code":"int","num_records_imported":"int","status":"=OK"}""";
    const string Series = """{"data":{"series":["date"],"values":{"*":{"*":"number"}}},"legend_size":"int"}""";
    const string Account = """{"id":"int","username":"string","?last_used":"date","?expires":"date","creator":"int","creator_name":"string","creator_email":"string","created":"date","user":"int"}""";
    const string MemberAccount = """{"id":"int","username":"string","?last_used":"date","?expires":"date","creator":"int","creator_name":"string","creator_email":"string","created":"date","user":"int","hasSensitiveAccess":"bool","role":"string","role_order":"int","target_type":"=individual","email":"string"}""";
    const string Annotation = """{"id":"int","date":"date","project_id":"int","description":"string","user":{"id":"int","first_name":"string","last_name":"string"},"tags":[{"id":"int","name":"string"}]}""";
    const string Tag = """{"id":"int","name":"string","project_id":"int","has_annotations":"bool"}""";
    const string Schema = """{"description":"string","properties":{"*":{"type":"string"}},"metadata":{"com.mixpanel":{"displayName":"string"}}}""";
    const string Flag = """
        {"name":"string","key":"string","?description":"string|null","tags":["string"],"?experiment_id":"string|null","status":"string","context":"string","?data_group_id":"string|null","serving_method":"string","ruleset":{
        "variants":[{"key":"string","value":"any","?description":"string","is_control":"bool","split":"number","?is_sticky":"bool"}],"rollout":[{"rollout_percentage":"number","variant_splits":{"*":"number"}}],"?test":"object"},
        "workspace_id":"int","?is_experiment_active":"bool","?hash_salt":"string","id":"string","project_id":"int","content_type":"=feature-flags","created":"date","creator_id":"int","creator_name":"string","creator_email":"string",
        "modified":"date","last_modified_by_id":"int","last_modified_by_name":"string","last_modified_by_email":"string","is_favorited":"bool","pinned_date":"null","enabled_at":"date|null","deleted":"null","content_environments_id":"null","project_name":"string",
        "can_view":"bool","can_update_basic":"bool","can_share":"bool","can_pin":"bool","is_shared_with_project":"bool","is_superadmin":"bool","allow_staff_override":"bool"}
        """;
    const string Experiment = """
        {"id":"string","name":"string","content_type":"string","description":"string","created":"date","creator_id":"int","creator_name":"string","creator_email":"string","modified":"date","deleted":"date|null","is_favorited":"bool","pinned_date":"null","tags":"array",
        "last_modified_by_id":"int","last_modified_by_name":"string","last_modified_by_email":"string","can_view":"bool","can_update_basic":"bool","can_update_restricted":"bool","can_update_visibility":"bool","is_superadmin":"bool","allow_staff_override":"bool","can_share":"bool",
        "is_shared_with_project":"bool","hypothesis":"string","status":"string","variants":"array","metrics":"array","settings":"object","exposures_cache":"object","results_cache":"object","start_date":"date|null","end_date":"date|null","feature_flag":"null"}
        """;
    const string FunnelSteps = """[{"count":"int","goal":"string","step_conv_ratio":"number","overall_conv_ratio":"number","avg_time":"int|null","avg_time_from_start":"int","event":"string","step_label":"string"}]""";
    const string OneFlag = $$"""{"results":{{Flag}},"status":"=ok"}""";
    const string OneExperiment = $$"""{"results":{{Experiment}},"status":"=ok"}""";
    const string OneAnnotation = $$"""{"results":{{Annotation}},"status":"=ok"}""";
    const string Deleted = """{"results":{"delete_count":"int"},"status":"=ok"}""";
    const string Nothing = """{"results":{},"status":"=ok"}""";
    const string Task = """{"results":{"task_id":"string"},"status":"=ok"}""";

    public const string FlagBody = """
        {"name":"N","key":"k2","description":"d","tags":["t"],"experiment_id":"0b8f2ad5-2a6f-4f0e-9d2c-0a1b2c3d4e5f","status":"enabled","context":"distinct_id","data_group_id":"g","serving_method":"client","ruleset":{
        "variants":[{"key":"On","value":true,"description":"d","is_control":false,"split":1,"is_sticky":false}],"rollout":[{"rollout_percentage":1,"variant_splits":{"On":1}}],"test":{"users":{"ada":"On"}}},
        "workspace_id":1,"is_experiment_active":true,"hash_salt":"0123456789abcdef0123456789abcdef","reset_hash_salt":false}
        """;
    const string SchemaBody = """{"description":"d","properties":{"plan":{"type":"string","description":"d","metadata":{"com.mixpanel":{"displayName":"n","hidden":false,"dropped":false}}}},"metadata":{"com.mixpanel":{"$source":"s","displayName":"n","tags":["t"],"hidden":false,"dropped":false,"contacts":["a@b.c"],"teamContacts":["t"]}}}""";

    public const string PeopleImportBody = $$"""{"import_type":"people","user_column_name":"u",{{OfRecords}},{{OfImports}}}""";
    const string OfImports = """
        "warehouse_source_id":7,"table_params":{"table":"t"},"sync_mode":"full_sync","run_every":3600000000000,"databricks_params":{"export_cluster_config":{}}
        """;
    const string OfRecords = """
        "json_properties_column_name":"j","insert_time_column_name":"i","property_mappings":{"a":"b"}
        """;
    const string ImportSummary = """
        "id":"int","import_type":"string","sync_mode":"string","created":"date","creator_id":"int","creator_name":"string","creator_email":"string","warehouse_source_id":"int","table_params":"object","paused":"bool","run_every":"int","is_deleted":"bool"
        """;
    const string OneImport = $$"""{"results":{{{ImportSummary}},"?databricks_params":"object","?event_name":"string","?event_column_name":"string","?time_column_name":"string","?user_column_name":"string","?company_column_name":"string","?device_column_name":"string","?json_properties_column_name":"string","?insert_time_column_name":"string","?property_mappings":"object","?group_key":"string","?group_id_column":"string","?mixpanel_property":"object","?property_key_column_name":"string"},"status":"=ok"}""";

    static readonly string[] ImportRequired = ["import_type", "warehouse_source_id", "table_params", "sync_mode"];

    static readonly string[] FlagRequired = ["name", "key", "tags", "context", "serving_method", "ruleset"];

    public static IReadOnlyList<DocumentedOperation> All { get; } =
    [
        new("import-events", "POST", "/import?strict=1&project_id=1", "[EVENT]", 200, Imported) { Required = ["project_id"], AnyText = ["strict"] },
        new("import-events, lines", "POST", "/import?strict=1&project_id=1", "EVENT\n", 200, Imported) { AnyText = ["strict"] },
        new("import-events, not strict", "POST", "/import?strict=0&project_id=1", """[{"event":"x","properties":{}}]""", 200, Imported)
        {
            AnyText = ["strict"],
        },
        new("list-lookup-tables", "GET", "/lookup-tables?project_id=1", null, 200,
            """{"code":"int","status":"=OK","results":[{"id":"string","name":"string"}]}""") { Required = ["project_id"] },
        new("replace-lookup-table", "PUT", Table, "id,n\n1,a\n", 200, """{"code":"int","status":"=OK"}""") { Required = ["project_id"] },

        new("insights-query", "GET", $"{Q}/insights?{Query}&bookmark_id=1", null, 200,
            """{"computed_at":"date","date_range":{"from_date":"date","to_date":"date"},"headers":["string"],"series":{"*":{"*":"number"}}}""")
        {
            Required = ["project_id", "bookmark_id"],
        },
        new("funnels-query", "GET", $"{Q}/funnels?{Query}&funnel_id=2{Days}&length=2&length_unit=hour&interval=1&limit=10{Where}", null, 200,
            $$$$$"""{"meta":{"dates":["date"]},"data":{"*":{"steps":{{{{{FunnelSteps}}}}},"analysis":{"completion":"int","starting_amount":"int","steps":"int","worst":"int"}}}}""")
        {
            Required = ["project_id", "funnel_id", "from_date", "to_date"],
        },
        new("funnels-query, by segment", "GET", $"{Q}/funnels?{Query}&funnel_id=2{Days}&unit=week{On}&limit=10", null, 200,
            $$$$$"""{"meta":{"dates":["date"]},"data":{"*":{"*":{{{{{FunnelSteps}}}}}}}}"""),
        new("funnels-list-saved", "GET", $"{Q}/funnels/list?{Query}", null, 200, """[{"funnel_id":"int","name":"string"}]""") { Required = ["project_id"] },
        new("retention-query", "GET",
            $"{Q}/retention?{Query}{Days}&retention_type=birth&born_event=Signed "
            + $"up&event=x&born_where=true{Where}&interval=1&interval_count=2&unit=day&unbounded_retention=true&limit=5",
            null, 200,
            """{"*":{"counts":["int"],"first":"int"}}""")
        {
            Required = ["project_id", "from_date", "to_date", "born_event"],
            AnyText = ["born_event", "event"],
        },
        new("retention-frequency-query", "GET", $"{Q}/retention/addiction?{Query}{Days}&unit=day&addiction_unit=hour&event=Signed up{Where}&limit=5", null, 200,
            """{"data":{"*":["int"]}}""") { Required = ["project_id", "from_date", "to_date", "unit", "addiction_unit"], AnyText = ["event"] },
        new("segmentation-query", "GET", $"{Q}/segmentation?{Query}&event=Signed up{Days}{On}&unit=hour{Where}&limit=5&type=unique&format=json", null, 200,
            Series) { Required = ["project_id", "event", "from_date", "to_date"], AnyText = ["event"] },
        new("segmentation-query, in days", "GET", $"{Q}/segmentation?{Query}&event=Signed up{Days}&interval=1&type=average", null, 200, Series)
        {
            AnyText = ["event"],
        },
        new("segmentation-numeric-query", "GET", $"{Q}/segmentation/numeric?{Query}&event=Signed up{Days}{On}&unit=hour{Where}&type=general", null, 200,
            Series) { Required = ["project_id", "event", "from_date", "to_date", "on"], AnyText = ["event"] },
        new("segmentation-sum-query", "GET", $"{Q}/segmentation/sum?{Query}&event=Signed up{Days}{On}&unit=day{Where}", null, 200,
            """{"status":"=ok","computed_at":"date","results":{"*":"int"}}""")
        {
            Required = ["project_id", "event", "from_date", "to_date", "on"],
            AnyText = ["event"],
        },
        new("segmentation-query-average", "GET", $"{Q}/segmentation/average?{Query}&event=Signed up{Days}{On}&unit=day{Where}", null, 200,
            """{"status":"=ok","results":{"*":"number"}}""") { Required = ["project_id", "event", "from_date", "to_date", "on"], AnyText = ["event"] },
        new("activity-stream-query", "GET", $"{Q}/stream/query?{Query}&distinct_ids=[\"ada\"]{Days}", null, 200,
            """{"status":"=ok","results":{"events":[{"event":"string","properties":"object"}]}}""")
        {
            Required = ["project_id", "distinct_ids", "from_date", "to_date"],
        },
        new("query-jql", "POST", $"{Q}/jql?{Query}&script=function main() {{ return People(); }}&params={{\"a\":1}}", null, 200,
            """[{"distinct_id":"string","time":"int","last_seen":"int","properties":"object"}]""")
        {
            Required = ["project_id", "script"],
            AnyText = ["script"],
        },
        new("cohorts-list", "POST", $"{Q}/cohorts/list?{Query}", null, 200,
            """[{"count":"int","is_visible":"int","description":"string","created":"date","project_id":"int","id":"int","name":"string"}]""")
        {
            Required = ["project_id"],
        },
        new("engage-query", "POST",
            $"{Q}/engage?{Query}&distinct_ids=[\"ada\"]&where=defined(properties[\"x\"])&output_properties=[\"x\"]&page=0&as_of_timestamp=1788264000&behaviors=[]",
            null, 200,
            """{"page":"int","page_size":"int","session_id":"string","status":"=ok","total":"int","results":[{"$distinct_id":"string","$properties":{"x":"int"}}],"computed_at":"date"}""")
        {
            Required = ["project_id"],
        },
        new("engage-query, of a cohort", "POST", $"{Q}/engage?{Query}&distinct_id=ada&filter_by_cohort={{\"id\":3}}&include_all_users=false", null, 200,
            """{"page":"int","page_size":"int","session_id":"string","status":"=ok","total":"int","results":[{"$distinct_id":"string","$properties":"object"}],"computed_at":"date"}""")
        {
            AnyText = ["distinct_id"],
        },
        new("list-recent-events", "GET", $"{Q}/events?{Query}&event=[\"Signed up\"]&type=general&unit=day&interval=1{Days}&format=json", null, 200, Series)
        {
            Required = ["project_id", "event", "type", "unit"],
            AnyText = ["interval"],
        },
        new("list-recent-events, up to now", "GET", $"{Q}/events?{Query}&event=[\"Signed up\"]&type=unique&unit=week&interval=2", null, 200, Series)
        {
            Required = ["project_id", "event", "type", "unit", "interval"],
        },
        new("query-top-events", "GET", $"{Q}/events/top?{Query}&type=unique&limit=3", null, 200,
            """{"events":[{"amount":"int","event":"string","percent_change":"number"}],"type":"=unique"}""") { Required = ["project_id", "type"] },
        new("query-months-top-event-names", "GET", $"{Q}/events/names?{Query}&type=general&limit=3", null, 200, """["string"]""")
        {
            Required = ["project_id", "type"],
        },
        new("query-event-properties", "GET",
            $"{Q}/events/properties?{Query}&event=Signed up&name=distinct_id&values=[\"ada\"]&type=general&unit=day&interval=1{Days}&format=json&limit=3", null,
            200, Series) { Required = ["project_id", "event", "name", "type", "unit"], AnyText = ["event", "name", "interval"] },
        new("query-events-top-properties", "GET", $"{Q}/events/properties/top?{Query}&event=Signed up&limit=3", null, 200, """{"*":{"count":"int"}}""")
        {
            Required = ["project_id"],
            AnyText = ["event"],
        },
        new("query-events-top-property-values", "GET", $"{Q}/events/properties/values?{Query}&event=Signed up&name=distinct_id&limit=3", null, 200,
            """["string"]""") { Required = ["project_id", "event", "name"], AnyText = ["event", "name"] },
        new("raw-event-export", "GET", $"/api/2.0/export?project_id=1{Days}&limit=1&event=[\"Signed up\"]{Where}&time_in_ms=true", null, 200,
            """{"event":"string","properties":{"time":"int","distinct_id":"string","$insert_id":"string","mp_processing_time_ms":"int","$import":"bool"}}""")
        {
            Required = ["project_id", "from_date", "to_date"],
        },

        new("me", "GET", "/api/app/me", null, 200,
            """{"results":{"user_id":"int","user_name":"string","organizations":{"*":"object"},"projects":{"*":"object"},"workspaces":{"*":"object"}},"status":"=ok"}"""),
        new("projects", "GET", "/api/app/projects", null, 200,
            """{"results":[{"id":"int","name":"string","organization_id":"int","timezone":"string","role":"string"}],"status":"=ok"}"""),
        new("list-service-accounts", "GET", Accounts, null, 200, $$"""{"results":[{{Account}}],"status":"=ok"}"""),
        new("create-service-account", "POST", Accounts,
            """{"username":"new","role":"analyst","expires":"2027-01-01T00:00:00Z","projects":[{"id":1,"role":"consumer"},{"id":1}]}""", 201,
            $$"""{"results":{"token":"string",{{Account[1..]}},"status":"=ok"}""") { Required = ["username"] },
        new("get-service-account", "GET", Accounts + "/{account}", null, 200, Account),
        new("delete-service-account", "DELETE", Accounts + "/{account}", null, 200, Ok),
        new("add-service-accounts-to-projects", "POST", Accounts + "/add-to-project", """{"projects":[{"id":1,"role":"owner"}],"service_account_ids":[1]}""",
            200, Ok) { Required = ["projects", "service_account_ids"] },
        new("remove-service-accounts-from-projects", "POST", Accounts + "/remove-from-project", """{"projects":[{"id":1,"service_account_ids":[1]}]}""", 200,
            Ok) { Required = ["projects"] },
        new("list-project-service-accounts", "GET", Project + "/service-accounts", null, 200, $$"""{"results":[{{MemberAccount}}],"status":"=ok"}"""),

        new("get-variant-assignments", "GET", "/flags?project_id=1&context={\"distinct_id\":\"u\"}", null, 200,
            """{"code":"int","flags":{"*":{"variant_key":"string","variant_value":"any","?experiment_id":"string","?is_experiment_active":"bool","is_qa_tester":"bool"}}}""")
        {
            Required = ["project_id", "context"],
        },
        new("get-flag-definitions", "GET", "/flags/definitions?project_id=1", null, 200, """{"flags":["object"]}""") { Required = ["project_id"] },
        new("list-all-annotations-for-project", "GET", Project + "/annotations?fromDate=2026-09-01&toDate=2026-09-01", null, 200,
            $$"""{"results":[{{Annotation}}],"status":"=ok"}"""),
        new("create-annotation", "POST", Project + "/annotations", """{"date":"2026-09-01 00:00:00","description":"d","tags":[4]}""", 200, OneAnnotation)
        {
            Required = ["date", "description"],
        },
        new("get-annotation", "GET", Project + "/annotations/5", null, 200, OneAnnotation),
        new("patch-annotation", "PATCH", Project + "/annotations/5", """{"description":"e","tags":[4]}""", 200, OneAnnotation),
        new("delete-annotation", "DELETE", Project + "/annotations/5", null, 200, """{"results":{"id":"int"},"status":"=ok"}"""),
        new("get-annotation-tags", "GET", Project + "/annotations/tags", null, 200, $$"""{"results":[{{Tag}}],"status":"=ok"}"""),
        new("create-annotation-tag", "POST", Project + "/annotations/tags", """{"name":"t"}""", 200, $$"""{"results":{{Tag}},"status":"=ok"}""")
        {
            Required = ["name"],
        },

        new("list-all-schemas-for-project", "GET", Project + "/schemas", null, 200,
            $$"""{"results":[{"entityType":"string","name":"string","schemaJson":{{Schema}}}],"status":"=ok"}"""),
        new("upload-schemas-for-project", "POST", Project + "/schemas",
            $$"""{"entries":[{"entityType":"profile","name":"$user","schemaJson":{{SchemaBody}}}],"truncate":true}""", 200,
            """{"results":{"added":"int","deleted":"int"},"status":"=ok"}""") { Required = ["entries"], IsClosed = true },
        new("delete-all-schemas-in-project", "DELETE", Project + "/schemas", null, 200, Deleted),
        new("list-schemas-for-entity", "GET", Project + "/schemas/event?entity_name=Signed up", null, 200,
            $$"""{"results":[{"entityType":"=event","name":"string","schemaJson":{{Schema}}}],"status":"=ok"}""") { AnyText = ["entity_name"] },
        new("delete-schemas-for-entity", "DELETE", Project + "/schemas/event?entity_name=Signed up", null, 200, Deleted) { AnyText = ["entity_name"] },
        new("list-schemas-by-entity-and-name", "GET", Project + "/schemas/event/Signed%20up", null, 200, Schema),
        new("upload-schema-by-entity-and-name", "POST", Project + "/schemas/event/x", SchemaBody, 200, Ok),
        new("delete-schema-by-entity-and-name", "DELETE", Project + "/schemas/event/x", null, 200, Deleted),

        new("create-retrieval", "POST", "/api/app/data-retrievals/v3.0?token=local",
            """{"distinct_ids":["ada"],"compliance_type":"CCPA","disclosure_type":"Data"}""", 201, Task) { Required = ["distinct_ids"], AnyText = ["token"] },
        new("get-retrieval", "GET", "/api/app/data-retrievals/v3.0/{retrieval}?token=local", null, 200,
            """{"results":{"status":"=SUCCESS","results":"string","distinct_ids":["string"]},"status":"=ok"}""") { AnyText = ["token"] },
        new("create-deletion", "POST", "/api/app/data-deletions/v3.0?token=local", """{"distinct_ids":["ada"],"compliance_type":"GDPR"}""", 201, Task)
        {
            Required = ["distinct_ids"],
            AnyText = ["token"],
        },
        new("get-deletion", "GET", "/api/app/data-deletions/v3.0/{deletion}?token=local", null, 200,
            """{"results":{"tracking_id":"string","status":"=PENDING","requesting_user":"string","compliance_type":"string","project_id":"int","date_requested":"date","distinct_ids":["string"]},"status":"=ok"}""")
        {
            AnyText = ["token"],
        },
        new("delete-deletion", "DELETE", "/api/app/data-deletions/v3.0/{deletion}?token=local", null, 204, null) { AnyText = ["token"] },

        new("list-feature-flags", "GET", Flags + "?include_archived=true", null, 200, $$"""{"results":[{{Flag}}],"status":"=ok"}""")
        {
            AnyText = ["include_archived"],
        },
        new("create-feature-flag", "POST", Flags, FlagBody, 200, OneFlag) { Required = FlagRequired, IsClosed = true },
        new("get-feature-flag", "GET", Flags + "/{flag}", null, 200, OneFlag),
        new("update-feature-flag", "PUT", Flags + "/{flag}", FlagBody, 200, OneFlag) { Required = FlagRequired, IsClosed = true },
        new("delete-feature-flag", "DELETE", Flags + "/{flag}", null, 200, Nothing),

        new("list-experiments", "GET", Experiments, null, 200, $$"""{"results":[{{Experiment}}],"status":"=ok"}"""),
        new("create-experiment", "POST", Experiments,
            """{"name":"E","description":"d","hypothesis":"h","settings":{},"variants":[{"key":"a"}],"metrics":[1],"global_access_type":"off"}""", 201,
            OneExperiment) { Required = ["name"] },
        new("get-experiment", "GET", Experiments + "/{experiment}", null, 200, OneExperiment),
        new("update-experiment", "PATCH", Experiments + "/{experiment}",
            """{"name":"E","description":"d","hypothesis":"h","status":"active","settings":{},"variants":[],"metrics":[],"start_date":"2026-09-01T00:00:00Z","end_date":"2026-09-02T00:00:00Z","exposures_cache":{},"results_cache":{},"tags":["t"],"global_access_type":"off"}""",
            200, OneExperiment),
        new("delete-experiment", "DELETE", Experiments + "/{experiment}", null, 200, Nothing),
        new("archive-experiment", "POST", Experiments + "/{experiment}/archive", "{}", 200, Nothing) { MayHaveNoBody = true },
        new("unarchive-experiment", "DELETE", Experiments + "/{experiment}/archive", null, 200, OneExperiment) { After = ["archive-experiment"] },
        new("launch-experiment", "PUT", Experiments + "/{experiment}/launch", "{}", 200, OneExperiment) { MayHaveNoBody = true },
        new("force-conclude-experiment", "PUT", Experiments + "/{experiment}/force_conclude", """{"end_date":"2026-09-02T00:00:00Z"}""", 200, OneExperiment)
        {
            After = ["launch-experiment"],
        },
        new("decide-experiment", "PATCH", Experiments + "/{experiment}/decide", """{"success":true,"variant":"a","message":"m"}""", 200, OneExperiment)
        {
            After = ["launch-experiment", "force-conclude-experiment"],
            Required = ["success"],
        },

        new("list-warehouse-imports", "GET", WarehouseImports, null, 200, $$"""{"results":[{{{ImportSummary}}}],"status":"=ok"}"""),
        new("get-warehouse-import", "GET", WarehouseImports + "/{import}", null, 200, OneImport),
        new("update-warehouse-import", "PATCH", WarehouseImports + "/{import}",
            """{"paused":true,"run_every":86400000000000,"databricks_params":{"export_cluster_config":{}}}""", 200,
            OneImport) { Required = ["paused", "run_every"], IsClosed = true },
        new("delete-warehouse-import", "DELETE", WarehouseImports + "/{import}", """{"delete_data":false}""", 200,
            """{"results":{"status":"=ok"},"status":"=ok"}""") { IsClosed = true, MayHaveNoBody = true },
        new("create-event-stream-import", "POST", WarehouseImports + "/event-stream",
            $$"""{"import_type":"event_stream","time_column_name":"at","event_name":"E","user_column_name":"u","company_column_name":"c","device_column_name":"d",{{OfRecords}},{{OfImports}}}""",
            200, OneImport) { Required = [.. ImportRequired, "time_column_name", "event_name"], IsClosed = true },
        new("create-people-import", "POST", WarehouseImports + "/people", PeopleImportBody, 200, OneImport)
        {
            Required = [.. ImportRequired, "user_column_name"],
            IsClosed = true,
        },
        new("create-groups-import", "POST", WarehouseImports + "/groups",
            $$"""{"import_type":"groups","group_key":"k","group_id_column":"g",{{OfRecords}},{{OfImports}}}""", 200,
            OneImport) { Required = [.. ImportRequired, "group_key", "group_id_column"], IsClosed = true },
        new("create-lookup-table-import", "POST", WarehouseImports + "/lookup-table",
            $$"""{"import_type":"lookup_table","mixpanel_property":{"value":"v","resourceType":"user","customPropertyId":1},"property_key_column_name":"k",{{OfImports}}}""",
            200, OneImport) { Required = [.. ImportRequired, "mixpanel_property", "property_key_column_name"], IsClosed = true },
        new("run-an-import", "PUT", WarehouseImports + "/{import}/manual-sync", "{}", 200, """{"results":{"run_id":"string"},"status":"=ok"}""")
        {
            IsClosed = true,
        },
        new("get-import-history", "GET", WarehouseImports + "/{import}/history", null, 200,
            """{"results":{"runs":[{"status":"=FAILED","start_time":"date","end_time":"date","num_events_imported":"int"}]},"status":"=ok"}""")
        {
            After = ["run-an-import"],
        },
    ];
}

/// <summary>A documented operation on a record of <c>/track</c>, <c>/engage</c> or <c>/groups</c>.</summary>
/// <param name="Id">Mixpanel's operationId.</param>
/// <param name="Path">The path.</param>
/// <param name="Record">A record with every documented member.</param>
/// <param name="Required">The members without which it is not valid, as paths.</param>
/// <param name="Ill">Invalid members, each as a member in JSON.</param>
sealed record TrackingOperation(string Id, string Path, string Record, string[] Required, string[] Ill)
{
    const string User = "\"$token\":\"local\",\"$distinct_id\":\"ada\",\"$ip\":\"0\",\"$time\":1788263940,\"$ignore_time\":true,\"$ignore_alias\":true,\"$latitude\":1.5,\"$longitude\":2.5";
    const string Group = "\"$token\":\"local\",\"$group_key\":\"k\",\"$group_id\":\"g\"";

    static readonly string[] OfUser = ["$token", "$distinct_id"], OfGroup = ["$token", "$group_key", "$group_id"];

    public static IReadOnlyList<TrackingOperation> All { get; } =
    [
        new("track-event", "/track", """{"event":"E","properties":{"token":"local","time":1788263940,"distinct_id":"ada","$insert_id":"i"}}""",
            ["event", "properties", "properties/token"], ["\"event\":1", "\"properties\":[]", "\"properties\":{\"token\":1}"]),
        new("create-identity", "/track",
            """{"event":"$identify","properties":{"token":"local","$identified_id":"ada","$anon_id":"0b8f2ad5-2a6f-4f0e-9d2c-0a1b2c3d4e5f"}}""",
            ["event", "properties", "properties/token", "properties/$identified_id", "properties/$anon_id"], []),
        new("identity-create-alias", "/track", """{"event":"$create_alias","properties":{"token":"local","distinct_id":"ada","alias":"a"}}""",
            ["event", "properties", "properties/token", "properties/distinct_id", "properties/alias"], []),
        new("profile-set", "/engage", $$$"""{{{{User}}},"$set":{"x":1}}""", [.. OfUser, "$set"],
            ["\"$set\":[]", "\"$set\":1", "\"$token\":true", "\"$distinct_id\":{}"]),
        new("profile-set-property-once", "/engage", $$$"""{{{{User}}},"$set_once":{"x":1}}""", [.. OfUser, "$set_once"], ["\"$set_once\":\"x\""]),
        new("profile-numerical-add", "/engage", $$$"""{{{{User}}},"$add":{"x":-1}}""", [.. OfUser, "$add"], ["\"$add\":{\"x\":\"1\"}", "\"$add\":1"]),
        new("user-profile-union", "/engage", $$$"""{{{{User}}},"$union":{"l":["a",1]}}""", [.. OfUser, "$union"],
            ["\"$union\":{\"l\":\"a\"}", "\"$union\":{\"l\":[]}"]),
        new("profile-append-to-list-property", "/engage", $$$"""{{{{User}}},"$append":{"l":"a"}}""", [.. OfUser, "$append"], ["\"$append\":[]"]),
        new("profile-remove-from-list-property", "/engage", $$$"""{{{{User}}},"$remove":{"l":"a"}}""", [.. OfUser, "$remove"], ["\"$remove\":\"l\""]),
        new("profile-delete-property", "/engage", $$$"""{{{{User}}},"$unset":["x"]}""", [.. OfUser, "$unset"],
            ["\"$unset\":[]", "\"$unset\":{\"x\":1}", "\"$unset\":[1]"]),
        new("delete-profile", "/engage", $$$"""{{{{User}}},"$delete":"null"}""", [.. OfUser, "$delete"], []),
        new("group-set-property", "/groups", $$$"""{{{{Group}}},"$set":{"x":1}}""", [.. OfGroup, "$set"], ["\"$set\":[]", "\"$group_key\":[]"]),
        new("group-set-property-once", "/groups", $$$"""{{{{Group}}},"$set_once":{"x":1}}""", [.. OfGroup, "$set_once"], ["\"$set_once\":1"]),
        new("group-delete-property", "/groups", $$$"""{{{{Group}}},"$unset":["x"]}""", [.. OfGroup, "$unset"], ["\"$unset\":[]"]),
        new("group-remove-from-list-property", "/groups", $$$"""{{{{Group}}},"$remove":{"l":"a"}}""", [.. OfGroup, "$remove"], ["\"$remove\":[]"]),
        new("group-union", "/groups", $$$"""{{{{Group}}},"$union":{"l":["a"]}}""", [.. OfGroup, "$union"], ["\"$union\":{\"l\":1}"]),
        new("delete-group", "/groups", $$$"""{{{{Group}}},"$delete":""}""", [.. OfGroup, "$delete"], []),
    ];

    public override string ToString() => Id;
}
