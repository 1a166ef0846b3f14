using System.Text.Json;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>
/// Finds the organization or workspace for an action when neither its input nor a setting specifies it: the only one that the credential can see.
/// </summary>
static class CredentialScope
{
    public static ValueTask<long> OrganizationAsync(ActionContext context, CancellationToken cancellationToken) =>
        FindAsync(context, context.Options.OrganizationId, "organization", cancellationToken);

    public static ValueTask<long> WorkspaceAsync(ActionContext context, CancellationToken cancellationToken) =>
        FindAsync(context, context.Options.WorkspaceId, "workspace", cancellationToken);

    static async ValueTask<long> FindAsync(ActionContext context, long? configured, string what, CancellationToken cancellationToken)
    {
        if (configured is { } known) return known;

        var (members, field) = (what + "s", what + "_id");
        var reply =
            await context.Transport.SendAsync(new(HttpMethod.Get, Api.App, "/api/app/me", AuthScheme.ServiceAccount), cancellationToken).ConfigureAwait(false);
        using var document = ReplyClassifier.ReadJson(reply, context.Options);
        if (ProjectsSeen.Members(document.RootElement, members).ValueKind is not JsonValueKind.Object)
            throw new MixpanelException(reply.Error(ErrorKind.Protocol,
                $"Mixpanel's response about the credentials does not list their {members}. Specify one with {field}."));
        var ids = ProjectsSeen.Ids(document.RootElement, members).ToArray();
        return ids switch
        {
            [var only] => only,
            [] => throw MixpanelException.Invalid(field, $"The service account has access to no {what}. Specify one, or use an account of the {what}."),
            _ => throw MixpanelException.Invalid(field,
                $"The service account has access to {ids.Length} {members} ({string.Join(", ", ids.Take(10))}). Specify one."),
        };
    }
}
