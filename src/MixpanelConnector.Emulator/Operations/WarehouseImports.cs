using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/app/projects/…/warehouse-sources/imports</c>: stores imports. No warehouse is read, so each run is recorded as failed.</summary>
sealed class WarehouseImports(DocumentStore documents, Access access, TimeProvider time)
{
    const string Kind = "warehouse import", Runs = "runs";
    const int MostRuns = 30;
    const int LargestEmptyBody = 1024;
    const long Hour = 3_600_000_000_000, Day = 24 * Hour, Week = 7 * Day;

    /// <summary>The interval between runs in nanoseconds; 0 means only on request.</summary>
    static readonly long[] Intervals = [0, Hour, Day, Week];

    static readonly string[] SyncModes = ["time_based", "mirror_mode", "full_sync", "one_time"];
    static readonly string[] TableSyncModes = ["full_sync", "one_time"];

    /// <summary>The members of every import.</summary>
    static readonly string[] Common = ["import_type", "warehouse_source_id", "table_params", "sync_mode", "run_every", "databricks_params"];

    static readonly string[] OfRecords = ["json_properties_column_name", "insert_time_column_name", "property_mappings"];

    /// <summary>The members of an import that are shown in a list.</summary>
    static readonly string[] Summary =
        [
            "id", "import_type", "sync_mode", "created", "creator_id", "creator_name", "creator_email", "warehouse_source_id", "table_params", "paused",
            "run_every", "is_deleted",
        ];

    public async Task ListAsync(HttpContext context)
    {
        var (_, project, _) = await access.ProjectOfPathAsync(context).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var import in documents.List(project.Id, Kind))
                Write(json, import.Content, Summary.Contains);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task GetAsync(HttpContext context)
    {
        var (_, project, _) = await access.ProjectOfPathAsync(context).ConfigureAwait(false);
        await AnswerAsync(context, Find(context, project)).ConfigureAwait(false);
    }

    public Task CreateEventStreamAsync(HttpContext context) => CreateAsync(
        context, "event_stream", SyncModes, ["time_column_name"],
        ["event_name", "event_column_name", "user_column_name", "company_column_name", "device_column_name", .. OfRecords],
        body =>
        {
            if (body.Has("event_name") == body.Has("event_column_name")) throw body.Invalid("event_name", "must be given, or event_column_name, and not both");
        });

    public Task CreatePeopleAsync(HttpContext context) => CreateAsync(context, "people", SyncModes, ["user_column_name"], OfRecords);

    public Task CreateGroupsAsync(HttpContext context) => CreateAsync(context, "groups", SyncModes, ["group_key", "group_id_column"], OfRecords);

    public Task CreateLookupTableAsync(HttpContext context) => CreateAsync(
        context, "lookup_table", TableSyncModes, ["property_key_column_name"], ["mixpanel_property"],
        body =>
        {
            var property = body.Object("mixpanel_property") ?? throw body.Invalid("mixpanel_property", "must not be missing");
            property.AllowOnly("value", "resourceType", "customPropertyId");
            property.RequiredText("value");
            property.OneOf("resourceType", "", "event", "user");
            property.Long("customPropertyId");
        });

    public async Task UpdateAsync(HttpContext context)
    {
        var (_, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("paused", "run_every", "databricks_params");
        var paused = body.Boolean("paused") ?? throw body.Invalid("paused", "must not be missing");
        var interval = IntervalOf(body) ?? throw body.Invalid("run_every", "must not be missing");
        CheckDatabricks(body);
        var changed = await ChangeAsync(context, project, import =>
        {
            import["paused"] = paused;
            import["run_every"] = interval;
            if (body.Has("databricks_params")) import["databricks_params"] = body.Node("databricks_params");
            return import.DeepClone().AsObject();
        }).ConfigureAwait(false);
        await AnswerAsync(context, changed).ConfigureAwait(false);
    }

    public async Task DeleteAsync(HttpContext context)
    {
        var (_, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context, optional: true).ConfigureAwait(false);
        body.AllowOnly("delete_data");
        body.Boolean("delete_data"); // nothing was imported that could be deleted
        var id = IdOf(context);
        if (!await documents.ChangeAsync(project.Id, Kind, all => all.Remove(id), context.RequestAborted).ConfigureAwait(false)) throw NotFound();
        await context.Response.ResultsAsync(200, static json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "ok");
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    /// <summary>Records a run that failed immediately.</summary>
    public async Task RunAsync(HttpContext context)
    {
        var (_, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        await RequireEmptyAsync(context).ConfigureAwait(false);
        var now = Now();
        await ChangeAsync(context, project, import =>
        {
            var runs = import[Runs]!.AsArray();
            runs.Insert(0, new JsonObject { ["status"] = "FAILED", ["start_time"] = now, ["end_time"] = now, ["num_events_imported"] = 0 });
            if (runs.Count > MostRuns) runs.RemoveAt(MostRuns);
            return true;
        }).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, static json =>
        {
            json.WriteStartObject();
            json.WriteString("run_id", Guid.NewGuid().ToString());
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task HistoryAsync(HttpContext context)
    {
        var (_, project, _) = await access.ProjectOfPathAsync(context).ConfigureAwait(false);
        var runs = Find(context, project)[Runs]!;
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartObject();
            json.WritePropertyName("runs");
            runs.WriteTo(json);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    async Task CreateAsync(HttpContext context, string type, string[] syncModes, string[] required, string[] optional, Action<JsonBody>? check = null)
    {
        var (account, project) = await access.WritableProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly([.. Common, .. required, .. optional]);
        body.OneOf("import_type", "", type);
        _ = body.Long("warehouse_source_id") ?? throw body.Invalid("warehouse_source_id", "must not be missing");
        _ = body.Object("table_params") ?? throw body.Invalid("table_params", "must not be missing");
        body.OneOf("sync_mode", "", syncModes);
        foreach (var name in required)
            body.RequiredText(name);
        foreach (var name in optional.Where(name => name is not ("property_mappings" or "mixpanel_property") && body.Has(name)))
            body.RequiredText(name);
        if (body.Node("property_mappings") is { } mappings and not (JsonObject or JsonArray))
            throw body.Invalid("property_mappings", "must be an object or a list");
        CheckDatabricks(body);
        check?.Invoke(body);

        var import = body.ToObject();
        foreach (var name in body.Names.Where(name => !body.Has(name)))
            import.Remove(name);
        import["run_every"] = IntervalOf(body) ?? 0;
        import["created"] = Now();
        import["creator_id"] = account.Id;
        import["creator_name"] = account.Username;
        import["creator_email"] = ServiceAccounts.EmailOf(account.Username);
        import["paused"] = false;
        import["is_deleted"] = false;
        import[Runs] = new JsonArray();
        var document = await documents.AddAsync(
            project.Id, Kind,
            id =>
            {
                import["id"] = id;
                return import;
            },
            context.RequestAborted).ConfigureAwait(false);
        await AnswerAsync(context, document.Content).ConfigureAwait(false);
    }

    static long? IntervalOf(JsonBody body) =>
        body.Long("run_every") is not { } interval ? null
        : Intervals.Contains(interval) ? interval
        : throw body.Invalid("run_every", $"must be {string.Join(", ", Intervals)} (nanoseconds)");

    static void CheckDatabricks(JsonBody body) => body.Object("databricks_params")?.Object("export_cluster_config");

    /// <summary>Requires a body with no content.</summary>
    static async Task RequireEmptyAsync(HttpContext context)
    {
        using var body = await RequestBody.ReadAsync(context.Request, LargestEmptyBody, gzipAllowed: false, context.RequestAborted).ConfigureAwait(false);
        if (Encoding.UTF8.GetString(body.Memory.Span).Trim() != "null") JsonBody.Parse(body.Memory.Span).AllowOnly();
    }

    static string IdOf(HttpContext context) =>
        int.TryParse((string?)context.Request.RouteValues["import"], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id.ToString(CultureInfo.InvariantCulture)
            : throw NotFound();

    static RefusedException NotFound() => new(404, "warehouse import not found");

    static Task AnswerAsync(HttpContext context, JsonObject import) =>
        context.Response.ResultsAsync(200, json => Write(json, import, static name => name != Runs));

    static void Write(Utf8JsonWriter json, JsonObject import, Func<string, bool> shown)
    {
        json.WriteStartObject();
        foreach (var (name, value) in import.Where(member => shown(member.Key)))
        {
            json.WritePropertyName(name);
            if (value is null) json.WriteNullValue();
            else value.WriteTo(json);
        }
        json.WriteEndObject();
    }

    JsonObject Find(HttpContext context, Project project) => (documents.Find(project.Id, Kind, IdOf(context)) ?? throw NotFound()).Content;

    Task<T> ChangeAsync<T>(HttpContext context, Project project, Func<JsonObject, T> change)
    {
        var id = IdOf(context);
        return documents.ChangeAsync(project.Id, Kind, all => change(all.TryGetValue(id, out var import) ? import : throw NotFound()), context.RequestAborted);
    }

    string Now() => time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
