using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>Exceptions from an application's own code within a tracker do no harm and stop nothing.</summary>
public sealed class UnforeseenTests
{
    public static readonly Dictionary<string, Func<Exception>> Exceptions = new(StringComparer.Ordinal)
    {
        ["a circuit breaker's"] = () => new BrokenCircuit(),
        ["a timeout's"] = () => new TimeoutException(),
        ["a cancellation that nobody asked for"] = () => new OperationCanceledException(),
        ["a disposed object's"] = () => new ObjectDisposedException("x"),
        ["several"] = () => new AggregateException(new HttpRequestException()),
    };

    public static TheoryData<string, int, bool, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, bool, bool>();
            foreach (var name in Exceptions.Keys)
                foreach (var after in (bool[])[false, true])
                    cases.Add(name, 2, after, after);
            cases.Add("a timeout's", 2, false, true);
            cases.Add("a circuit breaker's", 40, false, false); // longer than one sending lasts
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task After_a_handler_threw_events_and_updates_arrive_with_their_ids_and_additions_are_told_as_unknown(string exception, int times,
        bool afterTheAnswer, bool isSynchronous)
    {
        await using var run = new TrackerRun(around: mixpanel => new Throwing(mixpanel, Exceptions[exception], times, afterTheAnswer, isSynchronous));

        for (var i = 0; i < 20; i++) run.Tracker.Track("E", "u", new { I = i });
        run.Tracker.Profile("u").Set("Plan", "pro");
        run.Tracker.Profile("u").Add("Logins", 1);
        run.Tracker.Profile("u").Append("Log", "x");
        run.Tracker.Group("company", "acme").Set("Plan", "pro");
        await run.Tracker.FlushAsync();

        var events = run.Stored.Where(stored => stored.TryGetProperty("event", out _)).Select(stored => stored.GetProperty("properties")).ToList();
        Assert.Equal(Enumerable.Range(0, 20), events.Select(properties => properties.GetProperty("I").GetInt32()).Distinct().Order());
        Assert.Equal(20, events.Select(properties => properties.GetProperty("$insert_id").GetString()).Distinct(StringComparer.Ordinal).Count());
        Assert.Contains(run.Mixpanel.Stored, stored => stored.Contains("$set", StringComparison.Ordinal));
        Assert.Equal(2, run.Rejected.Count);
        Assert.All(run.Rejected, rejected => Assert.Equal(("outcome_unknown", true), (rejected.Code, rejected.MaybeDelivered)));
        Assert.InRange(run.Mixpanel.Stored.Count(stored => stored.Contains("$add", StringComparison.Ordinal)), 0, 1);
        Assert.Equal(0, run.Tracker.Pending);
    }

    [Fact]
    public async Task A_handler_that_does_not_heed_its_cancellation_does_not_hold_the_stop()
    {
        var hang = new TaskCompletionSource<HttpResponseMessage>();
        var run = new TrackerRun(new TrackerOptions { StopTimeout = TimeSpan.Zero }, around: _ => new Answering(_ => hang.Task));
        run.Tracker.Track("E", "u");

        await run.DisposeAsync();

        Assert.Equal(1, run.Tracker.Pending);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_logger_that_throws_costs_its_lines_alone(bool whenItIsMade)
    {
        using var loggers = new BrokenLoggers(whenItIsMade);
        await using var run = new TrackerRun(new TrackerOptions { MaxBufferedBytes = 1 << 20 }, Given.Token() with { LoggerFactory = loggers });
        run.Mixpanel.Script = request => request.Number switch
        {
            <= 3 => MixpanelDouble.Answer(503, ""),
            <= 8 => run.Mixpanel.TakeAllBut(request, [.. Enumerable.Range(0, request.Records.Count)]),
            _ => null,
        };

        for (var i = 0; i < 8; i++)
        {
            run.Tracker.Track("E", "u");
            await run.Tracker.FlushAsync();
        }

        Assert.False(run.Tracker.Track("E", "u", new { A = double.NaN }));
        Assert.False(run.Tracker.Track("E", "u", new { Text = new string('x', 2 << 20) }));
        Assert.Equal(3, run.Stored.Count);
        Assert.Equal(7, run.Rejected.Count);
    }

    [Fact]
    public async Task A_callback_that_throws_does_not_keep_others_from_hearing()
    {
        var heard = 0;
        var log = new RecordedLog();
        await using var run = new TrackerRun(
            new TrackerOptions
            {
                OnRejected = _ =>
                {
                    heard++;
                    throw new InvalidOperationException();
                },
            },
            Given.Token() with { LoggerFactory = log });
        run.Mixpanel.Script = request => run.Mixpanel.TakeAllBut(request, [.. Enumerable.Range(0, Math.Min(30, request.Records.Count))]);

        for (var i = 0; i < 30; i++) run.Tracker.Track("E", "u");
        await run.Tracker.FlushAsync();

        Assert.Equal(30, heard);
        Assert.Single(log.From(LogLevel.Error));
    }

    [Fact]
    public async Task Listeners_of_metrics_and_spans_that_throw_harm_nobody()
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) => { if (instrument.Meter.Name == "MixpanelConnector") listener.EnableMeasurementEvents(instrument); },
        };
        var isOwn = new AsyncLocal<bool>();
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => ThrowIfOwn());
        listener.Start();
        using var spans = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "MixpanelConnector",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStarted = _ => ThrowIfOwn(),
            ActivityStopped = _ => ThrowIfOwn(),
        };
        ActivitySource.AddActivityListener(spans);
        isOwn.Value = true;
        await using var run = new TrackerRun();
        run.Mixpanel.Script = request => request.Number % 2 == 1 ? MixpanelDouble.Answer(503, "") : null;

        for (var i = 0; i < 5; i++)
        {
            Assert.True(run.Tracker.Track("E", "u"));
            await run.Tracker.FlushAsync();
        }

        Assert.False(run.Tracker.Track("E", "u", new { A = double.NaN }));
        Assert.Equal(5, run.Stored.Count);

        // Other tests run in parallel.
        void ThrowIfOwn()
        {
            if (isOwn.Value) throw new InvalidOperationException();
        }
    }

    sealed class BrokenCircuit : Exception;

    sealed class Throwing(HttpMessageHandler inner, Func<Exception> exception, int times, bool afterTheAnswer, bool isSynchronous) : DelegatingHandler(inner)
    {
        readonly System.Collections.Concurrent.ConcurrentDictionary<string, int> _calls = new(StringComparer.Ordinal);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            // Each body separately: the order of two is not deterministic.
            var body = new MemoryStream();
            request.Content!.CopyTo(body, context: null, cancellationToken);
            var throws =
                _calls.AddOrUpdate(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(body.ToArray())), 1, (_, calls) => calls + 1) <= times;
            if (throws && isSynchronous && !afterTheAnswer) throw exception();
            return SendSlowlyAsync(request, throws, cancellationToken);
        }

        async Task<HttpResponseMessage> SendSlowlyAsync(HttpRequestMessage request, bool throws, CancellationToken cancellationToken)
        {
            if (throws && !afterTheAnswer) throw exception();
            var response = await base.SendAsync(request, cancellationToken);
            return throws ? throw exception() : response;
        }
    }

    sealed class Answering(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request);
    }

    sealed class BrokenLoggers(bool whenMade) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => whenMade ? throw new InvalidOperationException() : this;

        public void AddProvider(ILoggerProvider provider) => throw new InvalidOperationException();

        public bool IsEnabled(LogLevel logLevel) => logLevel is LogLevel.Warning ? true : throw new InvalidOperationException();

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw new InvalidOperationException();

        public void Dispose() { }
    }
}
