using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>What a tracker does with a record when it has no room for it.</summary>
public enum WhenFull
{
    /// <summary>The record is not taken: <c>Track</c> gives false, <c>TrackAsync</c> throws. It is counted.</summary>
    Drop,

    /// <summary>The caller waits until there is room, for <see cref="TrackerOptions.WaitTimeout"/> at most: <c>Track</c> blocks, <c>TrackAsync</c> waits without a thread. After that, it is as with <see cref="Drop"/>.</summary>
    Wait,
}

/// <summary>The address of Mixpanel's that events are sent to.</summary>
public enum EventEndpoint
{
    /// <summary><c>/import</c>: takes events of any age, names each that it refuses, and marks them as imported.</summary>
    Import,

    /// <summary><c>/track</c>, as browsers and the official SDKs use it: takes events of the last five days, and says nothing of one that it drops. It needs the project token.</summary>
    Track,
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

    /// <summary>The address that events are sent to. Default: <see cref="EventEndpoint.Import"/>. What an outbox holds for the other address stays there until a tracker sends to it again.</summary>
    public EventEndpoint EventsTo { get; init; } = EventEndpoint.Import;

    /// <summary>Properties for every event that does not have them of its own. Default: none.</summary>
    public JsonObject SuperProperties { get; init; } = [];

    /// <summary>Whether anything is tracked. Default: true. A tracker that is switched off starts no thread, opens no file and no connection, and needs no credential; <c>Track</c> gives true at once and counts nothing. What an outbox holds stays there.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Called for each event and each update of a profile, one after the other and on the thread that tracks, before the record is kept anywhere: each may change it; false leaves it out. Where one throws, the record is not taken, and nothing of it goes to Mixpanel or to the disk. Default: none, and no record is parsed.</summary>
    public IReadOnlyList<Func<OutgoingRecord, bool>> BeforeSend { get; init; } = [];

    /// <summary>What is taken out of events and updates of profiles, after <see cref="BeforeSend"/>. Default: nothing.</summary>
    public Redaction? Redaction { get; init; }

    /// <summary>For names of events, the part of the people whose events are tracked, from 0 to 1; all events of a person with that name, or none of them. Who is in at one rate is in at every higher one. Events that say who somebody is or what somebody has seen (<c>$identify</c>, <c>$create_alias</c>, <c>$merge</c>, <c>$experiment_started</c>) cannot be named; updates of profiles are all tracked. Default: none, and all events are.</summary>
    public IReadOnlyDictionary<string, double> SampleRates { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>Gives what decides whether a person is in the sample: an id that stays the same wherever and as whoever the person is met; null for the default. Default: the id of the device where an event has one, so that a person stays whole at the sign-in, else the <c>distinct_id</c>. Events of nobody are decided on one by one.</summary>
    public Func<MixpanelUser, string?>? SampleBy { get; init; }

    /// <summary>Says whether a person does not want to be tracked: then no event and no update of the profile is taken, but for <c>Delete</c>. It is called on the thread that tracks, for each record, and should be quick. Where it throws, the record is not taken. Default: nobody has said so.</summary>
    public Func<MixpanelUser, bool>? IsOptedOut { get; init; }

    /// <summary>Called for each record that was taken and is not in Mixpanel after all, on a thread of the tracker's. What it throws is logged. Default: nothing; they are logged and counted in any case.</summary>
    public Action<RejectedRecord>? OnRejected { get; init; }

    /// <summary>A queue that records are published to in place of being sent to Mixpanel; the caller disposes it. With an <see cref="Outbox"/> they are kept on the disk while the broker is away. Default: none.</summary>
    public MixpanelQueue? Queue { get; init; }

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
        if (!Enum.IsDefined(EventsTo)) throw MixpanelException.Invalid("events_to", "Events are sent to import or track.");
        if (WaitTimeout < TimeSpan.Zero || WaitTimeout > TimeSpan.FromDays(1)) throw MixpanelException.Invalid("wait_timeout", "The time to wait for room must be from zero to a day.");
        if (StopTimeout < TimeSpan.Zero || StopTimeout > TimeSpan.FromDays(1)) throw MixpanelException.Invalid("stop_timeout", "The time to stop must be from zero to a day.");
        RecordScreen.Validate(SampleRates);
        Redaction?.Validated();
        return this;
    }
}
