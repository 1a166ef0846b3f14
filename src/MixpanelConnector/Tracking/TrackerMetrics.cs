using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MixpanelConnector.Tracking;

/// <summary>What a tracker tells OpenTelemetry. The names are in docs/observability.md.</summary>
sealed class TrackerMetrics : IDisposable
{
    public const string Name = "MixpanelConnector";

    public static readonly ActivitySource Activities = new(Name);

    readonly Meter _meter;
    readonly bool _owned;
    readonly Counter<long> _records;
    readonly Counter<long> _retries;
    readonly Histogram<long> _batchSize;

    public TrackerMetrics(IMeterFactory? factory, Func<TrackedKind, (long Records, TimeSpan Oldest)> queue)
    {
        _owned = factory is null;
        _meter = factory?.Create(new MeterOptions(Name)) ?? new Meter(Name);
        _records = _meter.CreateCounter<long>("mixpanel.tracker.records", "{record}", "Records by what became of them.");
        _retries = _meter.CreateCounter<long>("mixpanel.tracker.retries", "{request}", "Requests that were sent again.");
        _batchSize = _meter.CreateHistogram<long>("mixpanel.tracker.batch.size", "By", "Bytes of a request's body, as sent.");
        _meter.CreateObservableUpDownCounter("mixpanel.tracker.queue.records", () => Observe(kind => queue(kind).Records), "{record}", "Records that Mixpanel does not have yet.");
        _meter.CreateObservableGauge("mixpanel.tracker.queue.oldest_age", () => Observe(kind => queue(kind).Oldest.TotalSeconds), "s", "How long the oldest of them has waited.");
    }

    public static string NameOf(TrackedKind kind) => kind switch
    {
        TrackedKind.Event => "event",
        TrackedKind.Profile => "profile",
        _ => "group",
    };

    public void Records(TrackedKind kind, string outcome, long count)
    {
        if (count > 0) _records.Add(count, new("mixpanel.record.kind", NameOf(kind)), new("mixpanel.outcome", outcome));
    }

    public void Requested(TrackedKind kind, int bytes, bool isRetry)
    {
        _batchSize.Record(bytes, new KeyValuePair<string, object?>("mixpanel.record.kind", NameOf(kind)));
        if (isRetry) _retries.Add(1, new KeyValuePair<string, object?>("mixpanel.record.kind", NameOf(kind)));
    }

    public void Dispose()
    {
        if (_owned) _meter.Dispose();
    }

    static IEnumerable<Measurement<T>> Observe<T>(Func<TrackedKind, T> value) where T : struct =>
        Enum.GetValues<TrackedKind>().Select(kind => new Measurement<T>(value(kind), new KeyValuePair<string, object?>("mixpanel.record.kind", NameOf(kind))));
}
