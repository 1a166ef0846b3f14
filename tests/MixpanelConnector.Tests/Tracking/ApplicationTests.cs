using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MixpanelConnector.Testing;
using MixpanelConnector.Tests.Consume;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>The tracker in an application with a host.</summary>
public sealed class ApplicationTests
{
    [Fact]
    public async Task What_was_tracked_is_sent_before_the_host_has_stopped()
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Json(Given.Imported(request.Json.GetArrayLength())));
        using var host = Host(("Token", Given.TokenText), ("Endpoint", server.Url), ("FlushInterval", "00:30:00"), ("SuperProperties:app", "shop"));
        await host.StartAsync();
        host.Services.GetRequiredService<IMixpanelTracker>().Track("Order placed", "user-1", new { Total = 12.5m });

        await host.StopAsync();

        var properties = server.Request.Json[0].GetProperty("properties");
        Assert.Equal("shop", properties.GetProperty("app").GetString());
        Assert.Equal(Given.TokenHeader, server.Request.Header("Authorization"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("shop")]
    public async Task With_a_queue_it_is_published_in_place_of_being_sent(string? name)
    {
        var queue = new FakeQueue();
        var builder = Empty();
        void Configure(MixpanelSettings settings) => (settings.Token, settings.Endpoint) = (Given.TokenText, new Uri("http://127.0.0.1:1"));
        (name is null
            ? builder.Services.AddMixpanel(Configure)
            : builder.Services.AddMixpanel(name, Configure)).UseQueue(_ => new MixpanelQueue(FakeQueue.Address, [queue]));
        using var host = builder.Build();
        await host.StartAsync();

        var tracker = host.Services.Mixpanel<IMixpanelTracker>(name);
        await tracker.TrackAsync("Order placed", "user-1");
        await tracker.Profile("user-1").SetAsync("plan", "pro");
        await host.StopAsync();

        Assert.Equal(["events", "events.profiles"], queue.Published.Select(message => message.Name!).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_queue_that_does_not_fit_is_told_when_the_host_starts_and_one_that_is_switched_off_is_not_opened()
    {
        var builder = Empty();
        builder.Services.AddMixpanel(settings => settings.Token = Given.TokenText).UseQueue(_ => new MixpanelQueue("nowhere://host/q", [new FakeQueue()]));
        using var host = builder.Build();
        Assert.Equal("queue", (await Assert.ThrowsAsync<MixpanelException>(() => host.StartAsync())).Error.Field);

        var disabled = new ServiceCollection();
        disabled.AddMixpanel(settings => settings.Enabled = false).UseQueue(_ => throw new InvalidOperationException("opened"));
        using var services = disabled.BuildServiceProvider();
        Assert.NotNull(services.GetRequiredService<IMixpanelTracker>());
    }

    /// <summary>Services that are disposed on a blocked thread, as the service containers of tests are.</summary>
    [Fact]
    public void Its_queue_is_closed_with_the_services()
    {
        var services = new ServiceCollection();
        services.AddMixpanel(settings => settings.Token = Given.TokenText).UseQueue(_ => new MixpanelQueue(FakeQueue.Address, [new FakeQueue()]));
        var provider = services.BuildServiceProvider();
        var queue = provider.GetRequiredService<MixpanelQueue>();
        _ = provider.GetRequiredService<IMixpanelTracker>();

        provider.Dispose();

        queue.Dispose(); // twice is once
    }

    [Fact]
    public async Task Each_named_project_has_its_own_tracker_and_client()
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Json(Given.Imported(request.Json.GetArrayLength())));
        var builder = Empty();
        builder.Services.AddMixpanel("shop", settings => (settings.Token, settings.Endpoint) = ("shop-token-000000000000000000000", server.Address));
        builder.Services.AddMixpanel("blog", settings => (settings.Token, settings.Endpoint) = ("blog-token-000000000000000000000", server.Address));
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredKeyedService<IMixpanelTracker>("shop").Track("Order placed", "u");
        host.Services.GetRequiredKeyedService<IMixpanelTracker>("blog").Track("Page viewed", "u");
        await host.StopAsync();

        Assert.Equal("shop-token-000000000000000000000", host.Services.GetRequiredKeyedService<MixpanelClient>("shop").Options.Token);
        Assert.Equal(2, server.Requests.Select(request => request.Header("Authorization")).Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData("Token", "with spaces in it", "token")]
    [InlineData("ProjectId", "abc", "Mixpanel:ProjectId")]
    [InlineData("ProjectId", "abc", "it must be a whole number")]
    [InlineData("Tokn", "x", "Mixpanel:Tokn: there is no such setting; did you mean Token")]
    [InlineData("Quux", "x", "there are Token, ServiceAccountUsername")]
    [InlineData("Region", "Europe", "Mixpanel:Region: it must be one of Us, Eu, In.")]
    [InlineData("Region", "1", "it must be one of Us, Eu, In")]
    [InlineData("WhenFull", "explode", "it must be one of ")]
    [InlineData("FlushInterval", "soon", "such as 00:00:05")]
    [InlineData("AdoptUnowned", "maybe", "true or false")]
    [InlineData("Endpoint", "nowhere", "http://127.0.0.1:8080")]
    [InlineData("BatchRecords", "2001", "2000")]
    [InlineData("Endpoint", "http://example.com", "endpoint")]
    [InlineData("Region", "", "credential")]
    public async Task A_wrong_setting_fails_the_start_and_is_named_without_its_value(string name, string value, string expected)
    {
        using var host = Host((name, value));

        var failed = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Contains(expected, failed.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("with spaces in it", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_whole_configuration_in_place_of_its_section_is_told()
    {
        var builder = Empty();
        builder.Configuration.AddInMemoryCollection([new("AllowedHosts", "*"), new("Mixpanel:Token", Given.TokenText)]);
        builder.Services.AddMixpanel(builder.Configuration);
        using var host = builder.Build();

        var failed = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Contains("GetSection(\"Mixpanel\")", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_can_put_a_recording_tracker_in_its_place()
    {
        var recording = new RecordingTracker();
        var builder = Empty();
        builder.Services.AddMixpanel(settings => settings.Token = Given.TokenText);
        builder.Services.AddSingleton<IMixpanelTracker>(recording);
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<IMixpanelTracker>().Track("E", "u");
        await host.StopAsync();

        Assert.Equal("E", Assert.Single(recording.Events).Name);
    }

    [Fact]
    public async Task Handlers_of_the_application_see_the_requests()
    {
        var mixpanel = new MixpanelDouble();
        var builder = Empty();
        builder.Services.AddMixpanel(settings => settings.Token = Given.TokenText).HttpClient.ConfigurePrimaryHttpMessageHandler(() => mixpanel);
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<IMixpanelTracker>().Track("E", "u");
        await host.StopAsync();

        Assert.Single(mixpanel.Stored);
    }

    [Fact]
    public async Task Added_twice_there_is_one_tracker_with_the_settings_of_both()
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Json(Given.Imported(request.Json.GetArrayLength())));
        var builder = Empty();
        builder.Services.AddMixpanel(settings => (settings.Token, settings.Endpoint) = (Given.TokenText, server.Address));
        builder.Services.AddMixpanel(settings => settings.SuperProperties["app"] = "shop");
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<IMixpanelTracker>().Track("E", "u");
        await host.StopAsync();

        Assert.Equal("shop", Assert.Single(server.Request.Json.EnumerateArray()).GetProperty("properties").GetProperty("app").GetString());
    }

    [Fact]
    public async Task The_health_check_tells_of_refused_credentials()
    {
        await using var server =
            await RecordingServer.StartAsync(_ => Answer.Json("""{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""", 401));
        var builder = Empty();
        builder.Services.AddMixpanel(settings => (settings.Token, settings.Endpoint) = (Given.TokenText, server.Address));
        builder.Services.AddHealthChecks().AddMixpanel();
        using var host = builder.Build();
        await host.StartAsync();
        var (health, tracker) = (host.Services.GetRequiredService<HealthCheckService>(), host.Services.GetRequiredService<IMixpanelTracker>());
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);

        tracker.Track("E", "u");
        await Given.FailsAsync(() => tracker.FlushAsync());

        var report = (await health.CheckHealthAsync()).Entries["mixpanel"];
        Assert.Equal(HealthStatus.Unhealthy, report.Status);
        Assert.Contains("credentials", report.Description, StringComparison.Ordinal);
        Assert.Equal(1L, report.Data["pending"]);
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await host.StopAsync(now.Token);
    }

    [Fact]
    public async Task The_health_check_is_degraded_during_an_outage()
    {
        var isDown = true;
        var mixpanel = new MixpanelDouble();
        mixpanel.Script = _ => Volatile.Read(ref isDown) ? MixpanelDouble.Answer(503, "") : null;
        await using var provider = Monitored(new ImpatientClock(), mixpanel, _ => { });
        var tracker = provider.GetRequiredService<IMixpanelTracker>();

        tracker.Track("E", "u");
        while (mixpanel.Requests.Count < 5) await Task.Yield();
        var report = await HealthOfAsync(provider);
        Assert.Equal((HealthStatus.Degraded, 1L), (report.Status, report.Data["pending"]));
        Assert.StartsWith("Mixpanel has accepted no records for ", report.Description, StringComparison.Ordinal);
        Assert.True((double)report.Data["outage_seconds"] > 0);

        Volatile.Write(ref isDown, false);
        await tracker.FlushAsync();
        Assert.Equal(HealthStatus.Healthy, (await HealthOfAsync(provider)).Status);
    }

    [Fact]
    public async Task The_health_check_is_degraded_while_records_wait_for_long()
    {
        var clock = new ImpatientClock();
        await using var provider = Monitored(clock, new MixpanelDouble(), settings => settings.FlushInterval = TimeSpan.FromHours(1));
        var tracker = provider.GetRequiredService<IMixpanelTracker>();

        tracker.Track("E", "u");
        clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(HealthStatus.Healthy, (await HealthOfAsync(provider)).Status);
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal((HealthStatus.Degraded, "1 record waits for Mixpanel, the oldest for 6 minutes."),
            await HealthOfAsync(provider) is var report ? (report.Status, report.Description) : default);

        await tracker.FlushAsync();
        Assert.Equal(HealthStatus.Healthy, (await HealthOfAsync(provider)).Status);
    }

    static ServiceProvider Monitored(TimeProvider clock, MixpanelDouble mixpanel, Action<MixpanelSettings> configure)
    {
        var services = new ServiceCollection().AddLogging().AddSingleton(clock);
        services.AddMixpanel(settings =>
        {
            settings.Token = Given.TokenText;
            configure(settings);
        }).HttpClient.ConfigurePrimaryHttpMessageHandler(() => mixpanel);
        services.AddHealthChecks().AddMixpanel();
        return services.BuildServiceProvider();
    }

    static async Task<HealthReportEntry> HealthOfAsync(IServiceProvider provider) =>
        (await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["mixpanel"];

    [Fact]
    public void Super_properties_of_a_configuration_keep_their_types()
    {
        const string json = """{"Mixpanel":{"Token":"0123456789abcdef0123456789abcdef","SuperProperties":{"version":3,"rate":1.50,"beta":true,"off":"False","name":"shop 3","zip":"\"01234\"","plain":"01234","date":"2026-01-02","nested":{"tier":"gold","depth":{"n":-1e3}},"tags":["a",1,false],"empty":""}}}""";
        var builder = Empty();
        builder.Configuration.AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)));
        builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));
        using var host = builder.Build();

        Given.JsonEqual(
            """{"version":3,"rate":1.50,"beta":true,"off":false,"name":"shop 3","zip":"01234","plain":"01234","date":"2026-01-02","nested":{"tier":"gold","depth":{"n":-1e3}},"tags":["a",1,false],"empty":""}""",
            System.Text.Json.JsonElement.Parse(
                host.Services.GetRequiredService<IOptionsMonitor<MixpanelSettings>>().CurrentValue.SuperProperties.ToJsonString()));
    }

    [Fact]
    public void Deadlines_and_retries_are_settings()
    {
        using var host = Host(("Token", "0123456789abcdef0123456789abcdef"), ("StopTimeout", "00:00:07"), ("AttemptTimeout", "00:00:09"), ("MaxRetries", "5"));

        var settings = host.Services.GetRequiredService<IOptionsMonitor<MixpanelSettings>>().CurrentValue;
        var options = host.Services.GetRequiredService<MixpanelClient>().Options;

        Assert.Equal((TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(7)), (settings.StopTimeout, settings.ToTrackerOptions().StopTimeout));
        Assert.Equal((TimeSpan.FromSeconds(9), 5), (options.AttemptTimeout, options.MaxRetries));
    }

    [Theory]
    [InlineData("StopTimeout", "-00:00:01")]
    [InlineData("AttemptTimeout", "00:00:00")]
    [InlineData("MaxRetries", "-1")]
    [InlineData("MaxRetries", "many")]
    public async Task A_deadline_that_cannot_be_stops_the_start(string name, string value)
    {
        using var host = Host(("Token", "0123456789abcdef0123456789abcdef"), (name, value));

        await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
    }

    static HostApplicationBuilder Empty() => Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());

    static IHost Host(params (string Name, string Value)[] settings)
    {
        var builder = Empty();
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>($"Mixpanel:{setting.Name}", setting.Value)));
        builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));
        return builder.Build();
    }
}
