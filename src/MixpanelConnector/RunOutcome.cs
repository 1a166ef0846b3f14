namespace MixpanelConnector;

/// <summary>How an import, an export, a migration or a consumer ended. The values are the exit codes of the program, as reports hold them.</summary>
public enum RunOutcome
{
    /// <summary>All is done.</summary>
    Complete = 0,

    /// <summary>An option or the input does not fit. Nothing was sent.</summary>
    Invalid = 2,

    /// <summary>All is done, but for records that were not accepted or could not be read; each is accounted for.</summary>
    Rejected = 3,

    /// <summary>The credentials were refused, or do not allow it. The same call resumes.</summary>
    NotAllowed = 4,

    /// <summary>Mixpanel, a broker or a storage is not available or not to be trusted, or the calls of the hour are used up. The same call resumes.</summary>
    Unavailable = 5,

    /// <summary>What is read is unreadable, corrupt or cut short.</summary>
    Damaged = 6,

    /// <summary>The disk failed: full, read-only, not synced. The same call resumes.</summary>
    DiskFailed = 7,

    /// <summary>Another process works on the same. Nothing was done.</summary>
    Busy = 8,

    /// <summary>The counts do not agree, or what was verified differs.</summary>
    Inconsistent = 9,

    /// <summary>The program was stopped by SIGHUP, which the library does not know of. The same command resumes.</summary>
    HungUp = 129,

    /// <summary>Stopped by the caller, or the program by SIGINT. The same call resumes.</summary>
    Stopped = 130,

    /// <summary>The program was stopped by SIGTERM, which the library does not know of. The same command resumes.</summary>
    Terminated = 143,
}
