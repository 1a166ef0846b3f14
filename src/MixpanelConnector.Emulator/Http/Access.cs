using System.Globalization;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Authenticates callers and checks their permissions.</summary>
sealed class Access(Accounts accounts)
{
    public async Task<ServiceAccount> AccountAsync(HttpContext context)
    {
        if (Credentials.Of(context.Request) is not { } sent) throw RefusedException.BadCredentials();
        return await accounts.AuthenticateAsync(sent.Username, sent.Secret, context.RequestAborted).ConfigureAwait(false)
            ?? throw RefusedException.BadCredentials();
    }

    /// <summary>The calling account, which must be an owner or admin of its organization.</summary>
    public async Task<ServiceAccount> ManagerAsync(HttpContext context)
    {
        var account = await AccountAsync(context).ConfigureAwait(false);
        return Roles.Manages(account.OrganizationRole)
            ? account
            : throw new RefusedException(403, "service account must be an owner or admin of the organization");
    }

    /// <summary>
    /// The project in the path, which the calling account must own or administer. A manager of the organization gets a specific error if it does not exist: to
    /// them it is no secret.
    /// </summary>
    public async Task<Project> ManagedProjectAsync(HttpContext context)
    {
        var caller = await AccountAsync(context).ConfigureAwait(false);
        if (Roles.Manages(caller.OrganizationRole)
            && int.TryParse((string?)context.Request.RouteValues["project"], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && accounts.Projects.All(project => project.Id != id))
            throw new RefusedException(404, "there is no project with this id");
        var (_, project, role) = await ProjectOfPathAsync(context).ConfigureAwait(false);
        return Roles.Manages(role) ? project : throw new RefusedException(403, "service account must be an owner or admin of the project");
    }

    /// <summary>Rejects callers that authenticate neither as an account nor with the secret of a project.</summary>
    public async Task RequireCallerAsync(HttpContext context)
    {
        if (ProjectOfSecret(context) is null) await AccountAsync(context).ConfigureAwait(false);
    }

    /// <summary>
    /// The project whose secret is used as credentials, otherwise the one in <c>project_id</c>, which the calling account must own or administer.
    /// </summary>
    public async Task<Project> ManagedProjectAsync(HttpContext context, string? projectId)
    {
        if (ProjectOfSecret(context) is { } own) return Own(own, projectId);
        var (project, role) = ProjectOf(context, await AccountAsync(context).ConfigureAwait(false), projectId);
        return Roles.Manages(role) ? project : throw new RefusedException(403, "service account must be an owner or admin of the project");
    }

    /// <summary>The project in the path, with the calling account and its role in it.</summary>
    public async Task<(ServiceAccount Account, Project Project, string Role)> ProjectOfPathAsync(HttpContext context, string name = "project")
    {
        var account = await AccountAsync(context).ConfigureAwait(false);
        var (project, role) = ProjectOf(context, account, (string?)context.Request.RouteValues[name]);
        return (account, project, role);
    }

    /// <summary>The project in the path, in which the calling account must have more than the role of a consumer.</summary>
    public async Task<(ServiceAccount Account, Project Project)> WritableProjectAsync(HttpContext context)
    {
        var (account, project, role) = await ProjectOfPathAsync(context).ConfigureAwait(false);
        return RequireWriter(account, project, role);
    }

    /// <summary>The project of the workspace in the path: each project has one, with the same number.</summary>
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

    /// <summary>
    /// The project whose secret is used as credentials, otherwise the one in <c>project_id</c>, which the calling account must be allowed to read.
    /// </summary>
    public async Task<Project> ReadableProjectAsync(HttpContext context, string? projectId)
    {
        if (ProjectOfSecret(context) is { } own) return Own(own, projectId);
        var account = await AccountAsync(context).ConfigureAwait(false);
        return ProjectOf(context, account, projectId).Project;
    }

    /// <summary>The project to import into: the one in <c>project_id</c> for a service account, or the project of a secret or token.</summary>
    public async Task<Project> ImportProjectAsync(HttpContext context)
    {
        var projectId = context.Request.Query["project_id"].ToString();
        if (ProjectOfSecret(context) is { } own) return Own(own, projectId);
        if (Credentials.Of(context.Request) is { Secret: "" } token)
        {
            var project = accounts.ProjectOfToken(token.Username, context.Region());
            if (project is null || (projectId != "" && projectId != IdOf(project))) throw RefusedException.BadCredentials();
            return project;
        }
        // The token of a user, who is the owner of the development world.
        var account = IsBearer(context)
            ? accounts.All.FirstOrDefault(account => account.Username == DevelopmentCredentials.ServiceAccountUsername)
                ?? throw RefusedException.BadCredentials()
            : await AccountAsync(context).ConfigureAwait(false);
        var (chosen, role) = ProjectOf(context, account, projectId);
        return Roles.Manages(role) ? chosen : throw new RefusedException(403, "service account must be an owner or admin of the project");
    }

    /// <summary>Whether the request carries the only existing OAuth token.</summary>
    public static bool IsBearer(HttpContext context) => context.Request.Headers.Authorization.ToString() == $"Bearer {DevelopmentCredentials.OAuthToken}";

    /// <summary>The project whose secret is used as credentials: a user name without a password.</summary>
    public Project? ProjectOfSecret(HttpContext context) =>
        Credentials.Of(context.Request) is { Secret: "" } sent ? accounts.ProjectOfSecret(sent.Username, context.Region()) : null;

    /// <summary>A secret identifies its project; an additional <c>project_id</c> must be the same.</summary>
    static Project Own(Project project, string? projectId) =>
        string.IsNullOrEmpty(projectId) || projectId == IdOf(project)
            ? project
            : throw new RefusedException(400, "'project_id' is another project's than the secret that signs in");

    static string IdOf(Project project) => project.Id.ToString(CultureInfo.InvariantCulture);

    (Project Project, string Role) ProjectOf(HttpContext context, ServiceAccount account, string? projectId)
    {
        if (string.IsNullOrEmpty(projectId)) throw new RefusedException(400, "'project_id' is required with a service account");
        if (!int.TryParse(projectId, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            throw new RefusedException(400, "'project_id' is invalid: must be an integer");
        // A missing project, one of another organization and one of another region are indistinguishable.
        if (accounts.Projects.FirstOrDefault(project => project.Id == id) is not { } project || !project.IsKnownIn(context.Region())
            || accounts.RoleIn(account, project) is not { } role)
            throw new RefusedException(403, "service account has no access to this project");
        return (project, role);
    }
}
