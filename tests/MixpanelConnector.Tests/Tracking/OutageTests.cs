using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Testing;
using MixpanelConnector.Tracking.Observing;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>An outage is logged when it begins and when it ends, and repeated messages do not flood the log.</summary>
public sealed class OutageTests
{
    public static readonly Dictionary<string, Func<HttpResponseMessage>> Failures = new(StringComparer.Ordinal)
    {
        ["a refused connection"] = () => throw new HttpRequestException(HttpRequestError.ConnectionError),
        ["a name that is not found"] = () => throw new HttpRequestException(HttpRequestError.NameResolutionError),
        ["no answer in time"] = () => throw new OperationCanceledException("", new TimeoutException()),
        ["a broken connection"] = () => throw new HttpRequestException(HttpRequestError.ResponseEnded),
        ["a circuit breaker"] = () => throw new InvalidOperationException(),
        ["a 503"] = () => MixpanelDouble.Answer(503, ""),
        ["a 429"] = () => MixpanelDouble.Answer(429, ""),
    };

    public static TheoryData<string> Names => [.. Failures.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task An_outage_is_told_once_when_it_begins_and_once_when_it_ends(string failure)
    {
        var log = new RecordedLog();
        var isDown = true;
        await using var run = new TrackerRun(options: Given.Token() with { LoggerFactory = log });
        run.Mixpanel.Script = _ => Volatile.Read(ref isDown) ? Failures[failure]() : null;
        for (var i = 0; i < 7; i++) run.Tracker.Track("E", "u");
        while (run.Mixpanel.Requests.Count < 60) await Task.Yield(); // a quota that is used up is asked for every two seconds, at first

        Assert.StartsWith("Warning: Mixpanel is not accepting records", Assert.Single(log.From(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.NotNull(run.Tracker.LastError);
        Assert.Null(run.Tracker.Fault);
        Assert.True(run.Tracker.Outage > TimeSpan.FromMinutes(1));

        Volatile.Write(ref isDown, false);
        await run.Tracker.FlushAsync();

        var lines = log.From(LogLevel.Warning);
        Assert.Equal(2, lines.Count);
        Assert.Matches("^Warning: Mixpanel accepts records again, after [0-9]{2,} seconds; 7 were waiting$", lines[1]);
        Assert.Null(run.Tracker.LastError);
        Assert.Equal(TimeSpan.Zero, run.Tracker.Outage);
    }

    [Fact]
    public async Task A_failure_that_the_next_try_mends_is_no_outage()
    {
        var log = new RecordedLog();
        await using var run = new TrackerRun(options: Given.Token() with { LoggerFactory = log });
        run.Mixpanel.Script = request => request.Number % 2 == 1 ? MixpanelDouble.Answer(503, "") : null;

        for (var i = 0; i < 5; i++)
        {
            run.Tracker.Track("E", "u");
            await run.Tracker.FlushAsync();
        }

        Assert.Empty(log.From(LogLevel.Warning));
    }

    [Fact]
    public async Task A_silence_is_heard_before_its_deadline_ends()
    {
        var log = new RecordedLog();
        var clock = new FakeTimeProvider(ImpatientClock.Noon);
        await using var run = new TrackerRun(new TrackerOptions { FlushInterval = TimeSpan.Zero, StopTimeout = TimeSpan.Zero },
            Given.Token() with { LoggerFactory = log }, clock);
        run.Mixpanel.Stalls = _ => true;
        run.Tracker.Track("E", "u");
        while (run.Mixpanel.Requests.Count == 0) await Task.Yield();
        Assert.Null(run.Tracker.LastError);

        clock.Advance(TimeSpan.FromSeconds(11));

        Assert.Contains("has not responded for 10 seconds", Assert.Single(log.From(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Timeout, run.Tracker.LastError!.Kind);
        Assert.Equal(TimeSpan.FromSeconds(11), run.Tracker.Outage);
    }

    [Fact]
    public async Task Refused_credentials_are_an_error_that_is_told_once()
    {
        var log = new RecordedLog();
        var isMended = false;
        await using var run = new TrackerRun(options: Given.Token() with { LoggerFactory = log });
        run.Mixpanel.Script =
            _ => Volatile.Read(ref isMended) ? null : MixpanelDouble.Answer(401, """{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""");
        run.Tracker.Track("E", "u");
        while (run.Mixpanel.Requests.Count < 20) await Task.Yield();

        Assert.StartsWith("Error: Tracked records are not accepted.", Assert.Single(log.From(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Unauthorized, run.Tracker.Fault!.Kind);

        Volatile.Write(ref isMended, true);
        while (run.Tracker.Pending > 0) await Task.Yield();
        Assert.StartsWith("Warning: Mixpanel accepts records again", log.From(LogLevel.Warning)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task How_long_an_outage_lasts_is_measured()
    {
        var longest = 0d;
        using var meters = new OwnMeterFactory();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "mixpanel.tracker.outage" && instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, _, _) => longest = Math.Max(longest, value));
        listener.Start();
        await using var run = new TrackerRun(new TrackerOptions { MeterFactory = meters });
        run.Mixpanel.Script = _ => MixpanelDouble.Answer(503, "");
        listener.RecordObservableInstruments();
        Assert.Equal(0, longest);

        run.Tracker.Track("E", "u");
        while (run.Mixpanel.Requests.Count < 20) await Task.Yield();
        listener.RecordObservableInstruments();

        Assert.InRange(longest, 60, double.MaxValue);
    }

    [Fact]
    public void Flapping_is_not_told_each_time_and_an_outage_that_stays_is()
    {
        var (log, clock) = (new RecordedLog(), new FakeTimeProvider());
        var outage = new OutageWatch(log, clock, _ => 1);
        var error = new MixpanelError(ErrorKind.Unavailable, "Down.");
        for (var i = 0; i < 20; i++)
        {
            outage.Failed(TrackedKind.Event, error, again: true);
            clock.Advance(TimeSpan.FromSeconds(1));
            outage.Served(TrackedKind.Event);
            outage.Served(TrackedKind.Profile);
        }

        Assert.Equal(2, log.From(LogLevel.Warning).Count);

        for (var i = 0; i < 60; i++)
        {
            outage.Failed(TrackedKind.Event, error, again: true);
            clock.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Equal(3, log.From(LogLevel.Warning).Count);
        outage.Served(TrackedKind.Event);
        Assert.Contains("after 120 seconds", log.From(LogLevel.Warning)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_outage_of_one_kind_is_not_ended_by_another_kind_and_not_kept_by_one_that_waits_no_more()
    {
        var (log, clock, waits) = (new RecordedLog(), new FakeTimeProvider(), new long[] { 1, 1, 0 });
        var outage = new OutageWatch(log, clock, kind => waits[(int)kind]);
        outage.Failed(TrackedKind.Profile, new(ErrorKind.Unavailable, "Down."), again: true);

        outage.Served(TrackedKind.Event);
        Assert.NotNull(outage.Error);

        waits[(int)TrackedKind.Profile] = 0; // given up
        Assert.Null(outage.Error);
        outage.Served(TrackedKind.Event);
        Assert.Equal(2, log.From(LogLevel.Warning).Count);
    }

    [Fact]
    public async Task A_full_buffer_writes_a_line_and_not_one_for_each_record()
    {
        var log = new RecordedLog();
        var clock = new FakeTimeProvider(ImpatientClock.Noon);
        var run =
            new TrackerRun(new TrackerOptions { MaxBufferedBytes = 1 << 20, StopTimeout = TimeSpan.Zero }, Given.Token() with { LoggerFactory = log }, clock);
        run.Mixpanel.Stalls = _ => true;
        var text = new string('x', 2000);
        var dropped = 0;
        for (var i = 0; i < 5000; i++)
            if (!run.Tracker.Track("E", "u", new { text = i % 2 == 0 ? text : "" })) dropped++;

        Assert.Single(log.From(LogLevel.Error));
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(run.Tracker.Track("E", "u", new { text = new string('x', 900_000) }));
        Assert.StartsWith($"Error: {dropped} records of kind Event were dropped: ", log.From(LogLevel.Error)[^1], StringComparison.Ordinal);
        await run.DisposeAsync();
    }

    [Fact]
    public async Task Refused_records_are_all_called_back_and_not_all_logged()
    {
        var log = new RecordedLog();
        await using var run = new TrackerRun(new TrackerOptions { FlushInterval = TimeSpan.FromHours(1), StopTimeout = TimeSpan.FromHours(2) },
            Given.Token() with { LoggerFactory = log });
        run.Mixpanel.Script = request => run.Mixpanel.TakeAllBut(request, [.. Enumerable.Range(0, request.Records.Count)]);
        for (var i = 0; i < 500; i++) run.Tracker.Track("E", "u");

        await run.Tracker.DisposeAsync();

        Assert.Equal(500, run.Rejected.Count);
        Assert.Equal(11, log.From(LogLevel.Warning).Count);
        Assert.Contains("490 more", log.From(LogLevel.Warning)[^1], StringComparison.Ordinal);
    }
}
