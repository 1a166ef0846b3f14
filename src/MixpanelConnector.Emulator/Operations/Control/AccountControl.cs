using System.Globalization;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary><c>PUT /emulator/service-accounts/{username}</c>: a service account with a predefined secret, which Mixpanel does not offer.</summary>
sealed class AccountControl(Accounts accounts, Access access)
{
    public async Task PutAsync(HttpContext context)
    {
        var manager = await access.ManagerAsync(context).ConfigureAwait(false);
        var body = await JsonBody.ReadAsync(context).ConfigureAwait(false);
        body.AllowOnly("secret", "role", "expires", "projects");
        var username = (string)context.Request.RouteValues["username"]!;
        if (username.Contains(':', StringComparison.Ordinal) || username.Any(char.IsControl))
            throw new RefusedException(400, "username: must be text without a colon and without control characters");
        if (username == DevelopmentCredentials.ServiceAccountUsername)
            throw new RefusedException(400, "username: this is the emulator's built-in account, which cannot be changed");
        var role = body.OneOf("role", Roles.Analyst, Roles.All);
        // Some tests need an account that has already expired.
        DateTimeOffset? expires = body.Text("expires") is not { } text ? null
            : DateTimeOffset.TryParseExact(text, AccountRequest.Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var given) ? given
            : throw body.Invalid("expires", "must be a date and time like 2026-01-31T00:00:00Z");
        var projects = !body.Has("projects") ? [] : body.Objects("projects").Select(project =>
        {
            project.AllowOnly("id", "role");
            var id = project.Integer("id") ?? throw project.Invalid("id", "must not be missing");
            return accounts.Projects.Any(known => known.Id == id && known.OrganizationId == manager.OrganizationId)
                ? (id, project.OneOf("role", role, Roles.All))
                : throw project.Invalid("id", "there is no such project");
        }).ToList();
        var account = await accounts.PutAccountAsync(manager, username, body.RequiredText("secret"), role, expires, projects,
            context.RequestAborted).ConfigureAwait(false);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("id", account.Id);
            json.WriteString("username", account.Username);
            json.WriteString("role", account.OrganizationRole);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }
}
