using Microsoft.Extensions.Diagnostics.HealthChecks;
using MixpanelConnector;
using MixpanelConnector.Tracking;

#pragma warning disable IDE0130 // where applications look for such methods
namespace Microsoft.Extensions.DependencyInjection;
#pragma warning restore IDE0130

/// <summary>Adds health checks for Mixpanel.</summary>
public static class MixpanelHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a health check for a tracker: unhealthy while Mixpanel refuses the credentials, once the outbox has failed, and when the tracker is stopped;
    /// degraded during an outage, and while records wait for more than five minutes.
    /// </summary>
    /// <param name="builder">The application's health checks.</param>
    /// <param name="name">The name of the project, as in <c>AddMixpanel</c>. Default: the project without a name.</param>
    /// <returns>The same builder, for chaining.</returns>
    public static IHealthChecksBuilder AddMixpanel(this IHealthChecksBuilder builder, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(name is null ? "mixpanel" : $"mixpanel:{name}",
            services => new MixpanelHealthCheck(services.Mixpanel<IMixpanelTracker>(name)), failureStatus: null, tags: null));
    }
}
