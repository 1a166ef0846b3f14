using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MixpanelConnector.AspNetCore;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>A callback of the application that fails does not fail the request.</summary>
public sealed class RequestCallbackTests
{
    static readonly Func<HttpContext, TimeoutException> Fails = _ => new TimeoutException("secret");

    static readonly Action<MixpanelRequestOptions>[] Failing =
    [
        options => options.Groups = http => throw Fails(http),
        options => options.Groups = _ => Enumerable.Range(0, 2)
            .Select(i => i == 0 ? new KeyValuePair<string, string>("company", "acme") : throw new TimeoutException()),
        options => options.Properties = http => throw Fails(http),
        options => options.Properties = _ => Enumerable.Range(0, 2)
            .Select(i => i == 0 ? new KeyValuePair<string, object?>("a", 1) : throw new TimeoutException()),
        options => options.Properties = _ => [new("distinct_id", "eve"), new("page", "home")],
        options => options.Properties = _ => [new("load", double.NaN), new("page", "home")],
        options => options.FlagProperties = http => throw Fails(http),
        options => options.FlagProperties = _ => new Dictionary<string, object?>(StringComparer.Ordinal) { ["load"] = double.NaN },
    ];

    public static TheoryData<int> Each => [.. Enumerable.Range(0, Failing.Length)];

    [Theory, MemberData(nameof(Each))]
    public async Task The_request_goes_on_and_it_is_logged_once(int which)
    {
        var (tracker, log) = await RunAsync(options =>
        {
            options.Properties = _ => [new("page", "home")];
            Failing[which](options);
        });

        Assert.Equal(2, tracker.Events.Count);
        Assert.All(tracker.Events, recorded => Assert.Equal("ada", recorded.User.DistinctId));
        Assert.All(tracker.Events, recorded => Assert.Equal(which is 2 or 3 ? null : "home", (string?)recorded.Properties["page"]));
        Assert.Single(log.From(LogLevel.Warning));
        Assert.DoesNotContain(log.From(LogLevel.Warning), line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_it_cannot_be_known_whether_the_person_wants_it_nothing_is_tracked()
    {
        var (tracker, log) = await RunAsync(options => options.IsOptedOut = http => throw Fails(http));

        Assert.Empty(tracker.Events);
        Assert.Equal(2, tracker.LeftOut.Count);
        Assert.Single(log.From(LogLevel.Error));
    }

    /// <summary>Runs two requests.</summary>
    static async Task<(RecordingTracker Tracker, RecordedLog Log)> RunAsync(Action<MixpanelRequestOptions> configure)
    {
        var (tracker, log) = (new RecordingTracker(), new RecordedLog());
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(log);
        services.AddMixpanel(settings => settings.Token = Given.TokenText).AddRequests(configure);
        await using var provider = services.BuildServiceProvider();
        var app = new ApplicationBuilder(provider);
        app.UseMixpanel();
        app.Run(http =>
        {
            Assert.Equal("ada", http.RequestServices.GetRequiredService<EvaluationContext>().DistinctId);
            tracker.Track("E", MixpanelUser.Current);
            return Task.CompletedTask;
        });
        var pipeline = app.Build();
        for (var i = 0; i < 2; i++)
        {
            await using var scope = provider.CreateAsyncScope();
            var http = new DefaultHttpContext
            {
                User = new(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, "ada")])),
                RequestServices = scope.ServiceProvider,
            };
            provider.GetRequiredService<IHttpContextAccessor>().HttpContext = http;
            await pipeline(http);
        }

        return (tracker, log);
    }
}
