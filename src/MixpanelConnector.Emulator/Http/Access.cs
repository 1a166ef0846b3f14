using System.Globalization;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Who calls, and what they may do there.</summary>
sealed class Access(Accounts accounts)
{
    public async Task<ServiceAccount> AccountAsync(HttpContext context)
    {
        if (Credentials.Of(context.Request) is not { } sent)
            throw RefusedException.BadCredentials();
        return await accounts.AuthenticateAsync(sent.Username, sent.Secret, context.RequestAborted).ConfigureAwait(false)
            ?? throw RefusedException.BadCredentials();
    }

    /// <summary>The calling account, which must manage its organization.</summary>
    public async Task<ServiceAccount> ManagerAsync(HttpContext context)
    {
        var account = await AccountAsync(context).ConfigureAwait(false);
        return Roles.Manages(account.OrganizationRole) ? account : throw new RefusedException(403, "service account must be an owner or admin of the organization");
    }

    /// <summary>The project of the path, which the calling account must own or administer. Who manages the organization is told when there is none: it is no secret to them.</summary>
    public async Task<Project> ManagedProjectAsync(HttpContext context)
    {
        var caller = await AccountAsync(context).ConfigureAwait(false);
        if (Roles.Manages(caller.OrganizationRole) && int.TryParse((string?)context.Request.RouteValues["project"], NumberStyles.None, CultureInfo.InvariantCulture, out var id) && accounts.Projects.All(project => project.Id != id))
            throw new RefusedException(404, "there is no project with this id");
        var (_, project, role) = await ProjectOfPathAsync(context).ConfigureAwait(false);
        return Roles.Manages(role) ? project : throw new RefusedException(403, "service account must be an owner or admin of the project");
    }

    /// <summary>Refuses whoever signs in neither as an account nor with the secret of a project.</summary>
    public async Task RequireCallerAsync(HttpContext context)
    {
        if (ProjectOfSecret(context) is null)
            await AccountAsync(context).ConfigureAwait(false);
    }

    /// <summary>The project whose secret signs in, else the one that <c>project_id</c> names, which the calling account must own or administer.</summary>
    public async Task<Project> ManagedProjectAsync(HttpContext context, string? projectId)
    {
        if (ProjectOfSecret(context) is { } own)
            return Own(own, projectId);
        var (project, role) = ProjectOf(context, await AccountAsync(context).ConfigureAwait(false), projectId);
        return Roles.Manages(role) ? project : throw new RefusedException(403, "service account must be an owner or admin of the project");
    }

    /// <summary>The project of the path, with the calling account and its role there.</summary>
    public async Task<(ServiceAccount Account, Project Project, string Role)> ProjectOfPathAsync(HttpContext context, string name = "project")
    {
        var account = await AccountAsync(context).ConfigureAwait(false);
        var (project, role) = ProjectOf(context, account, (string?)context.Request.RouteValues[name]);
        return (account, project, role);
    }

    /// <summary>The project of the path, which the calling account must be more than a consumer of.</summary>
    public async Task<(ServiceAccount Account, Project Project)> WritableProjectAsync(HttpContext context)
    {
        var (account, project, role) = await ProjectOfPathAsync(context).ConfigureAwait(false);
        return RequireWriter(account, project, role);
    }

    /// <summary>The project of the path's workspace: each project has one, numbered like it.</summary>
    public async Task<(ServiceAccount Account, Project Project, string Role)> WorkspaceOfPathAsync(HttpContext context)
    {
        var found = await ProjectOfPathAsync(context, "workspace").ConfigureAwait(false);
        var named = (string?)context.Request.RouteValues["project"];
        return named is null || named == IdOf(found.Project) ? found : throw new RefusedException(404, "workspace not found");
    }

    public async Task<(ServiceAccount Account, Project Project)> WritableWorkspaceAsync(HttpContext context)
    {
        var (account, project, role) = await WorkspaceOfPathAsync(context).ConfigureAwait(false);
        return RequireWriter(account, project, role);
    }

    static (ServiceAccount Account, Project Project) RequireWriter(ServiceAccount account, Project project, string role) =>
        Roles.Writes(role) ? (account, project) : throw new RefusedException(403, "service account must be an owner, admin or analyst of the project");

    /// <summary>The project whose secret signs in, else the one that <c>project_id</c> names, when the calling account may read it.</summary>
    public async Task<Project> ReadableProjectAsync(HttpContext context, string? projectId)
    {
        if (ProjectOfSecret(context) is { } own)
            return Own(own, projectId);
        var account = await AccountAsync(context).ConfigureAwait(false);
        return ProjectOf(context, account, projectId).Project;
    }

    /// <summary>The project to import into: chosen by <c>project_id</c> for a service account, by itself for a project's secret or token.</summary>
    public async Task<Project> ImportProjectAsync(HttpContext context)
    {
        var projectId = context.Request.Query["project_id"].ToString();
        if (ProjectOfSecret(context) is { } own)
            return Own(own, projectId);
        if (Credentials.Of(context.Request) is { Secret: "" } token)
        {
            var project = accounts.ProjectOfToken(token.Username, context.Region());
            if (project is null || (projectId != "" && projectId != IdOf(project)))
                throw RefusedException.BadCredentials();
            return project;
        }
        // The token of a user, which stands for the owner of the development world.
        var account = IsBearer(context) ? accounts.All.FirstOrDefault(account => account.Username == DevelopmentCredentials.ServiceAccountUsername) ?? throw RefusedException.BadCredentials()
            : await AccountAsync(context).ConfigureAwait(false);
        var (chosen, role) = ProjectOf(context, account, projectId);
        return Roles.Manages(role) ? chosen : throw new RefusedException(403, "service account must be an owner or admin of the project");
    }

    /// <summary>Whether the request carries the one OAuth token that there is.</summary>
    public static bool IsBearer(HttpContext context) => context.Request.Headers.Authorization.ToString() == $"Bearer {DevelopmentCredentials.OAuthToken}";

    /// <summary>The project whose secret signs in: a name without a password.</summary>
    public Project? ProjectOfSecret(HttpContext context) => Credentials.Of(context.Request) is { Secret: "" } sent ? accounts.ProjectOfSecret(sent.Username, context.Region()) : null;

    /// <summary>A secret names its project; a <c>project_id</c> beside it may say the same, and nothing else.</summary>
    static Project Own(Project project, string? projectId) =>
        string.IsNullOrEmpty(projectId) || projectId == IdOf(project) ? project : throw new RefusedException(400, "'project_id' is another project's than the secret that signs in");

    static string IdOf(Project project) => project.Id.ToString(CultureInfo.InvariantCulture);

    (Project Project, string Role) ProjectOf(HttpContext context, ServiceAccount account, string? projectId)
    {
        if (string.IsNullOrEmpty(projectId))
            throw new RefusedException(400, "'project_id' is required with a service account");
        if (!int.TryParse(projectId, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            throw new RefusedException(400, "'project_id' is invalid: must be an integer");
        // A project that does not exist, one of somebody else and one of another region look the same.
        if (accounts.Projects.FirstOrDefault(project => project.Id == id) is not { } project || !project.IsKnownIn(context.Region()) || accounts.RoleIn(account, project) is not { } role)
            throw new RefusedException(403, "service account has no access to this project");
        return (project, role);
    }
}
