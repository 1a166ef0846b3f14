namespace MixpanelConnector.Emulator;

/// <summary>How an embedded Mixpanel is started.</summary>
public sealed record EmulatorOptions
{
    /// <summary>The loopback port to listen on. Default: 0, a free one.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Whether to listen on all addresses in place of loopback alone: for a container, whose network is its own. Whoever reaches it may
    /// come in, for the credentials are known. Under an IP address it answers then, under a name still only if it is one of
    /// <see cref="HostNames"/>. Default: no.
    /// </summary>
    public bool AnyAddress { get; init; }

    /// <summary>
    /// Names besides those of loopback that are answered to, such as <c>api.mixpanel.com</c> for clients whose address cannot be
    /// changed, when their system leads that name here. Default: none.
    /// </summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];

    /// <summary>
    /// The loopback port of a proxy that leads <c>https://*.mixpanel.com</c> here, and refuses all other hosts: with it and
    /// <see cref="EmulatedMixpanel.CertificateAuthorityFile"/>, clients run unchanged. 0 takes a free one. Default: none.
    /// </summary>
    public int? ProxyPort { get; init; }

    /// <summary>A loopback port for HTTPS, by a certificate of <see cref="EmulatedMixpanel.CertificateAuthorityFile"/>. 0 takes a free one. Default: none.</summary>
    public int? TlsPort { get; init; }

    /// <summary>
    /// What the store begins with, and has again after a reset: projects, accounts and data as a JSON object, described in
    /// docs/emulator.md. A store that was made from it already stays as it is. Default: nothing but the development world.
    /// </summary>
    public string? Seed { get; init; }

    /// <summary>Whether parameters and members that tracking, imports and profile updates do not know are refused, which Mixpanel takes and leaves out. Default: no.</summary>
    public bool StrictUnknown { get; init; }

    /// <summary>
    /// The folder that keeps the data from one start to the next; created, for this user alone, when missing.
    /// Default: none, everything stays in memory and is gone when the embedded Mixpanel stops.
    /// </summary>
    public string? DataDirectory { get; init; }

    /// <summary>The clock by which events are judged, accounts expire and quotas refill, until <c>/emulator/clock</c> sets another time. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// How a project that is created resolves identities, the first one among them; those that exist stay as they are.
    /// Default: simplified, as in every organization since April 2024.
    /// </summary>
    public IdentityManagement Identity { get; init; } = IdentityManagement.Simplified;

    /// <summary>
    /// How many events one <c>distinct_id</c> may have on one day (UTC): further ones are stored as <c>$hotshard_events</c> of nobody.
    /// Default: 200,000.
    /// </summary>
    public int EventsPerDistinctIdAndDay { get; init; } = 200_000;

    /// <summary>How long a deletion of personal data waits, and can be taken back, before it is carried out. Default: not at all.</summary>
    public TimeSpan DeletionDelay { get; init; }

    /// <summary>The quotas beyond which requests are answered with 429. Default: none.</summary>
    public EmulatorRateLimits? RateLimits { get; init; }

    /// <summary>Faults on purpose, which <c>/emulator/faults</c> can replace. Default: none.</summary>
    public EmulatorFaults? Faults { get; init; }

    /// <summary>Whether the process is there for it alone, so that its heap may be limited while a script runs.</summary>
    internal bool OwnsProcess { get; init; }
}

/// <summary>Mixpanel's ways to tell who an event belongs to.</summary>
public enum IdentityManagement
{
    /// <summary>From <c>$user_id</c> and <c>$device_id</c>: the first event that has both links them. Identity events are refused.</summary>
    Simplified,

    /// <summary>From <c>distinct_id</c>, and by the identity events <c>$identify</c>, <c>$create_alias</c> and <c>$merge</c>.</summary>
    Original,
}

/// <summary>Quotas of one project. The defaults are those of Mixpanel's documentation.</summary>
public sealed record EmulatorRateLimits
{
    /// <summary>Uncompressed bytes that may be ingested in any minute. Default: 2 GB.</summary>
    public long IngestedBytesPerMinute { get; init; } = 2L * 1024 * 1024 * 1024;

    /// <summary>Events that may be ingested in any minute. Default: 1,800,000 (30,000 a second).</summary>
    public long IngestedEventsPerMinute { get; init; } = 30_000 * 60;

    /// <summary>Queries in any hour. Default: 60.</summary>
    public int QueriesPerHour { get; init; } = 60;

    /// <summary>Queries at the same time. Default: 5.</summary>
    public int ConcurrentQueries { get; init; } = 5;

    /// <summary>Raw exports in any hour. Default: 60.</summary>
    public int ExportsPerHour { get; init; } = 60;

    /// <summary>Raw exports in any second. Default: 3.</summary>
    public int ExportsPerSecond { get; init; } = 3;

    /// <summary>Raw exports at the same time. Default: 100.</summary>
    public int ConcurrentExports { get; init; } = 100;

    /// <summary>Replacements of lookup tables in any 24 hours. Default: 100.</summary>
    public int LookupTableReplacementsPerDay { get; init; } = 100;

    /// <summary>Requests for retrievals and deletions of personal data in any second. Default: 1.</summary>
    public int GdprRequestsPerSecond { get; init; } = 1;

    /// <summary>Requests for schemas in any minute, of the whole organization. Default: 5.</summary>
    public int SchemaRequestsPerMinute { get; init; } = 5;

    /// <summary>Schemas that may be written in any minute, of the whole organization. Default: 4,000.</summary>
    public int SchemaEntriesPerMinute { get; init; } = 4000;
}
