using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>Service accounts that are replaced while the process runs.</summary>
public sealed class ReplacedAccountTests
{
    [Fact]
    public async Task Requests_go_out_with_the_account_that_the_configuration_has_now_and_nothing_is_lost()
    {
        var valid = "one:first-secret";
        var used = new ConcurrentQueue<string>();
        await using var server = await RecordingServer.StartAsync(request =>
        {
            var account = AccountOf(request.Header("Authorization")!);
            used.Enqueue(account);
            return account == Volatile.Read(ref valid)
                ? Answer.Json(Given.Imported(request.Json.GetArrayLength()))
                : Answer.Json("""{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""", 401);
        });
        await using var application = await Application.StartAsync(server.Url);
        var tracker = application.Tracker;
        await tracker.TrackAsync("before", "ada", TestContext.Current.CancellationToken);
        await tracker.FlushAsync(TestContext.Current.CancellationToken);

        Volatile.Write(ref valid, "two:second-secret"); // the first is deleted before the configuration knows of the second
        tracker.Track("between", "ada");
        await Given.FailsAsync(() => tracker.FlushAsync(TestContext.Current.CancellationToken));
        application.Configure(("ServiceAccountUsername", "two"), ("ServiceAccountSecret", "second-secret"));
        await application.SentAsync();
        tracker.Track("after", "ada");
        await tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["after", "before", "between"],
            server.Requests.Where((_, i) => used.ElementAt(i) is var account && (i == 0 || account.StartsWith("two", StringComparison.Ordinal)))
                .SelectMany(request => request.Json.EnumerateArray().Select(e => e.GetProperty("event").GetString()))
                .Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
        Assert.Null(application.Mixpanel.LastError);
    }

    [Fact]
    public async Task A_call_that_is_refused_while_the_account_is_replaced_is_made_again()
    {
        Application? made = null;
        await using var server = await RecordingServer.StartAsync(request =>
        {
            if (AccountOf(request.Header("Authorization")!) != "one:first-secret") return Answer.Json("""{"results":["E"]}""");
            made!.Configure(("ServiceAccountUsername", "two"), ("ServiceAccountSecret", "second-secret"));
            return Answer.Json("""{"error":"Invalid credentials"}""", 401);
        });
        await using var application = made = await Application.StartAsync(server.Url);

        var reply = await application.Host.Services.GetRequiredService<MixpanelClient>().Transport.SendOnceAsync(
            new(HttpMethod.Post, MixpanelConnector.Transport.Api.Query, "/x", AuthScheme.ServiceAccount), TestContext.Current.CancellationToken);

        Assert.Equal((200, 2), (reply.Status, server.Requests.Count));

        // Explicitly trying another account, as a rotation does before it deletes the old one, uses that one.
        var client = application.Host.Services.GetRequiredService<MixpanelClient>();
        await client.Transport.With(client.Options with { ServiceAccount = new("three", new MixpanelSecret("third-secret")) })
            .SendOnceAsync(new(HttpMethod.Post, MixpanelConnector.Transport.Api.Query, "/x", AuthScheme.ServiceAccount), TestContext.Current.CancellationToken);
        Assert.Equal("three:third-secret", AccountOf(server.Requests[^1].Header("Authorization")!));
    }

    [Theory]
    [InlineData("Token", "another-token-0000000000000000000", "Token")]
    [InlineData("ProjectId", "2", "ProjectId")]
    [InlineData("Region", "Eu", "Region")]
    public async Task Another_project_is_not_taken_and_said_once(string name, string value, string expected)
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Json(Given.Imported(request.Json.GetArrayLength())));
        await using var application = await Application.StartAsync(server.Url);

        application.Configure((name, value), ("ServiceAccountUsername", "two"), ("ServiceAccountSecret", "second-secret"));
        application.Configure();
        application.Tracker.Track("E", "ada");
        await application.Tracker.FlushAsync(TestContext.Current.CancellationToken);

        Assert.Equal("one:first-secret", AccountOf(server.Request.Header("Authorization")!));
        var line = Assert.Single(application.Lines, line => line.Contains("has a different", StringComparison.Ordinal));
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);

        application.Configure((name, application.First(name)));
        Assert.Equal("two", application.Host.Services.GetRequiredService<MixpanelClient>().Options.CurrentAccount!.Username);
    }

    [Theory]
    [InlineData("ProjectId", "abc")]
    [InlineData("ServiceAccountUsername", "with spaces")]
    [InlineData("Quux", "1")]
    public async Task A_configuration_that_is_wrong_harms_nobody(string name, string value)
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Json(Given.Imported(request.Json.GetArrayLength())));
        await using var application = await Application.StartAsync(server.Url);

        application.Configure((name, value), ("ServiceAccountSecret", "second-secret"));

        Assert.Equal("one", application.Host.Services.GetRequiredService<MixpanelClient>().Options.CurrentAccount!.Username);
        Assert.Single(application.Lines, line => line.Contains("is invalid", StringComparison.Ordinal));
        Assert.DoesNotContain(application.Lines,
            line => line.Contains("second-secret", StringComparison.Ordinal) || line.Contains("with spaces", StringComparison.Ordinal));
    }

    [Fact]
    public async Task However_often_it_is_replaced_while_all_track_everything_arrives_once()
    {
        var valid = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal) { ["one:first-secret"] = true };
        var stored = new ConcurrentBag<string>();
        await using var server = await RecordingServer.StartAsync(request =>
        {
            if (!valid.ContainsKey(AccountOf(request.Header("Authorization")!)))
                return Answer.Json("""{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""", 401);
            foreach (var e in request.Json.EnumerateArray()) stored.Add(e.GetProperty("properties").GetProperty("$insert_id").GetString()!);
            return Answer.Json(Given.Imported(request.Json.GetArrayLength()));
        });
        await using var application = await Application.StartAsync(server.Url);

        var tracking = Task.Run(
            () => Parallel.For(0, 20_000, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => Assert.True(application.Tracker.Track("E", $"u{i}"))),
            TestContext.Current.CancellationToken);
        for (var i = 0; i < 20; i++)
        {
            valid.Clear();
            valid[$"n{i}:secret-{i}"] = true;
            application.Configure(("ServiceAccountUsername", $"n{i}"), ("ServiceAccountSecret", $"secret-{i}"));
            await Task.Yield();
        }

        await tracking;
        await application.SentAsync();

        Assert.Equal((20_000, 20_000), (stored.Count, stored.Distinct(StringComparer.Ordinal).Count()));
    }

    [Fact]
    public async Task Secrets_that_were_replaced_come_out_of_no_answer()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"error":"you said first-secret and second-secret"}""", 400));
        await using var application = await Application.StartAsync(server.Url);
        application.Configure(("ServiceAccountSecret", "second-secret"));

        var client = application.Host.Services.GetRequiredService<MixpanelClient>();
        Assert.Equal("you said *** and ***", MixpanelConnector.Transport.Authorization.Censor(client.Options, "you said first-secret and second-secret"));
    }

    static string AccountOf(string header) => Encoding.UTF8.GetString(Convert.FromBase64String(header["Basic ".Length..]));

    /// <summary>An application whose configuration can be reloaded with other values.</summary>
    sealed class Application : IAsyncDisposable
    {
        readonly Dictionary<string, string?> _first;
        readonly IConfigurationRoot _configuration;

        Application(string endpoint)
        {
            _first = new(StringComparer.Ordinal)
            {
                ["Token"] = Given.TokenText,
                ["ProjectId"] = "1",
                ["Region"] = "Us",
                ["Endpoint"] = endpoint,
                ["ServiceAccountUsername"] = "one",
                ["ServiceAccountSecret"] = "first-secret",
            };
            var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());
            builder.Configuration.AddInMemoryCollection(_first.Select(setting => new KeyValuePair<string, string?>($"Mixpanel:{setting.Key}", setting.Value)));
            _configuration = builder.Configuration;
            builder.Services.AddSingleton<ILoggerFactory>(Log);
            builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));
            Host = builder.Build();
        }

        public IHost Host { get; }

        public RecordedLog Log { get; } = new();

        public IMixpanelTracker Tracker => Host.Services.GetRequiredService<IMixpanelTracker>();

        public MixpanelTracker Mixpanel => Host.Services.GetRequiredService<MixpanelTracker>();

        public static async Task<Application> StartAsync(string endpoint)
        {
            var application = new Application(endpoint);
            await application.Host.StartAsync(TestContext.Current.CancellationToken);
            return application;
        }

        public IReadOnlyList<string> Lines => Log.From(LogLevel.Trace);

        /// <summary>A flush fails as long as the account is refused.</summary>
        public async Task SentAsync()
        {
            while (true)
            {
                try
                {
                    await Tracker.FlushAsync(TestContext.Current.CancellationToken);
                    return;
                }
                catch (MixpanelException)
                {
                    await Task.Yield();
                }
            }
        }

        public string First(string name) => _first[name]!;

        public void Configure(params (string Name, string Value)[] settings)
        {
            foreach (var (name, value) in settings) _configuration[$"Mixpanel:{name}"] = value;
            _configuration.Reload();
        }

        public async ValueTask DisposeAsync()
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await Host.StopAsync(now.Token);
            Host.Dispose();
            Log.Dispose();
        }
    }
}
