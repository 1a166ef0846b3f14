using System.Text;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>Whether one credential works for one API of one region.</summary>
public sealed record CredentialCheck
{
    /// <summary>The region, or the host of the endpoint that replaces the regions.</summary>
    public required string Region { get; init; }

    /// <summary>The API: <c>import</c>, <c>query</c> or <c>app</c>.</summary>
    public required string Api { get; init; }

    /// <summary>The credential: <c>service_account</c> or <c>token</c>.</summary>
    public required string Credential { get; init; }

    /// <summary>Whether the API accepted the credential.</summary>
    public required bool Works { get; init; }

    /// <summary>What the API refused, and what to do about it; null when the credential works.</summary>
    public MixpanelError? Error { get; init; }
}

public sealed partial class MixpanelClient
{
    /// <summary>
    /// Tries each configured credential on each API that accepts it. Stops early once a finding applies to the remaining APIs, too: a wrong secret, or a
    /// project that the account does not see, is reported once. Stores nothing: imports are tried with an event that Mixpanel must refuse. The query costs one
    /// of the 60 an hour.
    /// </summary>
    /// <param name="cancellationToken">Stops the check.</param>
    /// <returns>One result for each credential and API that was tried.</returns>
    /// <exception cref="MixpanelException">No credential is configured.</exception>
    public async Task<IReadOnlyList<CredentialCheck>> CheckAsync(CancellationToken cancellationToken = default)
    {
        // Once it has accepted the credentials, Mixpanel answers 400 to an event without properties, and stores nothing.
        var import = new MixpanelRequest(HttpMethod.Post, Api.Ingestion, "/import", AuthScheme.ServiceAccountOfProjectOrToken)
        {
            IsRepeatable = true, // nothing is stored
            IsRead = true,
            Body = new RequestBody("""[{"event":"","properties":{}}]"""u8.ToArray(), "application/json"),
        }.With("strict", "1");
        var query = new MixpanelRequest(HttpMethod.Post, Api.Query, "/api/query/engage", AuthScheme.ServiceAccountOfProject)
        {
            IsRepeatable = true,
            Counts = CallKind.Query,
            Body = new RequestBody(Encoding.ASCII.GetBytes("output_properties=%5B%22%24email%22%5D"), "application/x-www-form-urlencoded"),
        };
        var app = new MixpanelRequest(HttpMethod.Get, Api.App, "/api/app/me", AuthScheme.ServiceAccount);

        var checks = new List<CredentialCheck>();
        if (Options.ServiceAccount is not null)
        {
            var transport = Transport;
            var seen = ProjectsSeen.Unknown;
            checks.Add(await TryAsync(transport, "app", "service_account", app, reply => seen = ProjectsSeen.Of(reply, Options),
                cancellationToken).ConfigureAwait(false));
            foreach (var (api, request, ensure) in new (string, MixpanelRequest, Action<Reply>)[]
            {
                ("query", query, reply => ReplyClassifier.ReadJson(reply, Options).Dispose()),
                ("import", import, EnsureImport),
            })
            {
                if (checks[^1].Error is { Kind: ErrorKind.Unauthorized } or { Field: not null }) break; // the result would be the same
                var check = await TryAsync(transport, api, "service_account", request, ensure, cancellationToken).ConfigureAwait(false);
                checks.Add(check.Error is { } error ? check with { Error = seen.Explain(error, api, Options) } : check);
            }
        }

        if (Options.Token is not null)
        {
            var transport = Transport.With(Options with { ServiceAccount = null });
            checks.Add(await TryAsync(transport, "import", "token", import, EnsureImport, cancellationToken).ConfigureAwait(false));
        }

        if (checks.Count == 0)
            throw MixpanelException.Invalid("service_account_username", "There are no credentials to check. Configure a service account or a project token.");
        return checks;
    }

    void EnsureImport(Reply reply)
    {
        var verdict = ReplyClassifier.ReadImport(reply, 1, Options);
        if (verdict.Kind is not (VerdictKind.Partial or VerdictKind.Ambiguous))
            throw new MixpanelException(verdict.Error ?? new(ErrorKind.Protocol, "An event that Mixpanel must reject was accepted: this is not Mixpanel."));
    }

    async Task<CredentialCheck> TryAsync(MixpanelTransport transport, string api, string credential, MixpanelRequest request, Action<Reply> ensure,
        CancellationToken cancellationToken)
    {
        var check = new CredentialCheck
        {
            Region = Options.Endpoint?.Authority ?? Options.Region.ToString().ToLowerInvariant(),
            Api = api,
            Credential = credential,
            Works = true,
        };
        try
        {
            ensure(await transport.SendAsync(request, cancellationToken).ConfigureAwait(false));
            return check;
        }
        catch (MixpanelException e)
        {
            return check with { Works = false, Error = e.Error };
        }
    }
}
