using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;

namespace MixpanelConnector;

/// <summary>What a tracker does with a record when it has no room for it.</summary>
public enum WhenFull
{
    /// <summary>The record is not taken: <c>Track</c> gives false, <c>TrackAsync</c> throws. It is counted.</summary>
    Drop,

    /// <summary>The caller waits until there is room, for <see cref="TrackerOptions.WaitTimeout"/> at most: <c>Track</c> blocks, <c>TrackAsync</c> waits without a thread. After that, it is as with <see cref="Drop"/>.</summary>
    Wait,
}

/// <summary>How a tracker gathers and sends. Immutable: change a copy with <c>with</c>.</summary>
public sealed record TrackerOptions
{
    /// <summary>How long a record may wait for others before it is sent with them. Default: 100 milliseconds. With <see cref="BatchRecords"/>, this is what a kill of the process can cost while Mixpanel keeps up, unless there is an <see cref="Outbox"/>.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The most records of a request, from 1 to 2000. Default: 1000.</summary>
    public int BatchRecords { get; init; } = 1000;

    /// <summary>The most requests under way at one time. Default: 8. It is used as far as Mixpanel keeps up.</summary>
    public int Senders { get; init; } = 8;

    /// <summary>The most bytes of records, as JSON, that are held in memory; buffers around them may take twice as much again. Default: 32 MB.</summary>
    public int MaxBufferedBytes { get; init; } = 32 << 20;

    /// <summary>What happens to a record when these bytes are full. Default: <see cref="MixpanelConnector.WhenFull.Drop"/>.</summary>
    public WhenFull WhenFull { get; init; } = WhenFull.Drop;

    /// <summary>How long a call waits for room with <see cref="MixpanelConnector.WhenFull.Wait"/>, from zero to a day. Default: 1 minute.</summary>
    public TimeSpan WaitTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long disposing the tracker waits until everything is sent. Default: 10 seconds. A host's own limit is used when the host stops it.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Properties for every event that does not have them of its own. Default: none.</summary>
    public JsonObject SuperProperties { get; init; } = [];

    /// <summary>Called for each record that was taken and is not in Mixpanel after all, on a thread of the tracker's. What it throws is logged. Default: nothing; they are logged and counted in any case.</summary>
    public Action<RejectedRecord>? OnRejected { get; init; }

    /// <summary>Where records are kept on the disk until Mixpanel has them, so that they survive the end of the process; <c>MixpanelConnector.Sqlite</c> has one. The tracker disposes it. Default: none, records are in memory only.</summary>
    public ITrackerOutbox? Outbox { get; init; }

    /// <summary>Whether records that an earlier version left in the <see cref="Outbox"/>, and that do not say of which project they are, are sent by this tracker. Default: false, they stay in the outbox, and the log says so. Set it for one start where the outbox was never used for another project or endpoint.</summary>
    public bool AdoptUnowned { get; init; }

    /// <summary>Makes the meter. Default: a meter of the tracker's own.</summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>For how long Mixpanel may not answer until that is an outage.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For how long what was given up at the stop may take to end: a moment, unless something of the application's does not return.</summary>
    internal TimeSpan Unwinding { get; init; } = TimeSpan.FromSeconds(30);

    internal TrackerOptions Validated()
    {
        if (FlushInterval < TimeSpan.Zero || FlushInterval > TimeSpan.FromHours(1)) throw MixpanelException.Invalid("flush_interval", "The flush interval must be from zero to an hour.");
        if (BatchRecords is < 1 or > 2000) throw MixpanelException.Invalid("batch_records", "A batch holds from 1 to 2000 records.");
        if (Senders is < 1 or > 20) throw MixpanelException.Invalid("senders", "There are from 1 to 20 senders.");
        if (MaxBufferedBytes < 1 << 20) throw MixpanelException.Invalid("max_buffered_bytes", "The buffer must hold at least 1 MB.");
        if (!Enum.IsDefined(WhenFull)) throw MixpanelException.Invalid("when_full", "What happens when the buffer is full must be drop or wait.");
        if (WaitTimeout < TimeSpan.Zero || WaitTimeout > TimeSpan.FromDays(1)) throw MixpanelException.Invalid("wait_timeout", "The time to wait for room must be from zero to a day.");
        if (StopTimeout < TimeSpan.Zero || StopTimeout > TimeSpan.FromDays(1)) throw MixpanelException.Invalid("stop_timeout", "The time to stop must be from zero to a day.");
        return this;
    }
}
