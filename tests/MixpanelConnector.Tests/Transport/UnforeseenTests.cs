using System.Net;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Transport;

/// <summary>Unexpected exceptions from the user's handlers and loggers.</summary>
public class UnforeseenTests
{
    const string Secret = "canary-31aa";

    public static readonly Dictionary<string, Func<Exception>> Exceptions = new(StringComparer.Ordinal)
    {
        ["a circuit breaker's"] = () => new BrokenCircuit(Secret),
        ["a timeout's"] = () => new TimeoutException(Secret),
        ["a cancellation that nobody asked for"] = () => new OperationCanceledException(Secret),
        ["a defect's"] = () => new InvalidCastException(Secret),
        ["one of this library's own"] = () => MixpanelException.Invalid("x", Secret),
        ["several"] = () => new AggregateException(new HttpRequestException(Secret)),
    };

    public static TheoryData<string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (var name in Exceptions.Keys) foreach (var after in (bool[])[false, true]) cases.Add(name, after);
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task What_may_be_repeated_is_sent_again_with_the_same_bytes(string exception, bool afterTheAnswer)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Given.Imported(50)));
        using var http = new HttpClient(new Throwing(Exceptions[exception], times: 2, afterTheAnswer)) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Given.Account().At(server), http);

        var output = await client.ImportEventsAsync(Given.Import(Given.Events(50)));

        Assert.Equal(50, output.NumRecordsImported);
        Assert.Equal(afterTheAnswer ? 3 : 1, server.Requests.Count);
        Assert.All(server.Requests, request => Assert.Equal(server.Requests[0].Body, request.Body));
        Assert.Equal([2, 4], client.Clock().Waits.Select(wait => wait.TotalSeconds));
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task What_must_not_be_repeated_is_sent_once_and_its_outcome_is_told_as_unknown(string exception, bool afterTheAnswer)
    {
        await using var server =
            await RecordingServer.StartAsync(_ => Answer.Json("""{"results":{"id":9,"username":"bot.x","token":"one-time"},"status":"ok"}""", 201));
        using var http = new HttpClient(new Throwing(Exceptions[exception], times: 1, afterTheAnswer)) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Given.Account().At(server), http);

        var error = (await Given.FailsAsync(client.CreateServiceAccountAsync(new() { Username = "bot" }))).Error;

        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.Contains("unknown", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.Message, StringComparison.Ordinal);
        Assert.Equal(afterTheAnswer ? 1 : 0, server.Requests.Count);
    }

    [Fact]
    public async Task A_cancellation_by_the_caller_stays_one_whatever_a_handler_makes_of_it()
    {
        using var stop = new CancellationTokenSource();
        using var http = new HttpClient(new Throwing(() => { stop.Cancel(); return new OperationCanceledException(); }, times: 9, afterTheAnswer: false))
        {
            Timeout = Hang.Limit,
        };
        using var client = new MixpanelClient(Given.Account(), http);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }, stop.Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_logger_that_throws_costs_its_line_alone(bool whenItIsMade)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Plain("", 503), Answer.Json(Given.ImportedOne));
        using var loggers = new BrokenLoggers(whenItIsMade);
        using var client = new MixpanelClient(Given.Account().At(server) with { LoggerFactory = loggers });

        Assert.Equal(1, (await client.ImportEventsAsync(Given.Import(Given.Event("x")))).NumRecordsImported);
        Assert.Equal(2, server.Requests.Count);
    }

    sealed class BrokenCircuit(string message) : Exception(message);

    sealed class Throwing(Func<Exception> exception, int times, bool afterTheAnswer)
        : DelegatingHandler(new SocketsHttpHandler { UseProxy = false, AutomaticDecompression = DecompressionMethods.All })
    {
        int _left = times;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var throws = _left-- > 0;
            if (throws && !afterTheAnswer) throw exception();
            var response = await base.SendAsync(request, cancellationToken);
            return throws ? throw exception() : response;
        }
    }

    sealed class BrokenLoggers(bool whenMade) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => whenMade ? throw new InvalidOperationException() : this;

        public void AddProvider(ILoggerProvider provider) => throw new InvalidOperationException();

        public bool IsEnabled(LogLevel logLevel) => logLevel is LogLevel.Debug or LogLevel.Warning ? true : throw new InvalidOperationException();

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw new InvalidOperationException();

        public void Dispose() { }
    }
}
