using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>
/// <c>/emulator/…</c>: what Mixpanel has only in its web pages, and no API for. Projects; funnels, reports and cohorts that queries
/// name by id; lookup tables. For owners and admins of the organization.
/// </summary>
sealed class Control(Accounts accounts, DocumentStore documents, LookupTableStore tables, LookupMappings lookups, Access access, EmulatorOptions options)
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

    public async Task CreateProjectAsync(HttpContext context)
    {
        var manager = await access.ManagerAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("name", "token", "timezone", "identity_management");
        var zone = body.Text("timezone") ?? "UTC";
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
            throw body.Invalid("timezone", "must be a time zone like Europe/Berlin");
        var token = body.Text("token") ?? RandomNumberGenerator.GetHexString(32, lowercase: true);
        var project = await accounts.CreateProjectAsync(
            manager, body.RequiredText("name"), token, zone, body.Choice("identity_management", options.Identity), context.RequestAborted).ConfigureAwait(false)
            ?? throw body.Invalid("token", "already taken");
        await context.Response.ResultsAsync(201, json => Write(json, project)).ConfigureAwait(false);
    }

    public Task CreateFunnelAsync(HttpContext context) => CreateAsync(context, Funnel.Kind, body => Funnel.Read(body));

    public Task CreateReportAsync(HttpContext context) => CreateAsync(context, InsightsReport.Kind, body => InsightsReport.Read(body));

    public Task CreateCohortAsync(HttpContext context) => CreateAsync(context, Cohort.Kind, body => Cohort.Read(body));

    public async Task CreateLookupTableAsync(HttpContext context)
    {
        var project = await access.ManagedProjectAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("name", "mappings");
        var (id, name) = (Guid.NewGuid(), body.RequiredText("name"));
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
        if (!Guid.TryParse((string?)context.Request.RouteValues["table"], out var table) || !tables.ReadAll().Any(row => row.ProjectId == project.Id && row.Id == table))
            throw new RefusedException(404, "lookup table not found");
        await lookups.SetAsync(project.Id, table, body, context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
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
        json.WriteEndObject();
    }

    /// <summary>Saves a definition as it was sent, once it was read without a mistake.</summary>
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
