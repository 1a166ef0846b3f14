using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MixpanelConnector.Tracking.Observing;

/// <summary>The metrics and spans of a tracker. Their names are documented in docs/observability.md.</summary>
sealed class TrackerMetrics : IDisposable
{
    public const string Name = "MixpanelConnector";

    public static readonly ActivitySource Activities = new(Name);

    readonly Meter? _meter;
    readonly bool _owned;
    readonly Counter<long>? _records;
    readonly Counter<long>? _retries;
    readonly Histogram<long>? _batchSize;

    TrackerMetrics() { }

    /// <summary>The metrics of a disabled tracker.</summary>
    public static TrackerMetrics None { get; } = new();

    public TrackerMetrics(IMeterFactory? factory, Func<TrackedKind, (long Records, TimeSpan Oldest)> queue, Func<TrackedKind, TimeSpan> outage)
    {
        _owned = factory is null;
        try
        {
            _meter = factory?.Create(new MeterOptions(Name)) ?? new Meter(Name);
            _records = _meter.CreateCounter<long>("mixpanel.tracker.records", "{record}", "Records by outcome.");
            _retries = _meter.CreateCounter<long>("mixpanel.tracker.retries", "{request}", "Requests that were retried.");
            _batchSize = _meter.CreateHistogram<long>("mixpanel.tracker.batch.size", "By", "Bytes of a request's body, as sent.");
            _meter.CreateObservableUpDownCounter("mixpanel.tracker.queue.records", () => Observe(kind => queue(kind).Records), "{record}",
                "Records that Mixpanel has not accepted yet.");
            _meter.CreateObservableGauge("mixpanel.tracker.queue.oldest_age", () => Observe(kind => queue(kind).Oldest.TotalSeconds), "s",
                "The age of the oldest of them.");
            _meter.CreateObservableGauge("mixpanel.tracker.outage", () => Observe(kind => outage(kind).TotalSeconds), "s",
                "The time for which Mixpanel has accepted none of them; 0 while it does.");
        }
        catch (Exception)
        {
            // A listener of the user threw; what it does not receive is not measured.
        }
    }

    public static string NameOf(TrackedKind kind) => kind switch
    {
        TrackedKind.Event => "event",
        TrackedKind.Profile => "profile",
        _ => "group",
    };

    public void Records(TrackedKind kind, string outcome, long count)
    {
        if (count > 0) Harmless(() => _records?.Add(count, new("mixpanel.record.kind", NameOf(kind)), new("mixpanel.outcome", outcome)));
    }

    /// <summary>Counts a record that is left out intentionally.</summary>
    public void LeftOut(TrackedKind kind, string reason) =>
        Harmless(() => _records?.Add(1, new("mixpanel.record.kind", NameOf(kind)), new("mixpanel.outcome", "left_out"), new("mixpanel.reason", reason)));

    public void Requested(TrackedKind kind, int bytes, bool isRetry)
    {
        Harmless(() => _batchSize?.Record(bytes, new KeyValuePair<string, object?>("mixpanel.record.kind", NameOf(kind))));
        if (isRetry) Harmless(() => _retries?.Add(1, new KeyValuePair<string, object?>("mixpanel.record.kind", NameOf(kind))));
    }

    /// <summary>Starts the span of one request; null when nobody listens.</summary>
    public static Activity? StartRequest()
    {
        Activity? activity = null;
        Harmless(() => activity = Activities.StartActivity("mixpanel send", ActivityKind.Client));
        return activity;
    }

    public static void EndRequest(Activity? activity)
    {
        if (activity is not null) Harmless(activity.Dispose);
    }

    public void Dispose()
    {
        if (_owned && _meter is not null) Harmless(_meter.Dispose);
    }

    /// <summary>Listeners run within the call they observe. Their exceptions must not affect it.</summary>
    static void Harmless(Action tell)
    {
        try
        {
            tell();
        }
        catch (Exception)
        {
            // A failing listener cannot be reported anywhere.
        }
    }

    static IEnumerable<Measurement<T>> Observe<T>(Func<TrackedKind, T> value) where T : struct =>
        Enum.GetValues<TrackedKind>().Select(kind => new Measurement<T>(value(kind), new KeyValuePair<string, object?>("mixpanel.record.kind", NameOf(kind))));
}
