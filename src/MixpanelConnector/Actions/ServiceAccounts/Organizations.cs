using System.Globalization;
using System.Text.Json;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>Which organization an action means when its input does not say.</summary>
static class Organizations
{
    public static async ValueTask<long> FindAsync(ActionContext context, CancellationToken cancellationToken)
    {
        if (context.Options.OrganizationId is { } configured) return configured;

        var reply = await context.Transport.SendAsync(new(HttpMethod.Get, Api.App, "/api/app/me", Access.ServiceAccount), cancellationToken).ConfigureAwait(false);
        using var document = ReplyClassifier.ReadJson(reply, context.Options);
        if (Member(Member(document.RootElement, "results"), "organizations") is not { ValueKind: JsonValueKind.Object } organizations)
            throw new MixpanelException(new(ErrorKind.Protocol, "Mixpanel's answer about the credential does not list its organizations. Name one with organization_id.") { HttpStatus = reply.Status });
        var ids = organizations.EnumerateObject().Select(o => long.TryParse(o.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).Where(id => id > 0).ToArray();
        return ids switch
        {
            [var only] => only,
            [] => throw MixpanelException.Invalid("organization_id", "The service account sees no organization. Name one, or use an account of the organization."),
            _ => throw MixpanelException.Invalid("organization_id", $"The service account sees {ids.Length} organizations ({string.Join(", ", ids.Take(10))}). Name the one you mean."),
        };
    }

    static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;
}

/// <summary>The requests that manage service accounts.</summary>
static class ServiceAccountRequests
{
    public static MixpanelRequest Of(HttpMethod method, long organization) =>
        new(method, Api.App, string.Create(CultureInfo.InvariantCulture, $"/api/app/organizations/{organization}/service-accounts"), Access.ServiceAccount);
}
