namespace MixpanelConnector.Emulator;

/// <summary>How an embedded Mixpanel is started.</summary>
public sealed record EmulatorOptions
{
    /// <summary>The loopback port to listen on. Default: 0, a free one.</summary>
    public int Port { get; init; }

    /// <summary>
    /// The folder that keeps the data from one start to the next; created, for this user alone, when missing.
    /// Default: none, everything stays in memory and is gone when the embedded Mixpanel stops.
    /// </summary>
    public string? DataDirectory { get; init; }

    /// <summary>The clock by which events are judged, accounts expire and quotas refill. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How projects resolve identities. Default: simplified, as in every organization since April 2024.</summary>
    public IdentityManagement Identity { get; init; } = IdentityManagement.Simplified;

    /// <summary>The quotas beyond which requests are answered with 429. Default: none.</summary>
    public EmulatorRateLimits? RateLimits { get; init; }
}

/// <summary>Mixpanel's ways to tell who an event belongs to.</summary>
public enum IdentityManagement
{
    /// <summary>From <c>$user_id</c> and <c>$device_id</c>; identity events are refused.</summary>
    Simplified,

    /// <summary>From <c>distinct_id</c>, with identity events. Events are stored; identities are not merged.</summary>
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
}
