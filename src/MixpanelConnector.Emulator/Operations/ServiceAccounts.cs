using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/app/organizations/…/service-accounts</c> and <c>/api/app/projects/…/service-accounts</c>.</summary>
sealed class ServiceAccounts(Accounts accounts, Access access, TimeProvider time)
{
    public async Task ListAsync(HttpContext context)
    {
        var (_, organization) = await ManagedOrganizationAsync(context).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var account in accounts.All.Where(account => account.OrganizationId == organization.Id))
            {
                json.WriteStartObject();
                WriteMembers(json, account);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task CreateAsync(HttpContext context)
    {
        var (creator, organization) = await ManagedOrganizationAsync(context).ConfigureAwait(false);
        var asked = await AccountRequest.ReadNewAsync(context, time.GetUtcNow()).ConfigureAwait(false);
        foreach (var (projectId, _) in asked.Projects)
            RequireProject(organization, projectId);
        if (await accounts.CreateAsync(creator, asked.Username, asked.Role, asked.Expires, asked.Projects,
            context.RequestAborted).ConfigureAwait(false) is not var (account, secret))
            throw new RefusedException(400, "username: already taken");
        await context.Response.ResultsAsync(201, json =>
        {
            json.WriteStartObject();
            json.WriteString("token", secret);
            WriteMembers(json, account);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task GetAsync(HttpContext context)
    {
        var (_, organization) = await ManagedOrganizationAsync(context).ConfigureAwait(false);
        var account = RequireAccount(organization, IntegerOf(context, "account"));
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            WriteMembers(json, account);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task DeleteAsync(HttpContext context)
    {
        var (_, organization) = await ManagedOrganizationAsync(context).ConfigureAwait(false);
        var account = RequireAccount(organization, IntegerOf(context, "account"));
        await accounts.DeleteAsync(account.Id, context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    public async Task ListOfProjectAsync(HttpContext context)
    {
        var caller = await access.AccountAsync(context).ConfigureAwait(false);
        var id = IntegerOf(context, "project");
        var project = accounts.Projects.FirstOrDefault(project => project.Id == id && project.OrganizationId == caller.OrganizationId)
            ?? throw new RefusedException(404, "project not found");
        if (!Roles.Manages(accounts.RoleIn(caller, project))) throw new RefusedException(403, "service account must be an owner or admin of the project");
        var members = accounts.Members.Where(member => member.ProjectId == project.Id).ToDictionary(member => member.AccountId);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var account in accounts.All.Where(account => members.ContainsKey(account.Id)))
            {
                var role = members[account.Id].Role;
                json.WriteStartObject();
                WriteMembers(json, account);
                json.WriteBoolean("hasSensitiveAccess", Roles.Manages(role));
                json.WriteString("role", role);
                json.WriteNumber("role_order", Roles.Order(role));
                json.WriteString("target_type", "individual");
                json.WriteString("email", EmailOf(account.Username));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    public async Task AddToProjectsAsync(HttpContext context)
    {
        var (_, organization) = await ManagedOrganizationAsync(context).ConfigureAwait(false);
        var (ids, projects) = await AccountRequest.ReadAddedAsync(context).ConfigureAwait(false);
        foreach (var id in ids)
            RequireAccount(organization, id);
        foreach (var (project, _) in projects)
            RequireProject(organization, project);
        var members = projects.SelectMany(project => ids.Select(id => new ProjectMember(project.ProjectId, id, project.Role)));
        await accounts.SetMembersAsync([.. members], context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    public async Task RemoveFromProjectsAsync(HttpContext context)
    {
        var (_, organization) = await ManagedOrganizationAsync(context).ConfigureAwait(false);
        var members = await AccountRequest.ReadRemovedAsync(context).ConfigureAwait(false);
        foreach (var (project, account) in members)
        {
            RequireProject(organization, project);
            RequireAccount(organization, account);
        }
        await accounts.RemoveMembersAsync(members, context.RequestAborted).ConfigureAwait(false);
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    static int IntegerOf(HttpContext context, string name) =>
        int.TryParse((string?)context.GetRouteValue(name), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw new RefusedException(404, $"{name} not found");

    /// <summary>The organization in the path, if the caller manages it. A missing one and one of somebody else are indistinguishable.</summary>
    async Task<(ServiceAccount Caller, Organization Organization)> ManagedOrganizationAsync(HttpContext context)
    {
        var caller = await access.AccountAsync(context).ConfigureAwait(false);
        var id = IntegerOf(context, "organization");
        if (caller.OrganizationId != id) throw new RefusedException(404, "organization not found");
        if (!Roles.Manages(caller.OrganizationRole)) throw new RefusedException(403, "service account must be an owner or admin of the organization");
        return (caller, accounts.Organizations.First(organization => organization.Id == id));
    }

    ServiceAccount RequireAccount(Organization organization, int id) =>
        accounts.All.FirstOrDefault(account => account.Id == id && account.OrganizationId == organization.Id)
            ?? throw new RefusedException(404, "service account not found");

    void RequireProject(Organization organization, int id)
    {
        if (!accounts.Projects.Any(project => project.Id == id && project.OrganizationId == organization.Id))
            throw new RefusedException(400, $"projects: no project {id} in this organization");
    }

    void WriteMembers(Utf8JsonWriter json, ServiceAccount account)
    {
        json.WriteNumber("id", account.Id);
        json.WriteString("username", account.Username);
        WriteTime(json, "last_used", account.LastUsedAt);
        WriteTime(json, "expires", account.ExpiresAt);
        json.WriteNumber("creator", account.CreatorId);
        var creator = accounts.All.FirstOrDefault(other => other.Id == account.CreatorId)?.Username ?? "";
        json.WriteString("creator_name", creator);
        json.WriteString("creator_email", EmailOf(creator));
        WriteTime(json, "created", account.CreatedAt);
        json.WriteNumber("user", account.Id);
    }

    public static string EmailOf(string username) => username == "" ? "" : $"{username}@serviceaccount.invalid";

    /// <summary>Omits a missing time: the specification does not allow null here.</summary>
    static void WriteTime(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } known) json.WriteString(name, known.UtcDateTime.ToString(AccountRequest.Time, CultureInfo.InvariantCulture));
    }
}
