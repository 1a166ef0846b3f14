namespace MixpanelConnector;

/// <summary>How an import, an export, a migration or a consumer ended. The values appear in reports, and do not change.</summary>
public enum RunOutcome
{
    /// <summary>Everything is done.</summary>
    Complete = 0,

    /// <summary>An option or the input is invalid. Nothing was sent.</summary>
    Invalid = 2,

    /// <summary>Everything is done, except for records that were not accepted or could not be read; each is accounted for.</summary>
    Rejected = 3,

    /// <summary>The credentials were refused or lack a permission. The same call resumes.</summary>
    NotAllowed = 4,

    /// <summary>Mixpanel, a broker or a storage is unavailable or not trusted, or the hourly calls are used up. The same call resumes.</summary>
    Unavailable = 5,

    /// <summary>The data to read is unreadable, corrupt or truncated.</summary>
    Damaged = 6,

    /// <summary>The disk failed: full, read-only, not synced. The same call resumes.</summary>
    DiskFailed = 7,

    /// <summary>Another process is working on the same job. Nothing was done.</summary>
    Busy = 8,

    /// <summary>The counts do not agree, or the verification found differences.</summary>
    Inconsistent = 9,

    /// <summary>A process was stopped by SIGHUP. The library never returns this. The same call resumes.</summary>
    HungUp = 129,

    /// <summary>Stopped by the caller. The same call resumes.</summary>
    Stopped = 130,

    /// <summary>A process was stopped by SIGTERM. The library never returns this. The same call resumes.</summary>
    Terminated = 143,
}
