using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MixpanelConnector;
using MixpanelConnector.Aspire;
using MixpanelConnector.Tracking.Observing;

#pragma warning disable IDE0130 // where applications look for such methods
namespace Microsoft.Extensions.Hosting;
#pragma warning restore IDE0130

/// <summary>Adds Mixpanel to the projects of an Aspire application.</summary>
public static class AspireMixpanelExtensions
{
    /// <summary>
    /// Adds <see cref="IMixpanelTracker"/> and <see cref="MixpanelClient"/>, a health check, metrics and traces. Tracked data is flushed before the host has
    /// stopped. Settings come from <c>Aspire:Mixpanel</c>, then <c>Aspire:Mixpanel:NAME</c>, then the connection string; the last value wins.
    /// </summary>
    /// <param name="builder">The host builder.</param>
    /// <param name="connectionName">The name of the connection string, which is the name of the resource in the app host.</param>
    /// <param name="configureSettings">Changes the settings that were read from the configuration. Called again when the configuration is reloaded.</param>
    /// <param name="configureOptions">Changes the settings of the tracker, including those that cannot be set in the configuration.</param>
    /// <returns>A builder for further calls, such as <c>UseSqliteOutbox</c> or <c>AddFlags</c>.</returns>
    /// <exception cref="InvalidOperationException">Mixpanel was already added.</exception>
    /// <exception cref="OptionsValidationException">The value of a setting that begins with <c>Disable</c> is not true or false. Other settings are validated
    /// when the host starts.</exception>
    public static MixpanelBuilder AddMixpanel(this IHostApplicationBuilder builder, string connectionName,
        Action<AspireMixpanelSettings>? configureSettings = null, Action<MixpanelSettings>? configureOptions = null) =>
        Add(builder, connectionName, null, configureSettings, configureOptions);

    /// <summary>
    /// Like <see cref="AddMixpanel"/>, for one of several projects: its services are keyed by its name, such as <c>[FromKeyedServices("shop")]
    /// IMixpanelTracker</c>.
    /// </summary>
    /// <param name="builder">The host builder.</param>
    /// <param name="name">The key of the services, which is also the name of the connection string.</param>
    /// <param name="configureSettings">Changes the settings that were read from the configuration. Called again when the configuration is reloaded.</param>
    /// <param name="configureOptions">Changes the settings of the tracker, including those that cannot be set in the configuration.</param>
    /// <returns>A builder for further calls, such as <c>UseSqliteOutbox</c> or <c>AddFlags</c>.</returns>
    /// <exception cref="InvalidOperationException">One of this name was already added.</exception>
    /// <exception cref="OptionsValidationException">The value of a setting that begins with <c>Disable</c> is not true or false. Other settings are validated
    /// when the host starts.</exception>
    public static MixpanelBuilder AddKeyedMixpanel(this IHostApplicationBuilder builder, string name, Action<AspireMixpanelSettings>? configureSettings = null,
        Action<MixpanelSettings>? configureOptions = null) =>
        Add(builder, name, name, configureSettings, configureOptions);

    static MixpanelBuilder Add(IHostApplicationBuilder builder, string connectionName, string? key, Action<AspireMixpanelSettings>? configureSettings,
        Action<MixpanelSettings>? configureOptions)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);
        var connections = Connections.Of(builder);
        connections.Add(connectionName, key);
        var optionsName = key ?? Options.Options.DefaultName;
        var configuration = new AspireConfiguration(builder.Configuration, connectionName, connections, configureSettings);
        var settings = configuration.Settings();

        var mixpanel = MixpanelServiceCollectionExtensions.Add(builder.Services, key, new(optionsName, configuration.Entries, configuration.ReloadToken),
            configureOptions);
        builder.Services.AddSingleton<IValidateOptions<MixpanelSettings>>(new CredentialValidation(optionsName, connectionName));
        if (!settings.DisableHealthChecks) builder.Services.AddHealthChecks().AddMixpanel(key);
        if (!settings.DisableTracing) builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource(TrackerMetrics.Name));
        if (!settings.DisableMetrics) builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(TrackerMetrics.Name));
        return mixpanel;
    }

    /// <summary>Explains where an Aspire application's credentials can be set.</summary>
    sealed class CredentialValidation(string optionsName, string connectionName) : IValidateOptions<MixpanelSettings>
    {
        public ValidateOptionsResult Validate(string? name, MixpanelSettings options) =>
            name != optionsName ? ValidateOptionsResult.Skip
            : options is { Enabled: true, Token: null, ServiceAccountUsername: null }
                ? ValidateOptionsResult.Fail(
                    $"Set the credentials in the connection string {connectionName}, which the app host passes with "
                    + $"WithReference, or in {AspireConfiguration.Section}.")
            : ValidateOptionsResult.Success;
    }
}
