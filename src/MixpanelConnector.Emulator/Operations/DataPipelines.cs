using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/2.0/nessie/pipeline</c>: stores pipelines with their settings, without their secrets. Nothing is exported.</summary>
sealed class DataPipelines(DocumentStore documents, Access access)
{
    const string Kind = "data pipeline";

    public async Task ListAsync(HttpContext context)
    {
        var (project, _) = await QueryAsync(context).ConfigureAwait(false);
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray(project.Id.ToString(CultureInfo.InvariantCulture));
            foreach (var pipeline in documents.List(project.Id, Kind))
            {
                var settings = pipeline.Content["settings"]!.AsObject();
                json.WriteStartObject();
                json.WriteString("name", pipeline.Id);
                json.WriteString("Dispatcher", "live");
                json.WriteNull("last_dispatched");
                json.WriteString("frequency", (string)settings["frequency"]!);
                json.WriteString("sync_enabled", (string?)settings["sync"] ?? "false");
                json.WriteBoolean("paused", (bool)pipeline.Content["paused"]!);
                json.WritePropertyName("settings");
                settings.WriteTo(json);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task CreateAsync(HttpContext context)
    {
        var (project, fields) = await FormAsync(context).ConfigureAwait(false);
        var type = PipelineType.Of(fields.Required("type"));
        var settings = SettingsOf(fields, type);
        var parts = new[]
        {
            (string?)settings["trial"] == "true" ? "trial" : null,
            (string?)settings["data_source"],
            (string?)settings["frequency"],
            type.Name,
            (string?)settings["schema_type"],
        };
        var stem = string.Join('-', parts.OfType<string>());
        var name = await documents.ChangeAsync(
            project.Id, Kind,
            all =>
            {
                var free = stem;
                for (var number = 2; all.ContainsKey(free); number++)
                    free = string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}");
                all.Add(free, new JsonObject { ["paused"] = false, ["settings"] = settings });
                return free;
            },
            context.RequestAborted).ConfigureAwait(false);
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("pipeline_names");
            json.WriteStringValue(name);
            json.WriteEndArray();
            if (fields.Text("bq_dataset_name") is { } dataset) json.WriteString("bigquery_dataset_name", dataset);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task EditAsync(HttpContext context)
    {
        var (project, fields) = await FormAsync(context).ConfigureAwait(false);
        fields.AllowOnly([.. PipelineType.Edited, "name"]);
        await ChangeAsync(context, project, fields, pipeline =>
        {
            var settings = pipeline["settings"]!.AsObject();
            var type = PipelineType.Of((string)settings["type"]!);
            fields.AllowOnly([.. type.Editable, "name"]);
            Keep(settings, fields, type.Editable);
        }).ConfigureAwait(false);
    }

    public async Task CancelAsync(HttpContext context)
    {
        var (project, fields) = await NamedAsync(context).ConfigureAwait(false);
        var name = fields.Required("name");
        if (!await documents.ChangeAsync(project.Id, Kind, all => all.Remove(name), context.RequestAborted).ConfigureAwait(false)) throw NotFound();
    }

    public Task PauseAsync(HttpContext context) => SetPausedAsync(context, paused: true);

    public Task ResumeAsync(HttpContext context) => SetPausedAsync(context, paused: false);

    public async Task StatusAsync(HttpContext context)
    {
        var (project, fields) = await QueryAsync(context, "name", "summary", "status", "status[]").ConfigureAwait(false);
        var name = fields.Required("name");
        fields.Boolean("summary", otherwise: false);
        string[] states = ["pending", "running", "retried", "failed", "canceled", "timed_out"];
        if (fields.Texts("status").Concat(fields.Texts("status[]")).Except(states, StringComparer.Ordinal).Any())
            throw FormFields.Invalid("status", $"must be {string.Join(", ", states)}");
        Require(project, name);
        await AnswerAsync(context, "canceled", "retried", "succeeded").ConfigureAwait(false);
    }

    public async Task TimelineAsync(HttpContext context)
    {
        var (project, fields) = await QueryAsync(context, "name").ConfigureAwait(false);
        if (fields.Text("name") is { } name) Require(project, name);
        await AnswerAsync(context, "day_syncs").ConfigureAwait(false);
    }

    /// <summary>Nothing has run, so all lists are empty.</summary>
    static Task AnswerAsync(HttpContext context, params string[] lists) => context.Response.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        foreach (var list in lists)
        {
            json.WriteStartArray(list);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    });

    static JsonObject SettingsOf(FormFields fields, PipelineType type)
    {
        fields.AllowOnly([.. type.Fields]);
        foreach (var name in type.Required)
            fields.Required(name);
        var from = fields.Date("from_date");
        if (fields.Date("to_date") < from) throw FormFields.Invalid("to_date", "must not be before from_date");
        var settings = new JsonObject
        {
            ["trial"] = Text(fields.Boolean("trial", otherwise: false)),
            ["data_source"] = type.IsRaw ? fields.OneOf("data_source", "events") : fields.OneOf("data_source", "events", "people"),
            ["frequency"] = fields.OneOf("frequency", "daily", "hourly"),
        };
        if (!type.IsRaw)
        {
            settings["schema_type"] = fields.OneOf("schema_type", "monoschema", "multischema");
            settings["sync"] = Text(fields.Boolean("sync", otherwise: false));
        }
        if (fields.Has("data_format")) _ = type.IsRaw ? fields.OneOf("data_format", "json") : fields.OneOf("data_format", "json", "parquet");
        if (fields.Has("s3_encryption")) fields.OneOf("s3_encryption", "none", "aes", "kms");
        if (fields.Has("use_glue")) fields.Boolean("use_glue", otherwise: false);
        Keep(settings, fields, type.Fields.Where(name => !settings.ContainsKey(name)));
        return settings;
    }

    static void Keep(JsonObject settings, FormFields fields, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            var value = PipelineType.Lists.Contains(name, StringComparer.Ordinal)
                ? (JsonNode)new JsonArray([.. fields.Texts(name).Select(text => (JsonNode)text)])
                : fields.Text(name);
            if (fields.Has(name) && !PipelineType.Secrets.Contains(name, StringComparer.Ordinal)) settings[name] = value;
        }
    }

    static string Text(bool value) => value ? "true" : "false";

    static RefusedException NotFound() => new(404, "pipeline not found");

    void Require(Project project, string name)
    {
        if (documents.Find(project.Id, Kind, name) is null) throw NotFound();
    }

    async Task SetPausedAsync(HttpContext context, bool paused)
    {
        var (project, fields) = await NamedAsync(context).ConfigureAwait(false);
        await ChangeAsync(context, project, fields, pipeline => pipeline["paused"] = paused).ConfigureAwait(false);
    }

    async Task ChangeAsync(HttpContext context, Project project, FormFields fields, Action<JsonObject> change)
    {
        var name = fields.Required("name");
        await documents.ChangeAsync(
            project.Id, Kind,
            all =>
            {
                change(all.TryGetValue(name, out var pipeline) ? pipeline : throw NotFound());
                return true;
            },
            context.RequestAborted).ConfigureAwait(false);
    }

    async Task<(Project Project, FormFields Fields)> NamedAsync(HttpContext context)
    {
        var (project, fields) = await FormAsync(context).ConfigureAwait(false);
        fields.AllowOnly("name");
        return (project, fields);
    }

    async Task<(Project Project, FormFields Fields)> FormAsync(HttpContext context)
    {
        await access.RequireCallerAsync(context).ConfigureAwait(false); // before reading the body of an unauthenticated caller
        var fields = await FormFields.OfFormAsync(context).ConfigureAwait(false);
        return (await access.ManagedProjectAsync(context, fields.Project).ConfigureAwait(false), fields);
    }

    async Task<(Project Project, FormFields Fields)> QueryAsync(HttpContext context, params string[] parameters)
    {
        var fields = FormFields.OfQuery(context.Request);
        fields.AllowOnly(parameters);
        return (await access.ManagedProjectAsync(context, fields.Project).ConfigureAwait(false), fields);
    }
}

/// <summary>The destination of a pipeline, and the settings that it allows.</summary>
sealed class PipelineType
{
    static readonly string[] Common = ["type", "trial", "data_source", "from_date", "to_date", "frequency", "events", "where", "data_format"];
    static readonly string[] Schematized = ["schema_type", "sync"];
    static readonly string[] EditedAlways = ["events", "where"];
    static readonly string[] EditedAzure = ["azure_client_id", "azure_client_secret", "azure_tenant_id"];
    static readonly string[] EditedGlue = ["glue_database", "glue_role", "glue_table_prefix"];
    static readonly string[] EditedBigQuery = ["bq_share_with_group"];

    static readonly string[] GcsNeeds = ["gcs_bucket", "gcs_region"], GcsTakes = ["gcs_prefix"];
    static readonly string[] S3Needs = ["s3_bucket", "s3_region", "s3_role"], S3Takes = ["s3_prefix", "s3_encryption", "s3_kms_key_id"];
    static readonly string[] AzureNeeds = ["storage_account", "container_name", "client_id", "client_secret", "tenant_id"], AzureTakes = ["prefix"];

    static readonly PipelineType[] All =
    [
        new("gcs-raw", GcsNeeds, GcsTakes, []),
        new("gcs-schema", GcsNeeds, GcsTakes, []),
        new("s3-raw", S3Needs, S3Takes, []),
        new("aws", S3Needs, [.. S3Takes, "use_glue", .. EditedGlue], EditedGlue),
        new("azure-raw", AzureNeeds, AzureTakes, EditedAzure),
        new("azure-blob", AzureNeeds, AzureTakes, EditedAzure),
        new("bigquery", ["bq_region", "gcp_project", "bq_dataset_name"], ["bq_prefix"], EditedBigQuery),
        new(
            "snowflake",
            [
                "snowflake_account_name", "snowflake_warehouse", "snowflake_storage_integration", "snowflake_user", "snowflake_password", "snowflake_role",
                "snowflake_database",
                "snowflake_schema",
            ],
            ["snowflake_prefix"], []),
    ];

    PipelineType(string name, string[] needs, string[] takes, string[] edited)
    {
        Name = name;
        Fields = [.. Common, .. IsRaw ? [] : Schematized, .. needs, .. takes];
        Required = ["from_date", .. needs, .. IsRaw ? [] : Schematized];
        Editable = [.. EditedAlways, .. edited];
    }

    /// <summary>Fields that are neither stored nor returned.</summary>
    public static IReadOnlyList<string> Secrets { get; } = ["client_secret", "azure_client_secret", "snowflake_password"];

    public static IReadOnlyList<string> Lists { get; } = ["events", "bq_share_with_group"];

    /// <summary>The fields that can be edited in any pipeline.</summary>
    public static IReadOnlyList<string> Edited { get; } = [.. All.SelectMany(type => type.Editable).Distinct(StringComparer.Ordinal)];

    public string Name { get; }

    public bool IsRaw => Name.EndsWith("-raw", StringComparison.Ordinal);

    public IReadOnlyList<string> Fields { get; }

    public IReadOnlyList<string> Required { get; }

    public IReadOnlyList<string> Editable { get; }

    public static PipelineType Of(string name) =>
        Array.Find(All, type => type.Name == name) ?? throw FormFields.Invalid("type", $"must be {string.Join(", ", All.Select(type => type.Name))}");
}
