using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for data pipelines.</summary>
static class DataPipelineActions
{
    const string Set = "the given values are set";

    public static readonly ActionGroup Group = new("data-pipelines",
        "Manage pipelines that export to storage and warehouses, which Mixpanel offers only to existing users.", Api.Export, "/api/2.0/nessie/pipeline",
        options => new DataPipelinesJson(options))
    { Cost = RateCost.None, Keywords = "bigquery snowflake redshift s3 gcs storage raw continuously" };

    public static readonly ActionSpec<NoInput, ResultList<Pipeline>> List = new(Group, "list_pipelines", "list-warehouse-pipeline-jobs", Endpoint.Get("/jobs"))
    {
        Result = Jobs,
    };

    public static readonly ActionSpec<CreatePipelineInput, CreatedPipeline> Create = new(Group, "create_pipeline", "create-warehouse-pipeline", Form("/create"))
    {
        Check = Check,
    };

    public static readonly ActionSpec<UpdatePipelineInput, StatusOutput> Update = new(Group, "update_pipeline", "edit-warehouse-pipeline", Form("/edit"))
    {
        Does = ActionEffect.Update,
        SafeToRepeat = Set,
    };

    public static readonly ActionSpec<PipelineName, StatusOutput> Delete = new(Group, "delete_pipeline", "cancel-warehouse-pipeline", Form("/cancel"))
    {
        Does = ActionEffect.Delete,
        SafeToRepeat = "a deleted pipeline stays deleted",
        Gone = _ => StatusOutput.Ok,
    };

    public static readonly ActionSpec<PipelineName, StatusOutput> Pause = new(Group, "pause_pipeline", "pause-warehouse-pipeline", Form("/pause"))
    {
        Does = ActionEffect.Update,
        SafeToRepeat = Set,
    };

    public static readonly ActionSpec<PipelineName, StatusOutput> Resume = new(Group, "resume_pipeline", "resume-warehouse-pipeline", Form("/resume"))
    {
        Does = ActionEffect.Update,
        SafeToRepeat = Set,
    };

    public static readonly ActionSpec<GetPipelineStatusInput, PipelineStatus> GetStatus =
        new(Group, "get_pipeline_status", "get-warehouse-pipeline-status", Endpoint.Get("/status") with { RepeatsLists = true });

    public static readonly ActionSpec<ListPipelineSyncDatesInput, PipelineSyncDates> ListSyncDates =
        new(Group, "list_pipeline_sync_dates", "list-warehouse-pipeline-sync-dates", Endpoint.Get("/timeline"));

    static Endpoint Form(string path) => Endpoint.Post(path) with { Fields = FieldPlace.Form };

    /// <summary>Mixpanel returns the jobs under the id of their project.</summary>
    static JsonElement Jobs(JsonElement reply)
    {
        var all = new JsonArray();
        foreach (var project in reply.EnumerateObject())
        {
            foreach (var job in project.Value.EnumerateArray()) all.Add((JsonNode?)JsonObject.Create(job));
        }

        return Answers.Element(all);
    }

    /// <summary>Checks the fields that each kind of destination needs.</summary>
    static void Check(CreatePipelineInput input)
    {
        string?[] missing = input.Type switch
        {
            PipelineType.GcsRaw => [Missing(input.GcsBucket, "gcs_bucket"), Missing(input.GcsRegion, "gcs_region")],
            PipelineType.GcsSchema => [Missing(input.GcsBucket, "gcs_bucket"), Missing(input.GcsRegion, "gcs_region"), .. OfSchema()],
            PipelineType.S3Raw => [Missing(input.S3Bucket, "s3_bucket"), Missing(input.S3Region, "s3_region"), Missing(input.S3Role, "s3_role")],
            PipelineType.Aws => [Missing(input.S3Bucket, "s3_bucket"), Missing(input.S3Region, "s3_region"), Missing(input.S3Role, "s3_role"), .. OfSchema()],
            PipelineType.AzureRaw => OfAzure(),
            PipelineType.AzureBlob => [.. OfAzure(), .. OfSchema()],
            PipelineType.Bigquery =>
            [
                Missing(input.BqRegion, "bq_region"),
                Missing(input.GcpProject, "gcp_project"),
                Missing(input.BqDatasetName, "bq_dataset_name"),
                .. OfSchema(),
            ],
            _ =>
            [
                Missing(input.SnowflakeAccountName, "snowflake_account_name"), Missing(input.SnowflakeWarehouse, "snowflake_warehouse"),
                Missing(input.SnowflakeStorageIntegration, "snowflake_storage_integration"),
                Missing(input.SnowflakeUser, "snowflake_user"), Missing(input.SnowflakePassword, "snowflake_password"),
                Missing(input.SnowflakeRole, "snowflake_role"),
                Missing(input.SnowflakeDatabase, "snowflake_database"), Missing(input.SnowflakeSchema, "snowflake_schema"), .. OfSchema(),
            ],
        };
        if (missing.FirstOrDefault(field => field is not null) is { } first)
            throw MixpanelException.Invalid(first, $"A pipeline of this type needs {string.Join(", ", missing.Where(field => field is not null))}.");
        if (input is { DataSource: "people", Type: PipelineType.GcsRaw or PipelineType.S3Raw or PipelineType.AzureRaw })
            throw MixpanelException.Invalid("data_source", "Profiles can only be exported as tables, but this type exports raw events.");
        if (input.ToDate < input.FromDate) throw MixpanelException.Invalid("to_date", "to_date must not be before from_date.");

        static string? Missing(object? value, string field) => value is null ? field : null;
        string?[] OfSchema() => [Missing(input.SchemaType, "schema_type"), Missing(input.Sync, "sync")];
        string?[] OfAzure() =>
            [
                Missing(input.StorageAccount, "storage_account"),
                Missing(input.ContainerName, "container_name"),
                Missing(input.ClientId, "client_id"),
                Missing(input.ClientSecret, "client_secret"),
                Missing(input.TenantId, "tenant_id"),
            ];
    }
}

/// <summary>The destination of a pipeline, and its format.</summary>
[JsonConverter(typeof(SnakeCaseNames<PipelineType>))]
public enum PipelineType
{
    /// <summary>Google Cloud Storage, raw events.</summary>
    [JsonStringEnumMemberName("gcs-raw")]
    GcsRaw,

    /// <summary>Google Cloud Storage, as tables.</summary>
    [JsonStringEnumMemberName("gcs-schema")]
    GcsSchema,

    /// <summary>Amazon S3, raw events.</summary>
    [JsonStringEnumMemberName("s3-raw")]
    S3Raw,

    /// <summary>Amazon S3 with Glue, as tables.</summary>
    [JsonStringEnumMemberName("aws")]
    Aws,

    /// <summary>Azure Blob Storage, raw events.</summary>
    [JsonStringEnumMemberName("azure-raw")]
    AzureRaw,

    /// <summary>Azure Blob Storage, as tables.</summary>
    [JsonStringEnumMemberName("azure-blob")]
    AzureBlob,

    /// <summary>BigQuery.</summary>
    [JsonStringEnumMemberName("bigquery")]
    Bigquery,

    /// <summary>Snowflake.</summary>
    [JsonStringEnumMemberName("snowflake")]
    Snowflake,
}

/// <summary>What a pipeline exports, and where to. Each type of destination needs its own fields.</summary>
public sealed record CreatePipelineInput
{
    /// <summary>The destination, and its format.</summary>
    public required PipelineType Type { get; init; }

    /// <summary>The first day to export; at most six months ago.</summary>
    public required DateOnly FromDate { get; init; }

    /// <summary>The last day to export. Default: no end.</summary>
    public DateOnly? ToDate { get; init; }

    /// <summary>Whether it is a trial. Default: false.</summary>
    public bool? Trial { get; init; }

    /// <summary>The data to export. Default: events.</summary>
    [AllowedValues("events", "people")]
    public string? DataSource { get; init; }

    /// <summary>How often it runs. Default: daily.</summary>
    [AllowedValues("daily", "hourly")]
    public string? Frequency { get; init; }

    /// <summary>The names of the events to export. Default: all.</summary>
    [ItemSize(1)]
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language. Default: all events.</summary>
    public string? Where { get; init; }

    /// <summary>The format of the files. Default: json.</summary>
    [AllowedValues("json", "parquet")]
    public string? DataFormat { get; init; }

    /// <summary>Whether all events share a table, or each has its own; for tables.</summary>
    [AllowedValues("monoschema", "multischema")]
    public string? SchemaType { get; init; }

    /// <summary>Whether later changes in Mixpanel are synced to the tables; for tables.</summary>
    public bool? Sync { get; init; }

    /// <summary>The bucket; for Google Cloud Storage.</summary>
    public string? GcsBucket { get; init; }

    /// <summary>The prefix of the file names; for Google Cloud Storage.</summary>
    public string? GcsPrefix { get; init; }

    /// <summary>The region of the bucket; for Google Cloud Storage.</summary>
    public string? GcsRegion { get; init; }

    /// <summary>The bucket; for Amazon.</summary>
    public string? S3Bucket { get; init; }

    /// <summary>The region of the bucket; for Amazon.</summary>
    public string? S3Region { get; init; }

    /// <summary>The role with write access to the bucket; for Amazon.</summary>
    public string? S3Role { get; init; }

    /// <summary>The prefix of the file names; for Amazon.</summary>
    public string? S3Prefix { get; init; }

    /// <summary>The encryption of the files; for Amazon. Default: none.</summary>
    [AllowedValues("none", "aes", "kms")]
    public string? S3Encryption { get; init; }

    /// <summary>The id of the KMS key, for encryption with kms.</summary>
    public string? S3KmsKeyId { get; init; }

    /// <summary>Whether tables are created in Glue; for type aws. Default: false.</summary>
    public bool? UseGlue { get; init; }

    /// <summary>The database in Glue.</summary>
    public string? GlueDatabase { get; init; }

    /// <summary>The role with write access to Glue.</summary>
    public string? GlueRole { get; init; }

    /// <summary>The prefix of the table names.</summary>
    public string? GlueTablePrefix { get; init; }

    /// <summary>The storage account; for Azure.</summary>
    public string? StorageAccount { get; init; }

    /// <summary>The container; for Azure.</summary>
    public string? ContainerName { get; init; }

    /// <summary>The prefix of the file names; for Azure.</summary>
    public string? Prefix { get; init; }

    /// <summary>The id of the application; for Azure.</summary>
    public string? ClientId { get; init; }

    /// <summary>The secret of the application; for Azure.</summary>
    [Confidential]
    public string? ClientSecret { get; init; }

    /// <summary>The id of the tenant; for Azure.</summary>
    public string? TenantId { get; init; }

    /// <summary>The region; for BigQuery.</summary>
    public string? BqRegion { get; init; }

    /// <summary>The prefix of the table names; for BigQuery.</summary>
    public string? BqPrefix { get; init; }

    /// <summary>The project in Google Cloud; for BigQuery.</summary>
    public string? GcpProject { get; init; }

    /// <summary>The dataset; for BigQuery.</summary>
    public string? BqDatasetName { get; init; }

    /// <summary>The prefix of the table names; for Snowflake.</summary>
    public string? SnowflakePrefix { get; init; }

    /// <summary>The account; for Snowflake.</summary>
    public string? SnowflakeAccountName { get; init; }

    /// <summary>The warehouse; for Snowflake.</summary>
    public string? SnowflakeWarehouse { get; init; }

    /// <summary>The storage integration; for Snowflake.</summary>
    public string? SnowflakeStorageIntegration { get; init; }

    /// <summary>The user; for Snowflake.</summary>
    public string? SnowflakeUser { get; init; }

    /// <summary>The password; for Snowflake.</summary>
    [Confidential]
    public string? SnowflakePassword { get; init; }

    /// <summary>The role; for Snowflake.</summary>
    public string? SnowflakeRole { get; init; }

    /// <summary>The database; for Snowflake.</summary>
    public string? SnowflakeDatabase { get; init; }

    /// <summary>The schema; for Snowflake.</summary>
    public string? SnowflakeSchema { get; init; }
}

/// <summary>The created pipelines.</summary>
public sealed record CreatedPipeline : MixpanelObject
{
    /// <summary>Their names.</summary>
    public required IReadOnlyList<string> PipelineNames { get; init; }

    /// <summary>The dataset; for BigQuery.</summary>
    public string? BigqueryDatasetName { get; init; }
}

/// <summary>The changes to a pipeline; omitted fields stay unchanged.</summary>
public sealed record UpdatePipelineInput
{
    /// <summary>The name of the pipeline.</summary>
    [Size(1)]
    public required string Name { get; init; }

    /// <summary>The names of the events to export.</summary>
    [ItemSize(1)]
    public IReadOnlyList<string>? Events { get; init; }

    /// <summary>A condition on the events in Mixpanel's segmentation language.</summary>
    public string? Where { get; init; }

    /// <summary>The id of the application; for Azure.</summary>
    public string? AzureClientId { get; init; }

    /// <summary>The secret of the application; for Azure.</summary>
    [Confidential]
    public string? AzureClientSecret { get; init; }

    /// <summary>The id of the tenant; for Azure.</summary>
    public string? AzureTenantId { get; init; }

    /// <summary>The groups with read access to the dataset; for BigQuery.</summary>
    [ItemSize(1)]
    public IReadOnlyList<string>? BqShareWithGroup { get; init; }

    /// <summary>The database in Glue.</summary>
    public string? GlueDatabase { get; init; }

    /// <summary>The role with write access to Glue.</summary>
    public string? GlueRole { get; init; }

    /// <summary>The prefix of the table names.</summary>
    public string? GlueTablePrefix { get; init; }
}

/// <summary>Identifies a pipeline.</summary>
public sealed record PipelineName
{
    /// <summary>The name of the pipeline.</summary>
    [Size(1)]
    public required string Name { get; init; }
}

/// <summary>Identifies a pipeline, and filters its tasks.</summary>
public sealed record GetPipelineStatusInput
{
    /// <summary>The name of the pipeline.</summary>
    [Size(1)]
    public required string Name { get; init; }

    /// <summary>Whether to return only the numbers of tasks. Default: false.</summary>
    public bool? Summary { get; init; }

    /// <summary>The states of the tasks to return: pending, running, retried, failed, canceled, timed_out. Default: all.</summary>
    [ItemPattern("pending|running|retried|failed|canceled|timed_out")]
    public IReadOnlyList<string>? Status { get; init; }
}

/// <summary>Identifies a pipeline.</summary>
public sealed record ListPipelineSyncDatesInput
{
    /// <summary>The name of the pipeline. Default: all.</summary>
    [Size(1)]
    public string? Name { get; init; }
}

/// <summary>A pipeline, as Mixpanel lists it.</summary>
public sealed record Pipeline : MixpanelObject
{
    /// <summary>The name of the pipeline.</summary>
    public required string Name { get; init; }

    /// <summary>How often it runs.</summary>
    public string? Frequency { get; init; }

    /// <summary>When it last ran.</summary>
    public string? LastDispatched { get; init; }

    /// <summary>Whether later changes are synced to the tables: "true" or "false".</summary>
    public string? SyncEnabled { get; init; }
}

/// <summary>The tasks of a pipeline, as Mixpanel returns them.</summary>
public sealed record PipelineStatus : MixpanelObject
{
    /// <summary>The cancelled tasks.</summary>
    public IReadOnlyList<JsonObject>? Canceled { get; init; }

    /// <summary>The retried tasks.</summary>
    public IReadOnlyList<JsonObject>? Retried { get; init; }

    /// <summary>The finished tasks.</summary>
    public IReadOnlyList<JsonObject>? Succeeded { get; init; }
}

/// <summary>When the days were exported.</summary>
public sealed record PipelineSyncDates : MixpanelObject
{
    /// <summary>By day: date, sync_times and status.</summary>
    public required IReadOnlyList<JsonObject> DaySyncs { get; init; }
}

[JsonSerializable(typeof(NoInput))]
[JsonSerializable(typeof(ResultList<Pipeline>))]
[JsonSerializable(typeof(CreatePipelineInput))]
[JsonSerializable(typeof(CreatedPipeline))]
[JsonSerializable(typeof(UpdatePipelineInput))]
[JsonSerializable(typeof(PipelineName))]
[JsonSerializable(typeof(GetPipelineStatusInput))]
[JsonSerializable(typeof(PipelineStatus))]
[JsonSerializable(typeof(ListPipelineSyncDatesInput))]
[JsonSerializable(typeof(PipelineSyncDates))]
[JsonSerializable(typeof(StatusOutput))]
sealed partial class DataPipelinesJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Lists the data pipelines of the project.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<Pipeline>> ListPipelinesAsync(NoInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(DataPipelineActions.List, input ?? new(), cancellationToken);

    /// <summary>Creates a data pipeline.</summary>
    /// <example>{"type":"s3-raw","from_date":"2026-11-01","s3_bucket":"events","s3_region":"us-east-1","s3_role":"arn:aws:iam::123456789012:role/mixpanel"}</example>
    public ValueTask<CreatedPipeline> CreatePipelineAsync(CreatePipelineInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(DataPipelineActions.Create, input, cancellationToken);

    /// <summary>Changes a data pipeline.</summary>
    /// <example>{"name":"events-daily-s3-raw","events":["Signed Up"]}</example>
    public ValueTask<StatusOutput> UpdatePipelineAsync(UpdatePipelineInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(DataPipelineActions.Update, input, cancellationToken);

    /// <summary>Cancels a data pipeline; its history is lost.</summary>
    /// <example>{"name":"events-daily-s3-raw"}</example>
    public ValueTask<StatusOutput> DeletePipelineAsync(PipelineName input, CancellationToken cancellationToken = default) =>
        InvokeAsync(DataPipelineActions.Delete, input, cancellationToken);

    /// <summary>Pauses a data pipeline.</summary>
    /// <example>{"name":"events-daily-s3-raw"}</example>
    public ValueTask<StatusOutput> PausePipelineAsync(PipelineName input, CancellationToken cancellationToken = default) =>
        InvokeAsync(DataPipelineActions.Pause, input, cancellationToken);

    /// <summary>Resumes a paused data pipeline.</summary>
    /// <example>{"name":"events-daily-s3-raw"}</example>
    public ValueTask<StatusOutput> ResumePipelineAsync(PipelineName input, CancellationToken cancellationToken = default) =>
        InvokeAsync(DataPipelineActions.Resume, input, cancellationToken);

    /// <summary>Returns the tasks of a data pipeline by status.</summary>
    /// <example>{"name":"events-daily-s3-raw"}</example>
    public ValueTask<PipelineStatus> GetPipelineStatusAsync(GetPipelineStatusInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(DataPipelineActions.GetStatus, input, cancellationToken);

    /// <summary>Lists the exported days of data pipelines, and when each was exported.</summary>
    /// <example>{}</example>
    public ValueTask<PipelineSyncDates> ListPipelineSyncDatesAsync(ListPipelineSyncDatesInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(DataPipelineActions.ListSyncDates, input ?? new(), cancellationToken);
}
