using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Transport;

/// <summary>Chooses the credential for a request by what its endpoint accepts. The only code that reads the secret.</summary>
static class Authorization
{
    // Mixpanel's secrets and tokens have 32 characters. Censoring a shorter word, such as the embedded Mixpanel's "local", would mutilate ordinary text.
    const int ShortestCensored = 8;

    static readonly ConditionalWeakTable<MixpanelOptions, string[]> FormsOf = [];
    static readonly ConditionalWeakTable<ServiceAccountCredentials, string[]> FormsOfAccounts = [];

    /// <summary>Returns the header and the project id for the query, either of which may be null.</summary>
    /// <exception cref="MixpanelException">No suitable credential is configured.</exception>
    public static (AuthenticationHeaderValue? Header, string? ProjectId) For(MixpanelOptions options, AuthScheme scheme, long? projectId)
    {
        projectId ??= options.ProjectId;
        switch (scheme)
        {
            case AuthScheme.ProjectToken:
                return (null, null);
            case AuthScheme.OAuthToken:
                return (new("Bearer",
                    Reveal(options.OAuthToken
                        ?? throw MixpanelException.Invalid("oauth_token",
                            "This call needs an OAuth token: configure MIXPANEL_OAUTH_TOKEN, or use the embedded Mixpanel."))),
                    null);
            case AuthScheme.ServiceAccountOfProjectOrToken when options.ServiceAccount is null && options.Token is { } token:
                return (Basic(token, ""), null);
            case AuthScheme.ServiceAccountOfProjectOrToken when options.ServiceAccount is null:
                throw MixpanelException.Invalid("service_account_username",
                    "This call needs a service account (user name, secret and project id) or a project token. Configure one of them, "
                    + "or use the embedded Mixpanel.");
        }

        if (options.CurrentAccount is not { } account)
            throw MixpanelException.Invalid("service_account_username",
                "This call needs a service account: a project token alone is not sufficient here. Configure the user name and the secret, "
                + "or use the embedded Mixpanel.");
        if (scheme is AuthScheme.ServiceAccount) return (Basic(account), null);
        if (projectId is null) throw MixpanelException.Invalid("project_id", "With a service account, this call requires a project. Configure the project id.");
        return (Basic(account), projectId.Value.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Removes from a server's text every form in which it could contain the credentials.</summary>
    public static string Censor(MixpanelOptions options, string text)
    {
        foreach (var form in FormsOf.GetValue(options, Forms)) text = text.Replace(form, "***", StringComparison.OrdinalIgnoreCase);
        foreach (var account in options.Rotation?.Known ?? [])
            foreach (var form in FormsOfAccounts.GetValue(account, static account => Forms(SecretsOf(account))))
                text = text.Replace(form, "***", StringComparison.OrdinalIgnoreCase);
        return text;
    }

    static string[] Forms(MixpanelOptions options)
    {
        var secrets = new List<string>();
        if (options.ServiceAccount is { } account) secrets.AddRange(SecretsOf(account));
        if (options.OAuthToken is { } bearer) secrets.Add(Reveal(bearer));
        if (options.Token is { } token) secrets.AddRange([token, $"{token}:"]);
        return Forms(secrets);
    }

    static string[] SecretsOf(ServiceAccountCredentials account) => [Reveal(account.Secret), $"{account.Username}:{Reveal(account.Secret)}"];

    /// <summary>Raw, base64, percent-encoded, hexadecimal and JSON-escaped; longer forms first, because they contain shorter ones.</summary>
    static string[] Forms(IEnumerable<string> secrets) =>
        [
            .. secrets
                .SelectMany(secret =>
                {
                    var bytes = Encoding.UTF8.GetBytes(secret);
                    var base64 = Convert.ToBase64String(bytes).TrimEnd('=');
                    return (string[])
                    [
                        secret, Uri.EscapeDataString(secret), WebUtility.UrlEncode(secret), Convert.ToHexString(bytes),
                        base64, base64.Replace('+', '-').Replace('/', '_'), Uri.EscapeDataString(base64),
                        JsonEncodedText.Encode(secret).Value, JsonEncodedText.Encode(secret, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value,
                    ];
                })
                .Where(form => form.Length >= ShortestCensored)
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .OrderByDescending(form => form.Length),
        ];

    static AuthenticationHeaderValue Basic(ServiceAccountCredentials account) => Basic(account.Username, Reveal(account.Secret));

    static AuthenticationHeaderValue Basic(string user, string password) => new("Basic", Encode(user, password));

    static string Encode(string user, string password) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

#pragma warning disable RS0030 // the authorization header is where the secret is meant to go
    static string Reveal(MixpanelSecret secret) => secret.Reveal();
#pragma warning restore RS0030
}
