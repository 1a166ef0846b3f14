using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for warehouse imports.</summary>
static class WarehouseImportActions
{
    public static readonly ActionGroup Group = new("warehouse-imports", "Manage recurring imports from a data warehouse.", Api.App,
        "/api/app/projects/{project_id}/warehouse-sources/imports",
        options => new WarehouseImportsJson(options))
    {
        HasEnvelope = true,
        Keywords = "bigquery snowflake databricks redshift warehouse table sync load stop",
    };

    public static readonly ActionSpec<NoInput, ResultList<WarehouseImport>> List =
        new(Group, "list_warehouse_imports", "list-warehouse-imports", Endpoint.Get());

    public static readonly ActionSpec<WarehouseImportId, WarehouseImport> Get =
        new(Group, "get_warehouse_import", "get-warehouse-import", Endpoint.Get("/{import_id}"));

    public static readonly ActionSpec<UpdateWarehouseImportInput, WarehouseImport> Update = new(Group, "update_warehouse_import", "update-warehouse-import",
        Endpoint.Patch("/{import_id}"))
    {
        SafeToRepeat = "the given values are set",
    };

    public static readonly ActionSpec<DeleteWarehouseImportInput, StatusOutput> Delete = new(Group, "delete_warehouse_import", "delete-warehouse-import",
        Endpoint.Delete("/{import_id}") with { Fields = FieldPlace.Json })
    { SafeToRepeat = "a deleted import stays deleted", Gone = _ => StatusOutput.Ok };

    public static readonly ActionSpec<CreateWarehouseEventStreamImportInput, WarehouseImport> CreateEventStream = new(Group,
        "create_warehouse_event_stream_import", "create-event-stream-import", Post("/event-stream", "event_stream"))
    {
        Check = Check,
    };

    public static readonly ActionSpec<CreateWarehousePeopleImportInput, WarehouseImport> CreatePeople =
        new(Group, "create_warehouse_people_import", "create-people-import", Post("/people", "people"));

    public static readonly ActionSpec<CreateWarehouseGroupsImportInput, WarehouseImport> CreateGroups =
        new(Group, "create_warehouse_groups_import", "create-groups-import", Post("/groups", "groups"));

    public static readonly ActionSpec<CreateWarehouseLookupTableImportInput, WarehouseImport> CreateLookupTable = new(Group,
        "create_warehouse_lookup_table_import", "create-lookup-table-import", Post("/lookup-table", "lookup_table"));

    public static readonly ActionSpec<WarehouseImportId, WarehouseRun> Run = new(Group, "run_warehouse_import", "run-an-import",
        Endpoint.Put("/{import_id}/manual-sync"))
    {
        Does = ActionEffect.Create,
    };

    public static readonly ActionSpec<WarehouseImportId, WarehouseImportHistory> GetHistory =
        new(Group, "get_warehouse_import_history", "get-import-history", Endpoint.Get("/{import_id}/history"));

    static Endpoint Post(string path, string type) => Endpoint.Post(path) with { Constant = [new("import_type", type)] };

    static void Check(CreateWarehouseEventStreamImportInput input)
    {
        if (input.EventName is null == input.EventColumnName is null)
            throw MixpanelException.Invalid("event_name", "Specify either event_name or event_column_name.");
    }
}

/// <summary>The common input of warehouse imports.</summary>
public abstract record WarehouseImportInput
{
    private protected WarehouseImportInput() { }

    /// <summary>The id of the source, which is created in Mixpanel's web pages.</summary>
    [Range(1, long.MaxValue)]
    public required long WarehouseSourceId { get; init; }

    /// <summary>The table to read; its fields depend on the warehouse.</summary>
    public required JsonObject TableParams { get; init; }

    /// <summary>How changes are detected.</summary>
    [AllowedValues("time_based", "mirror_mode", "full_sync", "one_time")]
    public virtual required string SyncMode { get; init; }

    /// <summary>
    /// How often it runs, in nanoseconds: 0 (manually), 3600000000000 (hourly), 86400000000000 (daily) or 604800000000000 (weekly). Default: Mixpanel's own.
    /// </summary>
    [AllowedValues(0L, 3_600_000_000_000L, 86_400_000_000_000L, 604_800_000_000_000L)]
    public long? RunEvery { get; init; }

    /// <summary>The cluster that exports, under export_cluster_config; for Databricks. Default: none.</summary>
    public JsonObject? DatabricksParams { get; init; }
}

/// <summary>Identifies an import.</summary>
public sealed record WarehouseImportId
{
    /// <summary>The id of the import.</summary>
    [JsonPropertyName("import_id")]
    [Range(1, long.MaxValue)]
    public required long Id { get; init; }
}

/// <summary>The changes to an import.</summary>
public sealed record UpdateWarehouseImportInput
{
    /// <summary>The id of the import.</summary>
    [Range(1, long.MaxValue)]
    public required long ImportId { get; init; }

    /// <summary>Whether it is paused.</summary>
    public required bool Paused { get; init; }

    /// <summary>How often it runs, in nanoseconds: 0 (manually), 3600000000000 (hourly), 86400000000000 (daily) or 604800000000000 (weekly).</summary>
    [AllowedValues(0L, 3_600_000_000_000L, 86_400_000_000_000L, 604_800_000_000_000L)]
    public required long RunEvery { get; init; }

    /// <summary>The cluster that exports, completely; for Databricks. Default: unchanged.</summary>
    public JsonObject? DatabricksParams { get; init; }
}

/// <summary>The import to delete, and whether to delete its data.</summary>
public sealed record DeleteWarehouseImportInput
{
    /// <summary>The id of the import.</summary>
    [Range(1, long.MaxValue)]
    public required long ImportId { get; init; }

    /// <summary>Whether the imported data is deleted, too. Default: false.</summary>
    public bool? DeleteData { get; init; }
}

/// <summary>The table with events, and its columns.</summary>
public sealed record CreateWarehouseEventStreamImportInput : WarehouseImportInput
{
    /// <summary>The column with the time of the event.</summary>
    [Size(1)]
    public required string TimeColumnName { get; init; }

    /// <summary>The name of all its events. Either this, or event_column_name.</summary>
    [Size(1)]
    public string? EventName { get; init; }

    /// <summary>The column with the name of the event. Either this, or event_name.</summary>
    [Size(1)]
    public string? EventColumnName { get; init; }

    /// <summary>The column with the user. Default: none.</summary>
    public string? UserColumnName { get; init; }

    /// <summary>The column with the company. Default: none.</summary>
    public string? CompanyColumnName { get; init; }

    /// <summary>The column with the device. Default: none.</summary>
    public string? DeviceColumnName { get; init; }

    /// <summary>The column with more properties, as JSON. Default: none.</summary>
    public string? JsonPropertiesColumnName { get; init; }

    /// <summary>The column with the time a row was inserted; time_based needs it. Default: none.</summary>
    public string? InsertTimeColumnName { get; init; }

    /// <summary>Property names by column name. Default: the column names.</summary>
    public JsonObject? PropertyMappings { get; init; }
}

/// <summary>The table with users, and its columns.</summary>
public sealed record CreateWarehousePeopleImportInput : WarehouseImportInput
{
    /// <summary>The column with the user.</summary>
    [Size(1)]
    public required string UserColumnName { get; init; }

    /// <summary>The column with more properties, as JSON. Default: none.</summary>
    public string? JsonPropertiesColumnName { get; init; }

    /// <summary>The column with the time a row was inserted; time_based needs it. Default: none.</summary>
    public string? InsertTimeColumnName { get; init; }

    /// <summary>Property names by column name. Default: the column names.</summary>
    public JsonObject? PropertyMappings { get; init; }
}

/// <summary>The table with groups, and its columns.</summary>
public sealed record CreateWarehouseGroupsImportInput : WarehouseImportInput
{
    /// <summary>The group key: the name of the property that assigns events to groups.</summary>
    [Size(1)]
    public required string GroupKey { get; init; }

    /// <summary>The column with the group.</summary>
    [Size(1)]
    public required string GroupIdColumn { get; init; }

    /// <summary>The column with more properties, as JSON. Default: none.</summary>
    public string? JsonPropertiesColumnName { get; init; }

    /// <summary>The column with the time a row was inserted; time_based needs it. Default: none.</summary>
    public string? InsertTimeColumnName { get; init; }

    /// <summary>Property names by column name. Default: the column names.</summary>
    public JsonObject? PropertyMappings { get; init; }
}

/// <summary>The lookup table, and the property it is for.</summary>
public sealed record CreateWarehouseLookupTableImportInput : WarehouseImportInput
{
    /// <summary>How changes are detected: a lookup table is always read in full.</summary>
    [AllowedValues("full_sync", "one_time")]
    public override required string SyncMode { get; init; }

    /// <summary>The property whose values are looked up.</summary>
    public required LookedUpProperty MixpanelProperty { get; init; }

    /// <summary>The column with the values of the property.</summary>
    [Size(1)]
    public required string PropertyKeyColumnName { get; init; }
}

/// <summary>A property whose values are looked up.</summary>
public sealed record LookedUpProperty
{
    /// <summary>The name of the property.</summary>
    [Size(1)]
    public required string Value { get; init; }

    /// <summary>Whether it is a property of events or of users.</summary>
    [JsonPropertyName("resourceType")]
    [AllowedValues("event", "user")]
    public required string ResourceType { get; init; }

    /// <summary>The id of the property, for a custom one. Default: none.</summary>
    [JsonPropertyName("customPropertyId")]
    [Range(1, long.MaxValue)]
    public long? CustomPropertyId { get; init; }
}

/// <summary>An import from a warehouse, as Mixpanel returns it.</summary>
public sealed record WarehouseImport : MixpanelObject
{
    /// <summary>The id of the import.</summary>
    public required long Id { get; init; }

    /// <summary>The type of import: event_sync, event_stream, people, groups or lookup_table.</summary>
    public string? ImportType { get; init; }

    /// <summary>How changes are detected.</summary>
    public string? SyncMode { get; init; }

    /// <summary>The id of the source.</summary>
    public long? WarehouseSourceId { get; init; }

    /// <summary>Whether it is paused.</summary>
    public bool? Paused { get; init; }

    /// <summary>How often it runs, in nanoseconds.</summary>
    public long? RunEvery { get; init; }
}

/// <summary>A requested run.</summary>
public sealed record WarehouseRun : MixpanelObject
{
    /// <summary>The id of the run.</summary>
    [JsonConverter(typeof(TextOrNumber))]
    public required string RunId { get; init; }
}

/// <summary>The latest runs of an import.</summary>
public sealed record WarehouseImportHistory : MixpanelObject
{
    /// <summary>The runs, at most 30: status, start_time, end_time and num_events_imported.</summary>
    public required IReadOnlyList<JsonObject> Runs { get; init; }
}

[JsonSerializable(typeof(NoInput))]
[JsonSerializable(typeof(ResultList<WarehouseImport>))]
[JsonSerializable(typeof(WarehouseImportId))]
[JsonSerializable(typeof(UpdateWarehouseImportInput))]
[JsonSerializable(typeof(DeleteWarehouseImportInput))]
[JsonSerializable(typeof(CreateWarehouseEventStreamImportInput))]
[JsonSerializable(typeof(CreateWarehousePeopleImportInput))]
[JsonSerializable(typeof(CreateWarehouseGroupsImportInput))]
[JsonSerializable(typeof(CreateWarehouseLookupTableImportInput))]
[JsonSerializable(typeof(WarehouseRun))]
[JsonSerializable(typeof(WarehouseImportHistory))]
[JsonSerializable(typeof(StatusOutput))]
sealed partial class WarehouseImportsJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Lists the imports from warehouses.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<WarehouseImport>> ListWarehouseImportsAsync(NoInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(WarehouseImportActions.List, input ?? new(), cancellationToken);

    /// <summary>Retrieves an import from a warehouse.</summary>
    /// <example>{"import_id":1}</example>
    public ValueTask<WarehouseImport> GetWarehouseImportAsync(WarehouseImportId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(WarehouseImportActions.Get, input, cancellationToken);

    /// <summary>Pauses or resumes an import from a warehouse, or changes how often it runs.</summary>
    /// <example>{"import_id":1,"paused":true,"run_every":86400000000000}</example>
    public ValueTask<WarehouseImport> UpdateWarehouseImportAsync(UpdateWarehouseImportInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(WarehouseImportActions.Update, input, cancellationToken);

    /// <summary>Deletes an import from a warehouse.</summary>
    /// <example>{"import_id":1}</example>
    public ValueTask<StatusOutput> DeleteWarehouseImportAsync(DeleteWarehouseImportInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(WarehouseImportActions.Delete, input, cancellationToken);

    /// <summary>Creates an event import from a warehouse.</summary>
    /// <example>{"warehouse_source_id":1,"table_params":{"dataset":"analytics","table":"events"},"sync_mode":"time_based","time_column_name":"time","event_column_name":"event","insert_time_column_name":"loaded_at"}</example>
    public ValueTask<WarehouseImport> CreateWarehouseEventStreamImportAsync(CreateWarehouseEventStreamImportInput input,
        CancellationToken cancellationToken = default) => InvokeAsync(WarehouseImportActions.CreateEventStream, input, cancellationToken);

    /// <summary>Creates a user profile import from a warehouse.</summary>
    /// <example>{"warehouse_source_id":1,"table_params":{"dataset":"analytics","table":"users"},"sync_mode":"full_sync","user_column_name":"user_id"}</example>
    public ValueTask<WarehouseImport> CreateWarehousePeopleImportAsync(CreateWarehousePeopleImportInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(WarehouseImportActions.CreatePeople, input, cancellationToken);

    /// <summary>Creates a group profile import from a warehouse.</summary>
    /// <example>{"warehouse_source_id":1,"table_params":{"dataset":"analytics","table":"companies"},"sync_mode":"full_sync","group_key":"company","group_id_column":"company_id"}</example>
    public ValueTask<WarehouseImport> CreateWarehouseGroupsImportAsync(CreateWarehouseGroupsImportInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(WarehouseImportActions.CreateGroups, input, cancellationToken);

    /// <summary>Creates a lookup table import from a warehouse.</summary>
    /// <example>{"warehouse_source_id":1,"table_params":{"dataset":"analytics","table":"products"},"sync_mode":"full_sync","mixpanel_property":{"value":"sku","resourceType":"event"},"property_key_column_name":"sku"}</example>
    public ValueTask<WarehouseImport> CreateWarehouseLookupTableImportAsync(CreateWarehouseLookupTableImportInput input,
        CancellationToken cancellationToken = default) => InvokeAsync(WarehouseImportActions.CreateLookupTable, input, cancellationToken);

    /// <summary>Starts a run of an import from a warehouse.</summary>
    /// <example>{"import_id":1}</example>
    public ValueTask<WarehouseRun> RunWarehouseImportAsync(WarehouseImportId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(WarehouseImportActions.Run, input, cancellationToken);

    /// <summary>Lists the latest runs of an import from a warehouse.</summary>
    /// <example>{"import_id":1}</example>
    public ValueTask<WarehouseImportHistory> GetWarehouseImportHistoryAsync(WarehouseImportId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(WarehouseImportActions.GetHistory, input, cancellationToken);
}
