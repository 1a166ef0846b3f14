using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary>
/// <c>/emulator/projects/…</c>: what Mixpanel offers only in its web pages and not in its API. Projects; funnels, reports and cohorts that queries refer to by
/// id; lookup tables. For owners and admins of the organization.
/// </summary>
sealed class ProjectControl(Accounts accounts, DocumentStore documents, LookupTableStore tables, LookupMappings lookups, StartOver startOver, Access access,
    EmulatorOptions options)
{
    public async Task ListProjectsAsync(HttpContext context)
    {
        var manager = await access.ManagerAsync(context).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var project in accounts.Projects.Where(project => project.OrganizationId == manager.OrganizationId))
                Write(json, project);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task CreateProjectAsync(HttpContext context) => await PutProjectAsync(context, null, 201).ConfigureAwait(false);

    /// <summary>Creates a project with a predefined id, or changes the settings of the existing one.</summary>
    public async Task ReplaceProjectAsync(HttpContext context) => await PutProjectAsync(context, IdOf(context), 200).ConfigureAwait(false);

    /// <summary>Deletes a project with all of its data.</summary>
    public async Task DeleteProjectAsync(HttpContext context)
    {
        var project = await access.ManagedProjectAsync(context).ConfigureAwait(false);
        if (project.Id == DevelopmentCredentials.ProjectId)
            throw new RefusedException(400, "the first project cannot be deleted: POST /emulator/projects/1/reset empties it");
        await startOver.DeleteAsync(project.Id, context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    /// <summary>Deletes all data of a project.</summary>
    public async Task ResetProjectAsync(HttpContext context)
    {
        var project = await access.ManagedProjectAsync(context).ConfigureAwait(false);
        await startOver.ClearAsync(project.Id, context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    public Task CreateFunnelAsync(HttpContext context) => CreateAsync(context, Funnel.Kind, body => Funnel.Read(body));

    public Task CreateReportAsync(HttpContext context) => CreateAsync(context, InsightsReport.Kind, body => InsightsReport.Read(body));

    public Task CreateCohortAsync(HttpContext context) => CreateAsync(context, Cohort.Kind, body => Cohort.Read(body));

    public async Task CreateLookupTableAsync(HttpContext context)
    {
        var project = await access.ManagedProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("id", "name", "mappings");
        var id = body.Text("id") is not { } given ? Guid.NewGuid() : Guid.TryParse(given, out var parsed) ? parsed : throw body.Invalid("id", "must be a UUID");
        if (tables.ReadAll().Any(row => row.Id == id)) throw body.Invalid("id", "already taken");
        var name = body.RequiredText("name");
        if (body.Has("mappings"))
        {
            LookupMappings.Check(body);
            await lookups.SetAsync(project.Id, id, body, context.RequestAborted).ConfigureAwait(false);
        }
        await tables.CreateAsync(project.Id, id, name, context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(201, json =>
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("name", name);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    /// <summary>Replaces the properties that are keys of a lookup table.</summary>
    public async Task MapLookupTableAsync(HttpContext context)
    {
        var project = await access.ManagedProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("mappings");
        LookupMappings.Check(body);
        if (!Guid.TryParse((string?)context.Request.RouteValues["table"], out var table)
            || !tables.ReadAll().Any(row => row.ProjectId == project.Id && row.Id == table))
            throw new RefusedException(404, "lookup table not found");
        await lookups.SetAsync(project.Id, table, body, context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    static int IdOf(HttpContext context) =>
        (string)context.Request.RouteValues["project"]! is var text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id > 0
            && text[0] != '0'
            ? id
            : throw new RefusedException(400, "a project's id must be an integer from 1 to 2147483647");

    async Task PutProjectAsync(HttpContext context, int? id, int status)
    {
        var manager = await access.ManagerAsync(context).ConfigureAwait(false);
        if (id is not null && accounts.Projects.Any(project => project.Id == id && project.OrganizationId != manager.OrganizationId))
            throw new RefusedException(403, "service account has no access to this project");
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("name", "token", "secret", "timezone", "identity_management", "region");
        var before = accounts.Projects.FirstOrDefault(project => project.Id == id);
        var zone = body.Text("timezone") ?? before?.TimeZone ?? "UTC";
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _)) throw body.Invalid("timezone", "must be a time zone like Europe/Berlin");
        var settings = new ProjectSettings(
            body.RequiredText("name"), body.Has("token") ? body.RequiredText("token") : "", body.Has("secret") ? body.RequiredText("secret") : "", zone,
            body.Choice("identity_management", before?.Identity ?? options.Identity),
            body.Has("region") ? body.OneOf("region", "", Regions.All) : body.Names.Contains("region", StringComparer.Ordinal) ? null : before?.Region);
        var project = await accounts.PutProjectAsync(manager, settings, id, context.RequestAborted).ConfigureAwait(false)
            ?? throw body.Invalid("token", "already in use, or the secret is");
        await context.Response.ResultsAsync(status, json => Write(json, project)).ConfigureAwait(false);
    }

    static void Write(Utf8JsonWriter json, Project project)
    {
        json.WriteStartObject();
        json.WriteNumber("id", project.Id);
        json.WriteString("name", project.Name);
        json.WriteString("token", project.Token);
        json.WriteString("secret", project.Secret);
        json.WriteString("timezone", project.TimeZone);
        json.WriteString("identity_management", project.Identity.ToString().ToLowerInvariant());
        json.WriteString("region", project.Region);
        json.WriteEndObject();
    }

    /// <summary>Stores a definition as it was sent, once it has been validated.</summary>
    async Task CreateAsync(HttpContext context, string kind, Action<JsonBody> check)
    {
        var project = await access.ManagedProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        check(body);
        var saved = await documents.AddAsync(
            project.Id, kind,
            _ =>
            {
                var content = body.ToObject();
                if (kind == Cohort.Kind)
                    content["created"] = options.TimeProvider.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
                return content;
            },
            context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(201, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("id", int.Parse(saved.Id, CultureInfo.InvariantCulture));
            json.WriteString("name", (string)saved.Content["name"]!);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }
}
