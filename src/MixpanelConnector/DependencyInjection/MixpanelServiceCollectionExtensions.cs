using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MixpanelConnector;
using MixpanelConnector.Tracking;
using MixpanelConnector.Transport;

#pragma warning disable IDE0130 // where applications look for such methods
namespace Microsoft.Extensions.DependencyInjection;
#pragma warning restore IDE0130

/// <summary>Adds Mixpanel to an application.</summary>
public static class MixpanelServiceCollectionExtensions
{
    const string HttpClientName = "MixpanelConnector";

    /// <summary>
    /// Adds <see cref="IMixpanelTracker"/> and <see cref="MixpanelClient"/>, with settings from the application's configuration, such as
    /// <c>builder.Configuration.GetSection("Mixpanel")</c>. Tracked records are sent before the host has stopped.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configuration">A section with the names of <see cref="MixpanelSettings"/>. If it is reloaded with a different service account, the new
    /// account is used from then on; all other settings apply until the next start.</param>
    /// <returns>A builder for the further configuration of the project.</returns>
    public static MixpanelBuilder AddMixpanel(this IServiceCollection services, IConfiguration configuration) =>
        Add(services, null, Source(null, configuration), null);

    /// <summary>Adds <see cref="IMixpanelTracker"/> and <see cref="MixpanelClient"/>. Tracked records are sent before the host has stopped.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Configures the settings.</param>
    /// <returns>A builder for the further configuration of the project.</returns>
    public static MixpanelBuilder AddMixpanel(this IServiceCollection services, Action<MixpanelSettings> configure) => Add(services, null, null, configure);

    /// <summary>Adds one of several projects: its services are keyed by a name, such as <c>[FromKeyedServices("shop")] IMixpanelTracker</c>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The name.</param>
    /// <param name="configuration">A section with the names of <see cref="MixpanelSettings"/>. If it is reloaded with a different service account, the new
    /// account is used from then on; all other settings apply until the next start.</param>
    /// <returns>A builder for the further configuration of the project.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static MixpanelBuilder AddMixpanel(this IServiceCollection services, string name, IConfiguration configuration)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Add(services, name, Source(name, configuration), null);
    }

    /// <summary>Adds one of several projects: its services are keyed by a name, such as <c>[FromKeyedServices("shop")] IMixpanelTracker</c>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="name">The name.</param>
    /// <param name="configure">Configures the settings.</param>
    /// <returns>A builder for the further configuration of the project.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static MixpanelBuilder AddMixpanel(this IServiceCollection services, string name, Action<MixpanelSettings> configure)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Add(services, name, null, configure);
    }

    static SettingsSource? Source(string? name, IConfiguration? configuration) =>
        configuration is null ? null : new(name ?? Options.Options.DefaultName, configuration.GetChildren, configuration.GetReloadToken);

    internal static MixpanelBuilder Add(IServiceCollection services, string? name, SettingsSource? source, Action<MixpanelSettings>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (source is null) ArgumentNullException.ThrowIfNull(configure);
        var optionsName = name ?? Options.Options.DefaultName;
        var settings = services.AddOptions<MixpanelSettings>(optionsName);
        if (source is not null) settings.Configure(settings => settings.Bind(optionsName, source.Entries()));
        if (configure is not null) settings.Configure(configure);
        settings.ValidateOnStart();
        services.AddSingleton<IValidateOptions<MixpanelSettings>>(new MixpanelSettingsValidation(optionsName));

        var clientName = name is null ? HttpClientName : $"{HttpClientName}:{name}";
        var httpClient = services.AddHttpClient(clientName, client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider => MixpanelTransport.NewHandler(Settings(provider, optionsName).ToOptions()))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // the handler renews its connections itself
            .RemoveAllLoggers(); // the library does its own logging; a line per request is too much

        services.AddSingleton<IHttpMessageHandlerBuilderFilter>(new SentOnceFilter(clientName));

        if (source is not null) services.AddSingleton(source);
        services.TryAddKeyedOrNot(name,
            provider => new SettingsWatch(provider, optionsName, WithServices(Settings(provider, optionsName).ToOptions(), provider)));
        services.TryAddKeyedOrNot(name,
            provider => new MixpanelClient(provider.Mixpanel<SettingsWatch>(name).Options,
                provider.GetRequiredService<IHttpClientFactory>().CreateClient(clientName)));
        services.TryAddKeyedOrNot(name,
            provider => new MixpanelTracker(provider.Mixpanel<MixpanelClient>(name), Settings(provider, optionsName).ToTrackerOptions() with
            {
                MeterFactory = provider.GetService<IMeterFactory>(),
                Queue = !Settings(provider, optionsName).Enabled ? null
                : name is null ? provider.GetService<MixpanelQueue>()
                : provider.GetKeyedService<MixpanelQueue>(name),
                Outbox = !Settings(provider, optionsName).Enabled
                ? null
                : provider.GetRequiredService<IOptionsMonitor<TrackerServices>>().Get(optionsName).OpenOutbox?.Invoke(provider),
            }));
        services.TryAddKeyedOrNot<IMixpanelTracker>(name, provider => provider.Mixpanel<MixpanelTracker>(name));
        services.AddSingleton<IHostedService>(provider => new MixpanelHost(provider, name));
        return new MixpanelBuilder(services, name, httpClient);
    }

    static MixpanelSettings Settings(IServiceProvider provider, string optionsName) =>
        provider.GetRequiredService<IOptionsMonitor<MixpanelSettings>>().Get(optionsName);

    static MixpanelOptions WithServices(MixpanelOptions options, IServiceProvider provider) => options with
    {
        TimeProvider = provider.GetService<TimeProvider>() ?? TimeProvider.System,
        LoggerFactory = provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
    };

    internal static void TryAddKeyedOrNot<T>(this IServiceCollection services, string? name, Func<IServiceProvider, T> make) where T : class
    {
        if (name is null) services.TryAddSingleton(make);
        else services.TryAddKeyedSingleton(name, (provider, _) => make(provider));
    }

    internal static T Mixpanel<T>(this IServiceProvider provider, string? name) where T : class =>
        name is null ? provider.GetRequiredService<T>() : provider.GetRequiredKeyedService<T>(name);
}
