using System.Diagnostics;
using System.Diagnostics.Metrics;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

public sealed class ObservabilityTests
{
    [Fact]
    public async Task What_became_of_records_is_measured()
    {
        using var meters = new OwnMeterFactory();
        var measured = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) => { if (instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument); },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, (long)value, tags));
        listener.Start();

        await using (var run =
            new TrackerRun(new TrackerOptions { MeterFactory = meters, FlushInterval = TimeSpan.FromHours(1), StopTimeout = TimeSpan.FromHours(2) }))
        {
            run.Mixpanel.Script = request => request.Number == 1 ? MixpanelDouble.Answer(503, "") : run.Mixpanel.TakeAllBut(request, 0);
            for (var i = 0; i < 5; i++) run.Tracker.Track("E", "u");
            listener.RecordObservableInstruments();
            await run.Tracker.FlushAsync();
            await run.Tracker.DisposeAsync();
            run.Tracker.Track("E", "u");
        }

        lock (measured)
        {
            Assert.Contains("mixpanel.tracker.queue.records 5 event", measured, StringComparer.Ordinal);
            Assert.Contains(measured,
                line => line.StartsWith("mixpanel.tracker.queue.oldest_age ", StringComparison.Ordinal) && line.EndsWith(" event", StringComparison.Ordinal));
            Assert.Contains("mixpanel.tracker.retries 1 event", measured, StringComparer.Ordinal);
            Assert.Contains("mixpanel.tracker.records 4 event accepted", measured, StringComparer.Ordinal);
            Assert.Contains("mixpanel.tracker.records 1 event rejected", measured, StringComparer.Ordinal);
            Assert.Contains("mixpanel.tracker.records 1 event dropped", measured, StringComparer.Ordinal);
            Assert.Equal(2, measured.Count(line => line.StartsWith("mixpanel.tracker.batch.size ", StringComparison.Ordinal)));
        }

        void Note(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var line = $"{instrument.Name} {value} {string.Join(' ', tags.ToArray().Select(tag => tag.Value))}";
            lock (measured) measured.Add(line);
        }
    }

    [Fact]
    public async Task Each_request_is_a_span()
    {
        var spans = new List<Activity>();
        using var parent = new Activity("test").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "MixpanelConnector",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity => { lock (spans) spans.Add(activity); },
        };
        ActivitySource.AddActivityListener(listener);
        ActivitySpanId sent = default; // tells this test's spans from those of others
        await using var run = new TrackerRun(around: mixpanel => new Watching(mixpanel, () => sent = Activity.Current!.SpanId));
        run.Tracker.Track("E", "u");
        await run.Tracker.FlushAsync();

        Activity span;
        lock (spans) span = spans.Single(span => span.SpanId == sent);
        Assert.NotEqual(parent.TraceId, span.TraceId); // it carries what many tracked
        Assert.Equal(("mixpanel send", ActivityKind.Client, "event", 200),
            (span.OperationName, span.Kind, span.GetTagItem("mixpanel.record.kind"), span.GetTagItem("http.response.status_code")));
    }
}
