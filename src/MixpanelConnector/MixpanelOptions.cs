using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The region where a Mixpanel project's data is stored. Data sent to another region is not forwarded.</summary>
public enum MixpanelRegion
{
    /// <summary>United States: api.mixpanel.com, mixpanel.com, data.mixpanel.com.</summary>
    Us,

    /// <summary>European Union: api-eu.mixpanel.com, eu.mixpanel.com, data-eu.mixpanel.com.</summary>
    Eu,

    /// <summary>India: api-in.mixpanel.com, in.mixpanel.com, data-in.mixpanel.com.</summary>
    In,
}

/// <summary>The user name and secret of a Mixpanel service account, sent as HTTP Basic.</summary>
/// <param name="Username">The name as Mixpanel returned it when the account was created.</param>
/// <param name="Secret">The secret that Mixpanel showed once.</param>
public sealed record ServiceAccountCredentials(string Username, MixpanelSecret Secret);

/// <summary>How to reach Mixpanel, and with which credentials. Immutable: change a copy with <c>with</c>.</summary>
public sealed record MixpanelOptions
{
    /// <summary>The project token, in places called API key. Enough to track; not accepted by queries and account management. Default: none.</summary>
    public string? Token { get; init; }

    /// <summary>The service account for imports, queries and account management. Default: none.</summary>
    public ServiceAccountCredentials? ServiceAccount { get; init; }

    /// <summary>The project that imports and queries are for; needed with a service account. Default: none.</summary>
    public long? ProjectId { get; init; }

    /// <summary>The organization whose service accounts are managed. Default: the only one the service account can see.</summary>
    public long? OrganizationId { get; init; }

    /// <summary>The workspace whose flags and experiments are managed. Default: the only one the service account can see.</summary>
    public long? WorkspaceId { get; init; }

    /// <summary>A person's OAuth token, used only to retrieve and delete personal data. Default: none.</summary>
    public MixpanelSecret? OAuthToken { get; init; }

    /// <summary>The region of the project. Default: <see cref="MixpanelRegion.Us"/>. Not used when <see cref="Endpoint"/> is set.</summary>
    public MixpanelRegion Region { get; init; } = MixpanelRegion.Us;

    /// <summary>
    /// One base address that replaces every Mixpanel host: the embedded Mixpanel, a proxy, a test. Https, or http on loopback. Default: none.
    /// </summary>
    public Uri? Endpoint { get; init; }

    /// <summary>
    /// The timeout of one attempt, until its answer is complete. Default: null, which means 120 seconds for ingestion, 135 for the App API, 505 for queries: a
    /// little more than Mixpanel itself allows.
    /// </summary>
    public TimeSpan? AttemptTimeout { get; init; }

    /// <summary>
    /// The maximum number of retries after a rate limit, a server error or a broken connection. Default: 3. A call that creates something is only retried when
    /// the first attempt certainly had no effect.
    /// </summary>
    public int MaxRetries { get; init; } = 3;

    /// <summary>The time to wait before the first retry; it doubles with each further retry. Default: 2 seconds, as Mixpanel advises.</summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The longest time to wait between two attempts. Default: 60 seconds. A longer <c>Retry-After</c> from Mixpanel is honoured up to 300 seconds.
    /// </summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The longest <c>Retry-After</c> of a reply that a call waits for. A call that is asked to wait longer ends at once, with
    /// <see cref="MixpanelError.RetryAfter"/>: for callers that wait for an answer themselves. It does not apply to imports, exports and trackers. Default:
    /// null, for no limit.
    /// </summary>
    public TimeSpan? MaxRetryAfter { get; init; }

    /// <summary>
    /// Counts the calls that Mixpanel limits to 60 an hour, queries and raw exports, so that none is sent beyond the limit. Default: none; then only Mixpanel
    /// counts.
    /// </summary>
    public CallLedger? Ledger { get; init; }

    /// <summary>
    /// Whether a report that is empty for an event also requests the event names and suggests likely ones in its <c>Hint</c>. This costs another of the 60
    /// calls an hour. Default: false.
    /// </summary>
    public bool HintsAtEventNames { get; init; }

    /// <summary>
    /// A queue that events and profile updates are published to instead of being sent to Mixpanel; all other calls still go to Mixpanel. A call succeeds when
    /// the broker has confirmed the message. The caller disposes the queue. Default: none.
    /// </summary>
    public MixpanelQueue? Queue { get; init; }

    /// <summary>
    /// Receives the facts of each reply of Mixpanel, also of one that is retried, before the call that caused it continues: in the caller's asynchronous
    /// context, on any thread, and concurrently if calls are. It is called inline, and its call waits for it: return quickly, and leave anything slow to
    /// another thread. What it throws is ignored. Default: none.
    /// </summary>
    public Action<MixpanelReply>? OnReply { get; init; }

    /// <summary>The clock for deadlines, waits and times. Default: the system clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Returns numbers from 0 up to 1 for the jitter of waits. Default: random.</summary>
    public Func<double> Randomizer { get; init; } = Jitter.Random;

    /// <summary>The logger factory. Default: no logging. Messages contain no secret and no property value.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>How messages refer to settings. Default: by the names of this library.</summary>
    public MessageWords Words { get; init; } = MessageWords.Default;

    /// <summary>The service account to use now, where it may be replaced at run time.</summary>
    internal AccountRotation? Rotation { get; init; }

    /// <summary>The service account to use now: the replacement, unless a copy of the options sets a different account.</summary>
    internal ServiceAccountCredentials? CurrentAccount => Rotation is { } rotation && ServiceAccount == rotation.First ? rotation.Current : ServiceAccount;

    /// <summary>Returns the settings as text, without the token and the secret.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"Mixpanel {Endpoint?.GetLeftPart(UriPartial.Authority) ?? Region.ToString()}, project {ProjectId?.ToString() ?? "not set"}, organization {OrganizationId?.ToString() ?? "not set"}");

    /// <summary>Validates what can be checked without a network.</summary>
    /// <exception cref="MixpanelException">A value is out of range; <see cref="MixpanelError.Field"/> names the setting.</exception>
    internal MixpanelOptions Validated()
    {
        if (Endpoint is { } endpoint)
        {
            if (!endpoint.IsAbsoluteUri || (endpoint.Scheme != Uri.UriSchemeHttps && !(endpoint.Scheme == Uri.UriSchemeHttp && Hosts.IsLoopback(endpoint))))
                throw MixpanelException.Invalid("endpoint", "The endpoint must be an https URL, or an http URL on loopback, such as http://127.0.0.1:8080.");
            if (endpoint.UserInfo.Length > 0 || endpoint.Query.Length > 0 || endpoint.Fragment.Length > 0)
                throw MixpanelException.Invalid("endpoint", "The endpoint must be a plain URL without user name, query or fragment.");
        }

        if (!Enum.IsDefined(Region)) throw MixpanelException.Invalid("region", "The region must be us, eu or in.");
        if (Token is not null && !IsHeaderSafe(Token))
            throw MixpanelException.Invalid("token", "The token must be visible ASCII text without spaces or colons.");
        if (ServiceAccount is { } account)
        {
            if (!IsHeaderSafe(account.Username))
                throw MixpanelException.Invalid("service_account_username",
                    "The service account's user name must be visible ASCII text without spaces or colons.");
            if (account.Secret is null) throw MixpanelException.Invalid("service_account_secret", "The service account's secret is missing.");
        }

        if (ProjectId is <= 0) throw MixpanelException.Invalid("project_id", "The project id must be a positive integer.");
        if (OrganizationId is <= 0) throw MixpanelException.Invalid("organization_id", "The organization id must be a positive integer.");
        if (WorkspaceId is <= 0) throw MixpanelException.Invalid("workspace_id", "The workspace id must be a positive integer.");
        if (MaxRetries < 0) throw MixpanelException.Invalid("max_retries", "The number of retries cannot be negative.");
        if (BackoffMin <= TimeSpan.Zero || BackoffMax < BackoffMin)
            throw MixpanelException.Invalid("backoff_min", "The minimum backoff must be above zero and at most the maximum.");
        if (MaxRetryAfter < TimeSpan.Zero) throw MixpanelException.Invalid("max_retry_after", "The longest Retry-After cannot be negative.");
        if (BackoffMax > LongestWait) throw MixpanelException.Invalid("backoff_max", "The maximum backoff must be at most a day.");
        if (AttemptTimeout <= TimeSpan.Zero || AttemptTimeout > LongestWait)
            throw MixpanelException.Invalid("attempt_timeout", "The attempt timeout must be above zero and at most a day.");
        return this;
    }

    // Timers support about 49 days; more than a day is not a useful wait.
    static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    static bool IsHeaderSafe(string? text) =>
        !string.IsNullOrEmpty(text) && text.All(c => c is > ' ' and < '\x7f' and not ':');
}
