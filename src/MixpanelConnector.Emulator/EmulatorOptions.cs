namespace MixpanelConnector.Emulator;

/// <summary>The options of an embedded Mixpanel.</summary>
public sealed record EmulatorOptions
{
    /// <summary>The loopback port to listen on. Default: 0, which is a free port.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Whether to listen on all addresses rather than loopback only: for a container, which has its own network. Anybody who can reach it has access, because
    /// the credentials are well known. It then answers requests for IP addresses; for a host name, still only if it is one of <see cref="HostNames"/>. Default:
    /// no.
    /// </summary>
    public bool AnyAddress { get; init; }

    /// <summary>
    /// Host names to accept in addition to those of loopback, such as <c>api.mixpanel.com</c> for clients whose address cannot be changed, if their system
    /// resolves that name to this machine. Default: none.
    /// </summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];

    /// <summary>
    /// The loopback port of a proxy that redirects <c>https://*.mixpanel.com</c> here, and rejects all other hosts: with it and
    /// <see cref="EmulatedMixpanel.CertificateAuthorityFile"/>, clients need no changes. 0 is a free port. Default: none.
    /// </summary>
    public int? ProxyPort { get; init; }

    /// <summary>
    /// A loopback port for HTTPS, with a certificate of <see cref="EmulatedMixpanel.CertificateAuthorityFile"/>. 0 is a free port. Default: none.
    /// </summary>
    public int? TlsPort { get; init; }

    /// <summary>
    /// The initial data of the store, restored by a reset: projects, accounts and data as a JSON object, described in docs/emulator.md. A store that was
    /// already created from it is left unchanged. Default: only the development world.
    /// </summary>
    public string? Seed { get; init; }

    /// <summary>
    /// Whether to reject unknown parameters and members in tracking, imports and profile updates, which Mixpanel accepts and ignores. Default: no.
    /// </summary>
    public bool StrictUnknown { get; init; }

    /// <summary>
    /// The folder that keeps the data across restarts; created if missing, accessible to this user only. Default: none, everything is kept in memory and is
    /// lost when the embedded Mixpanel stops.
    /// </summary>
    public string? DataDirectory { get; init; }

    /// <summary>
    /// The clock that determines the age of events, the expiry of accounts and the quotas, until <c>/emulator/clock</c> sets another time. Default: the
    /// system's.
    /// </summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// How new projects resolve identities, including the first one; existing projects keep their setting. Default: simplified, as in every organization since
    /// April 2024.
    /// </summary>
    public IdentityManagement Identity { get; init; } = IdentityManagement.Simplified;

    /// <summary>
    /// The maximum number of events of one <c>distinct_id</c> on one day (UTC): further ones are stored as <c>$hotshard_events</c> without a user. Default:
    /// 200,000.
    /// </summary>
    public int EventsPerDistinctIdAndDay { get; init; } = 200_000;

    /// <summary>The time before a deletion of personal data is carried out, during which it can be cancelled. Default: none.</summary>
    public TimeSpan DeletionDelay { get; init; }

    /// <summary>The quotas; requests beyond them are answered with 429. Default: none.</summary>
    public EmulatorRateLimits? RateLimits { get; init; }

    /// <summary>Faults to inject, which <c>/emulator/faults</c> can replace. Default: none.</summary>
    public EmulatorFaults? Faults { get; init; }

    /// <summary>Whether the process runs nothing else, so that its heap may be limited while a script runs.</summary>
    internal bool OwnsProcess { get; init; }

    /// <summary>The maximum duration of a JQL script. Default: 7 seconds.</summary>
    internal TimeSpan LongestScript { get; init; } = TimeSpan.FromSeconds(7);
}

/// <summary>Mixpanel's ways to determine the user of an event.</summary>
public enum IdentityManagement
{
    /// <summary>By <c>$user_id</c> and <c>$device_id</c>: the first event that has both links them. Identity events are rejected.</summary>
    Simplified,

    /// <summary>By <c>distinct_id</c>, and by the identity events <c>$identify</c>, <c>$create_alias</c> and <c>$merge</c>.</summary>
    Original,
}

/// <summary>Quotas of one project. The defaults are those of Mixpanel's documentation.</summary>
public sealed record EmulatorRateLimits
{
    /// <summary>Uncompressed bytes that may be ingested per minute. Default: 2 GB.</summary>
    public long IngestedBytesPerMinute { get; init; } = 2L * 1024 * 1024 * 1024;

    /// <summary>Events that may be ingested per minute. Default: 1,800,000 (30,000 a second).</summary>
    public long IngestedEventsPerMinute { get; init; } = 30_000 * 60;

    /// <summary>Queries per hour. Default: 60.</summary>
    public int QueriesPerHour { get; init; } = 60;

    /// <summary>Concurrent queries. Default: 5.</summary>
    public int ConcurrentQueries { get; init; } = 5;

    /// <summary>Raw exports per hour. Default: 60.</summary>
    public int ExportsPerHour { get; init; } = 60;

    /// <summary>Raw exports per second. Default: 3.</summary>
    public int ExportsPerSecond { get; init; } = 3;

    /// <summary>Concurrent raw exports. Default: 100.</summary>
    public int ConcurrentExports { get; init; } = 100;

    /// <summary>Replacements of lookup tables per 24 hours. Default: 100.</summary>
    public int LookupTableReplacementsPerDay { get; init; } = 100;

    /// <summary>Requests for retrievals and deletions of personal data per second. Default: 1.</summary>
    public int GdprRequestsPerSecond { get; init; } = 1;

    /// <summary>Requests for schemas per minute, for the whole organization. Default: 5.</summary>
    public int SchemaRequestsPerMinute { get; init; } = 5;

    /// <summary>Schemas that may be written per minute, for the whole organization. Default: 4,000.</summary>
    public int SchemaEntriesPerMinute { get; init; } = 4000;
}
