using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>Updates that are not idempotent are sent once, whatever handlers an application adds to the client.</summary>
public sealed class SentOnceTests
{
    static readonly Dictionary<string, Func<DelegatingHandler>> Handlers = new(StringComparer.Ordinal)
    {
        ["a retry"] = () => new Retrying(copies: false, reads: false),
        ["a retry of copies"] = () => new Retrying(copies: true, reads: false),
        ["a retry after the body was read"] = () => new Retrying(copies: false, reads: true),
        ["a hedge"] = () => new Hedging(copies: false),
        ["a hedge of copies"] = () => new Hedging(copies: true),
    };

    /// <summary>The handlers of Microsoft.Extensions.Http.Resilience, which service defaults add, without their waits.</summary>
    static readonly Dictionary<string, Action<IHttpClientBuilder>> Standard = new(StringComparer.Ordinal)
    {
        ["the standard resilience handler"] = client => client.AddStandardResilienceHandler(options =>
        {
            (options.Retry.Delay, options.AttemptTimeout.Timeout, options.TotalRequestTimeout.Timeout) = (TimeSpan.Zero, Hang.Limit, Hang.Limit);
            options.CircuitBreaker.SamplingDuration = 2 * Hang.Limit;
        }),
        ["the standard hedging handler"] = client => client.AddStandardHedgingHandler().Configure(options =>
        {
            (options.Hedging.Delay, options.Endpoint.Timeout.Timeout, options.TotalRequestTimeout.Timeout) = (TimeSpan.Zero, Hang.Limit, Hang.Limit);
            options.Endpoint.CircuitBreaker.SamplingDuration = 2 * Hang.Limit;
        }),
    };

    /// <summary>The first result on the wire, and whether it leaves the outcome of the request unknown.</summary>
    public static readonly Dictionary<string, (Func<HttpResponseMessage> Answer, bool IsUnknown)> Firsts = new(StringComparer.Ordinal)
    {
        ["a 503"] = (() => MixpanelDouble.Answer(503, ""), true),
        ["a broken connection"] = (() => throw new HttpRequestException(HttpRequestError.ResponseEnded), true),
        ["an exception of the wire's"] = (() => throw new InvalidOperationException(), true),
        ["a 429"] = (() => MixpanelDouble.Answer(429, ""), false),
        ["a refused connection"] = (() => throw new HttpRequestException(HttpRequestError.ConnectionError), false),
    };

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var around in Handlers.Keys.Concat(Standard.Keys))
                foreach (var first in Firsts.Keys)
                    cases.Add(around, first);
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task In_an_application_the_first_answer_is_told_and_decides(string around, string first)
    {
        var mixpanel = new MixpanelDouble { Script = request => request.Number == 1 ? Firsts[first].Answer() : null };
        var rejected = new List<RejectedRecord>();
        await using var services = Application(mixpanel, around, rejected.Add);
        var tracker = services.GetRequiredService<IMixpanelTracker>();

        tracker.Profile("u").Add("Balance", 100);
        await tracker.FlushAsync();

        var isUnknown = Firsts[first].IsUnknown;
        Assert.Equal(isUnknown ? 1 : 2, mixpanel.Requests.Count);
        Assert.Equal(isUnknown ? 0 : 1, mixpanel.Stored.Count);
        Assert.Equal(isUnknown, rejected.Count == 1 && rejected[0] is { Code: "outcome_unknown", MaybeDelivered: true });
    }

    [Theory]
    [InlineData("a retry")]
    [InlineData("a hedge")]
    public async Task Around_a_client_of_the_callers_own_nothing_leaves_twice_either(string around)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("", 503));
        var handler = Handlers[around]();
        handler.InnerHandler = new SocketsHttpHandler { UseProxy = false };
        using var http = new HttpClient(handler) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Given.Token().At(server), http);
        var rejected = new List<RejectedRecord>();
        await using var tracker = new MixpanelTracker(client, new TrackerOptions { OnRejected = rejected.Add, Patience = TimeSpan.FromHours(2) });

        tracker.Profile("u").Add("Balance", 100);
        await tracker.FlushAsync();

        Assert.Single(server.Requests);
        Assert.True(Assert.Single(rejected).MaybeDelivered);
    }

    [Theory]
    [InlineData("a retry")]
    [InlineData("a retry of copies")]
    [InlineData("a hedge")]
    [InlineData("a hedge of copies")]
    [InlineData("the standard resilience handler")]
    [InlineData("the standard hedging handler")]
    public async Task An_account_is_created_once(string around)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("", 503));
        await using var services = Application(new SocketsHttpHandler { UseProxy = false }, around, _ => { }, server.Address);

        await Given.FailsAsync(services.GetRequiredService<MixpanelClient>().CreateServiceAccountAsync(new() { OrganizationId = 1, Username = "bot" }));

        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("a retry")]
    [InlineData("the standard resilience handler")]
    [InlineData("the standard hedging handler")]
    public async Task What_may_be_repeated_still_is(string around)
    {
        var mixpanel = new MixpanelDouble { Script = request => request.Number <= 2 ? MixpanelDouble.Answer(503, "") : null };
        await using var services = Application(mixpanel, around, _ => { });
        var tracker = services.GetRequiredService<IMixpanelTracker>();

        tracker.Profile("u").Set("Plan", "pro");
        await tracker.FlushAsync();

        Assert.Equal(3, mixpanel.Requests.Count);
        Assert.Single(mixpanel.Stored);
    }

    [Fact]
    public async Task A_try_that_was_given_up_is_not_made_again()
    {
        var mixpanel = new MixpanelDouble { Stalls = request => request.Number == 1 };
        var rejected = new List<RejectedRecord>();
        await using var services = Application(mixpanel, client => client.AddHttpMessageHandler(() => new Impatient()), rejected.Add);
        var tracker = services.GetRequiredService<IMixpanelTracker>();

        tracker.Profile("u").Add("Balance", 100);
        await tracker.FlushAsync();

        Assert.Single(mixpanel.Requests);
        Assert.True(Assert.Single(rejected).MaybeDelivered);
    }

    /// <summary>The handler is added to all clients of the application, as service defaults do.</summary>
    static ServiceProvider Application(HttpMessageHandler wire, string around, Action<RejectedRecord> onRejected, Uri? endpoint = null) =>
        Application(wire, Standard.TryGetValue(around, out var standard) ? standard : client => client.AddHttpMessageHandler(Handlers[around]), onRejected,
            endpoint);

    static ServiceProvider Application(HttpMessageHandler wire, Action<IHttpClientBuilder> around, Action<RejectedRecord> onRejected, Uri? endpoint = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(new ImpatientClock());
        services.ConfigureHttpClientDefaults(around);
        services.AddMixpanel(settings =>
        {
            (settings.Token, settings.OnRejected, settings.Endpoint) = (Given.TokenText, onRejected, endpoint);
            (settings.ServiceAccountUsername, settings.ServiceAccountSecret, settings.ProjectId) =
                (Given.Username, new MixpanelSecret(Given.SecretText), 12345);
        }).HttpClient.ConfigurePrimaryHttpMessageHandler(() => wire);
        return services.BuildServiceProvider();
    }

    /// <summary>Like Polly's retry: retries after a server error, a rate limit or an exception.</summary>
    sealed class Retrying(bool copies, bool reads) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (reads) await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            var copy = copies ? await Copies.OfAsync(request) : () => request;
            for (var left = 3; ; left--)
            {
                try
                {
                    var response = await base.SendAsync(copy(), cancellationToken);
                    if (left == 0 || response.StatusCode < HttpStatusCode.TooManyRequests) return response;
                }
                catch (Exception) when (left > 0)
                {
                }
            }
        }
    }

    /// <summary>Like Polly's hedging: two at a time, the first success counts, and the other is cancelled.</summary>
    sealed class Hedging(bool copies) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var copy = copies ? await Copies.OfAsync(request) : () => request;
            var calls = Enumerable.Range(0, 2).Select(_ => Task.Run(() => base.SendAsync(copy(), enough.Token))).ToList();
            while (true)
            {
                var ended = await Task.WhenAny(calls);
                calls.Remove(ended);
                if (calls.Count > 0 && !ended.IsCompletedSuccessfully) continue;
                await enough.CancelAsync();
                return await ended;
            }
        }
    }

    /// <summary>Like a timeout within a retry: the first attempt is cancelled at once.</summary>
    sealed class Impatient : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var attempt = new CancellationTokenSource();
            var first = base.SendAsync(request, attempt.Token);
            await attempt.CancelAsync();
            await Task.WhenAny(first);
            return await base.SendAsync(request, cancellationToken);
        }
    }

    static class Copies
    {
        public static async Task<Func<HttpRequestMessage>> OfAsync(HttpRequestMessage request)
        {
            var body = await request.Content!.ReadAsByteArrayAsync();
            return () => new HttpRequestMessage(request.Method, request.RequestUri) { Content = new ByteArrayContent(body) };
        }
    }
}
