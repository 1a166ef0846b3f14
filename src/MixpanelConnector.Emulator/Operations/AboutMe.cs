using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>GET /api/app/me</c>: everything the calling account can see, as objects keyed by id; and lists of its projects and their workspaces.</summary>
sealed class AboutMe(Accounts accounts, Access access)
{
    public async Task HandleAsync(HttpContext context)
    {
        var me = await access.AccountAsync(context).ConfigureAwait(false);
        var organization = accounts.Organizations.First(organization => organization.Id == me.OrganizationId);
        var projects = ProjectsOf(me);
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("results");
            json.WriteNumber("user_id", me.Id);
            json.WriteString("user_name", me.Username);

            json.WriteStartObject("organizations");
            json.WriteStartObject(Key(organization.Id));
            json.WriteNumber("id", organization.Id);
            json.WriteString("name", organization.Name);
            json.WriteString("role", me.OrganizationRole);
            json.WriteEndObject();
            json.WriteEndObject();

            json.WriteStartObject("projects");
            foreach (var project in projects)
            {
                json.WritePropertyName(Key(project.Id));
                Write(json, project, me);
            }
            json.WriteEndObject();

            json.WriteStartObject("workspaces");
            foreach (var project in projects)
            {
                json.WritePropertyName(Key(project.Id));
                WriteWorkspace(json, project);
            }
            json.WriteEndObject();

            json.WriteEndObject();
            json.WriteString("status", "ok");
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task ProjectsAsync(HttpContext context)
    {
        var me = await access.AccountAsync(context).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var project in ProjectsOf(me))
                Write(json, project, me);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    /// <summary><c>GET /api/app/projects/{project}/workspaces</c>, and the workspaces visible to everybody in the project, which is the same one.</summary>
    public async Task WorkspacesAsync(HttpContext context)
    {
        var (_, project, _) = await access.ProjectOfPathAsync(context).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            WriteWorkspace(json, project);
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    /// <summary>Each project has one workspace that shows all of it, with the same number.</summary>
    static void WriteWorkspace(Utf8JsonWriter json, Project project)
    {
        json.WriteStartObject();
        json.WriteNumber("id", project.Id);
        json.WriteString("name", "All Project Data");
        json.WriteNumber("project_id", project.Id);
        json.WriteBoolean("is_global", true);
        json.WriteBoolean("is_default", true);
        json.WriteEndObject();
    }

    List<Project> ProjectsOf(ServiceAccount me) => [.. accounts.Projects.Where(project => accounts.RoleIn(me, project) is not null)];

    void Write(Utf8JsonWriter json, Project project, ServiceAccount me)
    {
        json.WriteStartObject();
        json.WriteNumber("id", project.Id);
        json.WriteString("name", project.Name);
        json.WriteNumber("organization_id", project.OrganizationId);
        json.WriteString("timezone", project.TimeZone);
        json.WriteString("role", accounts.RoleIn(me, project));
        json.WriteEndObject();
    }

    static string Key(int id) => id.ToString(CultureInfo.InvariantCulture);
}
