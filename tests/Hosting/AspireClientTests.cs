using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MixpanelConnector.Emulator;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace MixpanelConnector.Hosting.Tests;

/// <summary>A program of an Aspire application: the sources of its settings, and its telemetry.</summary>
public sealed class AspireClientTests
{
    const string Connection = "ConnectionStrings:mixpanel";

    [Fact]
    public async Task An_event_arrives_and_health_metrics_and_traces_are_there()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var told = new Told();
        var builder = Program((Connection, $"Endpoint={mixpanel.Address};Token=local"));
        builder.AddMixpanel("mixpanel");
        told.Listen(builder.Services);
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<IMixpanelTracker>().Track("Order placed", "user-1", new { Total = 12.5m });
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        await host.StopAsync();

        host.Services.GetRequiredService<MeterProvider>().ForceFlush();

        await mixpanel.Received.Event("Order placed").By("user-1").With("Total", 12.5m);
        Assert.Equal((HealthStatus.Healthy, "mixpanel"), (health.Status, Assert.Single(health.Entries).Key));
        Assert.Contains("mixpanel.tracker.records", told.Metrics, StringComparer.Ordinal);
        Assert.Contains("mixpanel send", told.Spans, StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Each_of_them_can_be_switched_off(bool inCode)
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var told = new Told();
        var builder = Program((Connection, $"Endpoint={mixpanel.Address};Token=local"));
        if (!inCode)
            Configure(builder, ("Aspire:Mixpanel:DisableHealthChecks", "true"), ("Aspire:Mixpanel:DisableTracing", "True"),
                ("Aspire:Mixpanel:mixpanel:DisableMetrics", "true"));
        builder.AddMixpanel("mixpanel", inCode ? settings => settings.DisableHealthChecks = settings.DisableTracing = settings.DisableMetrics = true : null);
        told.Listen(builder.Services);
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<IMixpanelTracker>().Track("Order placed", "user-1");
        await host.StopAsync();

        host.Services.GetRequiredService<MeterProvider>().ForceFlush();

        await mixpanel.Received.Event("Order placed");
        Assert.Null(host.Services.GetService<HealthCheckService>());
        Assert.Empty(told.Metrics);
        Assert.Empty(told.Spans);
    }

    [Fact]
    public void The_last_word_is_the_codes_before_it_the_connection_strings_then_that_of_its_own_section()
    {
        var builder = Program(
            ("Aspire:Mixpanel:Token", "of-all"), ("Aspire:Mixpanel:Endpoint", "https://of-all.example"), ("Aspire:Mixpanel:FlushInterval", "00:00:01"),
            ("Aspire:Mixpanel:MaxRetries", "1"), ("Aspire:Mixpanel:SuperProperties:app", "shop"),
            ("Aspire:Mixpanel:mixpanel:FlushInterval", "00:00:02"), ("Aspire:Mixpanel:mixpanel:SuperProperties:part", "web"),
            ("Aspire:Mixpanel:mixpanel:MaxRetries", "2"),
            (Connection, "endpoint=https://of-connection.example; Token=of-connection"));
        builder.AddMixpanel("mixpanel", configureOptions: settings => settings.MaxRetries = 3);
        using var host = builder.Build();

        var settings = host.Services.GetRequiredService<IOptions<MixpanelSettings>>().Value;

        Assert.Equal(("of-connection", new Uri("https://of-connection.example"), TimeSpan.FromSeconds(2), 3),
            (settings.Token, settings.Endpoint, settings.FlushInterval, settings.MaxRetries));
        Assert.Equal("""{"app":"shop","part":"web"}""", settings.SuperProperties.ToJsonString());
    }

    [Theory]
    [InlineData("http://127.0.0.1:8123")]
    [InlineData("https://mixpanel.example/")]
    public void A_connection_string_may_be_an_address_alone(string address)
    {
        var builder = Program(("Aspire:Mixpanel:Token", "local"), (Connection, address));
        builder.AddMixpanel("mixpanel");
        using var host = builder.Build();

        Assert.Equal(new Uri(address), host.Services.GetRequiredService<MixpanelClient>().Options.Endpoint);
    }

    [Fact]
    public void Code_sets_what_no_configuration_can_have()
    {
        var builder = Program((Connection, "Token=local"));
        builder.AddMixpanel("mixpanel", configureOptions: settings => settings.IsOptedOut = user => user == "eve");
        using var host = builder.Build();

        Assert.True(host.Services.GetRequiredService<IOptions<MixpanelSettings>>().Value.IsOptedOut!("eve"));
    }

    [Theory]
    [InlineData("Tokn=secret-1", "ConnectionStrings:mixpanel:tokn: there is no such setting; did you mean Token")]
    [InlineData("Token=secret-1;ProjectId=secret-1", "ConnectionStrings:mixpanel:projectid: it must be a whole number")]
    [InlineData("secret-1", "ConnectionStrings:mixpanel: it must be settings as Name=Value")]
    [InlineData("SuperProperties=secret-1;Token=local", "it must be names of properties with their values")]
    [InlineData("", "the connection string mixpanel, which the app host passes with WithReference, or in Aspire:Mixpanel")]
    public async Task A_connection_string_that_is_wrong_fails_the_start_and_is_not_shown(string text, string expected)
    {
        var builder = Program((Connection, text));
        builder.AddMixpanel("mixpanel");
        using var host = builder.Build();

        var failed = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Contains(expected, failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-1", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_switch_that_is_neither_on_nor_off_is_named_at_once()
    {
        var builder = Program((Connection, "Token=local"), ("Aspire:Mixpanel:DisableTracing", "perhaps"));
        var failed = Assert.Throws<OptionsValidationException>(() => builder.AddMixpanel("mixpanel"));
        Assert.Equal("Aspire:Mixpanel:DisableTracing: it must be true or false.", failed.Message);
    }

    [Fact]
    public async Task An_unknown_setting_is_named_and_another_connections_section_is_not_one()
    {
        var builder = Program((Connection, "Token=local"), ("ConnectionStrings:shop", "Token=shop"), ("Aspire:Mixpanel:shop:FlushInterval", "00:00:02"),
            ("Aspire:Mixpanel:Quux:Deep", "1"));
        builder.AddMixpanel("mixpanel");
        builder.AddKeyedMixpanel("shop");
        using var host = builder.Build();

        var failed = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync());

        Assert.Contains("Aspire:Mixpanel:Quux", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Aspire:Mixpanel:shop", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_project_has_its_own_services_under_its_name()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        var other = await mixpanel.CreateProjectAsync();
        var builder =
            Program((Connection, $"Endpoint={mixpanel.Address};Token=local"), ("ConnectionStrings:shop", $"Endpoint={mixpanel.Address};Token={other.Token}"));
        builder.AddMixpanel("mixpanel");
        builder.AddKeyedMixpanel("shop");
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<IMixpanelTracker>().Track("Page viewed", "user-1");
        host.Services.GetRequiredKeyedService<IMixpanelTracker>("shop").Track("Order placed", "user-1");
        var health = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        await host.StopAsync();

        await mixpanel.Received.Event("Page viewed");
        await other.Received.Event("Order placed");
        await other.Received.Event("Page viewed").NeverAsync();
        Assert.Equal(["mixpanel", "mixpanel:shop"], health.Entries.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Contains("AddKeyedMixpanel", Assert.Throws<InvalidOperationException>(() => builder.AddMixpanel("blog")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_account_that_the_connection_string_has_anew_is_used()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        var connection = $"Endpoint={mixpanel.Address};ProjectId=1;OrganizationId=1;ServiceAccountUsername=local";
        var builder = Program((Connection, $"{connection};ServiceAccountSecret=gone"));
        builder.AddMixpanel("mixpanel");
        using var host = builder.Build();
        var client = host.Services.GetRequiredService<MixpanelClient>();
        await Assert.ThrowsAsync<MixpanelException>(async () =>
            await client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }, TestContext.Current.CancellationToken));

        Configure(builder, (Connection, $"{connection};ServiceAccountSecret=local"));

        Assert.Equal(1, (await client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }, TestContext.Current.CancellationToken)).Total);
    }

    /// <summary>Both sides: the program reads what the application host provides.</summary>
    [Fact]
    public async Task A_program_comes_to_the_embedded_Mixpanel_by_what_the_application_host_gives()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        var builder = Program(
            (Connection, await AspireTests.ConnectionStringAsync(mixpanel.Address)),
            ("Aspire:Mixpanel:Token", "production"), ("Aspire:Mixpanel:ServiceAccountUsername", "robot"),
            ("Aspire:Mixpanel:ServiceAccountSecret", "production"), ("Aspire:Mixpanel:ProjectId", "4711"), ("Aspire:Mixpanel:Region", "Eu"));
        builder.AddMixpanel("mixpanel");
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<IMixpanelTracker>().Track("Order placed", "user-1");
        var accounts = await host.Services.GetRequiredService<MixpanelClient>().GetAllServiceAccountsAsync(new() { OrganizationId = 1 },
            TestContext.Current.CancellationToken);
        await host.StopAsync();

        await mixpanel.Received.Event("Order placed").By("user-1");
        Assert.Equal("local", Assert.Single(accounts.ServiceAccounts).Username);
    }

    static HostApplicationBuilder Program(params (string Name, string Value)[] configuration)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        Configure(builder, configuration);
        return builder;
    }

    static void Configure(HostApplicationBuilder builder, params (string Name, string Value)[] configuration) =>
        builder.Configuration.AddInMemoryCollection(configuration.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));

    /// <summary>The telemetry that OpenTelemetry received.</summary>
    sealed class Told : IDisposable
    {
        readonly Exporter<Metric> _metrics = new(metric => metric.Name);
        readonly Exporter<Activity> _spans = new(span => span.OperationName);

        public IEnumerable<string> Metrics => _metrics.Names;

        public IEnumerable<string> Spans => _spans.Names;

        public void Listen(IServiceCollection services)
        {
            services.AddOpenTelemetry()
                .WithMetrics(metrics => metrics.AddReader(new BaseExportingMetricReader(_metrics)))
                .WithTracing(tracing => tracing.AddProcessor(new SimpleActivityExportProcessor(_spans)));
        }

        public void Dispose()
        {
            _metrics.Dispose();
            _spans.Dispose();
        }
    }

    sealed class Exporter<T>(Func<T, string> name) : BaseExporter<T>
        where T : class
    {
        public System.Collections.Concurrent.ConcurrentQueue<string> Names { get; } = new();

        public override ExportResult Export(in Batch<T> batch)
        {
            foreach (var item in batch) Names.Enqueue(name(item));
            return ExportResult.Success;
        }
    }
}
