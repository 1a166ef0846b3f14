using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MixpanelConnector.Testing;

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
    [InlineData("Tokn", "x", "Mixpanel:Tokn: there is no such setting")]
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
    public async Task The_health_check_tells_of_refused_credentials()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""", 401));
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

    static HostApplicationBuilder Empty() => Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());

    static IHost Host(params (string Name, string Value)[] settings)
    {
        var builder = Empty();
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>($"Mixpanel:{setting.Name}", setting.Value)));
        builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));
        return builder.Build();
    }
}
