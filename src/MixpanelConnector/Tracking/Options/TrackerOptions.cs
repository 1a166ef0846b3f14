using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.Screening;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector;

/// <summary>How a tracker buffers and sends. Immutable: change a copy with <c>with</c>.</summary>
public sealed record TrackerOptions
{
    /// <summary>
    /// The longest time a record may wait for others before the batch is sent. Default: 100 milliseconds. With <see cref="BatchRecords"/>, this bounds what a
    /// process crash can lose while Mixpanel keeps up, unless there is an <see cref="Outbox"/>.
    /// </summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The maximum number of records per request, from 1 to 2000. Default: 1000.</summary>
    public int BatchRecords { get; init; } = 1000;

    /// <summary>The maximum number of requests in flight. Default: 8. It is reached only as far as Mixpanel keeps up.</summary>
    public int Senders { get; init; } = 8;

    /// <summary>The maximum size of the records held in memory, in bytes of JSON; buffers around them may use twice as much again. Default: 32 MB.</summary>
    public int MaxBufferedBytes { get; init; } = 32 << 20;

    /// <summary>What happens to a record when <see cref="MaxBufferedBytes"/> is reached. Default: <see cref="MixpanelConnector.WhenFull.Drop"/>.</summary>
    public WhenFull WhenFull { get; init; } = WhenFull.Drop;

    /// <summary>The longest time a call waits for room with <see cref="MixpanelConnector.WhenFull.Wait"/>, from zero to a day. Default: 1 minute.</summary>
    public TimeSpan WaitTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The longest time disposing the tracker waits until everything is sent. Default: 10 seconds. When a host stops the tracker, the host's own limit applies.
    /// </summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The endpoint that events are sent to. Default: <see cref="EventEndpoint.Import"/>. Records in an outbox for the other endpoint stay there until a
    /// tracker sends to it again.
    /// </summary>
    public EventEndpoint EventsTo { get; init; } = EventEndpoint.Import;

    /// <summary>
    /// Properties for every event that does not set them itself. Those that each call fixes (<c>distinct_id</c>, <c>$user_id</c>, <c>$device_id</c>,
    /// <c>time</c>, <c>$insert_id</c>, <c>token</c>) are refused. Default: none.
    /// </summary>
    public JsonObject SuperProperties { get; init; } = [];

    /// <summary>
    /// Whether anything is tracked. Default: true. A disabled tracker starts no thread, opens no file and no connection, and needs no credential; <c>Track</c>
    /// returns true at once and counts nothing. Records in an outbox stay there.
    /// </summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Callbacks for each event and each profile update, called in order on the thread that tracks, before the record is stored anywhere. Each may change the
    /// record; returning false leaves it out. When one throws, the record is not accepted, and nothing of it goes to Mixpanel or to the disk. Default: none,
    /// and no record is parsed.
    /// </summary>
    public IReadOnlyList<Func<OutgoingRecord, bool>> BeforeSend { get; init; } = [];

    /// <summary>Removes data from events and profile updates, after <see cref="BeforeSend"/>. Default: nothing is removed.</summary>
    public Redaction? Redaction { get; init; }

    /// <summary>
    /// By event name, the share of people whose events are tracked, from 0 to 1: all events of a person with that name, or none of them. A person in the sample
    /// at one rate is in it at every higher rate. Events that identify a person or record what a person has seen (<c>$identify</c>, <c>$create_alias</c>,
    /// <c>$merge</c>, <c>$experiment_started</c>) cannot be named; profile updates are always tracked. Default: none, and all events are tracked.
    /// </summary>
    public IReadOnlyDictionary<string, double> SampleRates { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>
    /// Returns the key that decides whether a person is in the sample: an id that is the same wherever the person is and whether signed in or not; null for the
    /// default. Default: the device id where an event has one, so that signing in does not change the decision, else the <c>distinct_id</c>. Events of nobody
    /// are decided one by one.
    /// </summary>
    public Func<MixpanelUser, string?>? SampleBy { get; init; }

    /// <summary>
    /// Returns whether a person does not want to be tracked. If so, no event and no update of the profile is accepted, except <c>Delete</c>. It is called on
    /// the thread that tracks, for each record, and should be fast. When an event has several ids, <see cref="MixpanelUser.DistinctId"/> is the one under which
    /// Mixpanel stores it: the user's before the device's; it is called again for another <c>distinct_id</c> that the event carries. When it throws, the record
    /// is not accepted. Default: nobody has opted out.
    /// </summary>
    public Func<MixpanelUser, bool>? IsOptedOut { get; init; }

    /// <summary>
    /// Called for each record that was accepted but is not in Mixpanel after all, on a thread of the tracker. Its exceptions are logged. Default: none; such
    /// records are logged and counted in any case.
    /// </summary>
    public Action<RejectedRecord>? OnRejected { get; init; }

    /// <summary>
    /// A queue that records are published to instead of being sent to Mixpanel; the caller disposes it. With an <see cref="Outbox"/>, records are kept on the
    /// disk while the broker is unavailable. Default: none.
    /// </summary>
    public MixpanelQueue? Queue { get; init; }

    /// <summary>
    /// Stores records on the disk until Mixpanel has them, so that they survive the end of the process; <c>MixpanelConnector.Sqlite</c> has one. It belongs to
    /// this tracker, which disposes it. Default: none, records are in memory only.
    /// </summary>
    public ITrackerOutbox? Outbox { get; init; }

    /// <summary>
    /// Whether this tracker sends records that an earlier version left in the <see cref="Outbox"/> without noting their project. Default: false; they stay in
    /// the outbox, and the log reports it. Set it for one start if the outbox was never used for another project or endpoint.
    /// </summary>
    public bool AdoptUnowned { get; init; }

    /// <summary>Creates the meter. Default: a meter of the tracker's own.</summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>The time without an answer from Mixpanel that counts as an outage.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The time that work given up at the stop may take to end. It ends at once, unless application code does not return.</summary>
    internal TimeSpan Unwinding { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Returns the checks of each record; null when the application configured none.</summary>
    internal RecordScreen? Screen() => this is { BeforeSend.Count: 0, SampleRates.Count: 0, IsOptedOut: null, Redaction: null or { IsEmpty: true } }
        ? null
        : new(BeforeSend, SampleRates, SampleBy, IsOptedOut, Redaction, hasToken: EventsTo is EventEndpoint.Track);

    internal TrackerOptions Validated()
    {
        if (FlushInterval < TimeSpan.Zero || FlushInterval > TimeSpan.FromHours(1))
            throw MixpanelException.Invalid("flush_interval", "The flush interval must be from zero to an hour.");
        if (BatchRecords is < 1 or > 2000) throw MixpanelException.Invalid("batch_records", "A batch must have from 1 to 2000 records.");
        if (Senders is < 1 or > OptionRanges.MostSenders)
            throw MixpanelException.Invalid("senders", $"The number of senders must be from 1 to {OptionRanges.MostSenders}.");
        if (MaxBufferedBytes < 1 << 20) throw MixpanelException.Invalid("max_buffered_bytes", "The buffer size must be at least 1 MB.");
        if (!Enum.IsDefined(WhenFull)) throw MixpanelException.Invalid("when_full", "The behavior for a full buffer must be drop or wait.");
        if (!Enum.IsDefined(EventsTo)) throw MixpanelException.Invalid("events_to", "The endpoint for events must be import or track.");
        if (WaitTimeout < TimeSpan.Zero || WaitTimeout > TimeSpan.FromDays(1))
            throw MixpanelException.Invalid("wait_timeout", "The time to wait for room must be from zero to a day.");
        if (StopTimeout < TimeSpan.Zero || StopTimeout > TimeSpan.FromDays(1))
            throw MixpanelException.Invalid("stop_timeout", "The time to stop must be from zero to a day.");
        if (FixedProperties.In(SuperProperties.Select(property => property.Key)) is { } name)
            throw MixpanelException.Invalid("super_properties", FixedProperties.Refusal(name));
        EnsureWritable(SuperProperties);
        RecordScreen.Validate(SampleRates);
        Redaction?.Validated();
        return this;
    }

    /// <exception cref="MixpanelException">A value cannot be expressed in JSON.</exception>
    static void EnsureWritable(JsonObject superProperties)
    {
        using var nowhere = new Utf8JsonWriter(Stream.Null, WellFormedEncoder.WriterOptions);
        try
        {
            Payload.Of(superProperties).WriteTo(nowhere, ofEvent: false);
        }
        catch (UnwritableValueException e)
        {
            throw MixpanelException.Invalid("super_properties", $"Super properties: {e.Message}");
        }
    }
}
