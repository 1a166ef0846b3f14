using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.FeatureManagement;
using Microsoft.FeatureManagement.FeatureFilters;

namespace MixpanelConnector.FeatureManagement;

/// <summary>Lets Microsoft.FeatureManagement evaluate Mixpanel's flags.</summary>
public static class MixpanelFeatureManagementBuilderExtensions
{
    /// <summary>
    /// Lets <c>[FeatureGate]</c>, <c>&lt;feature&gt;</c>, <see cref="IVariantFeatureManager"/> and <see cref="IFeatureManager"/> evaluate Mixpanel's flags,
    /// with one snapshot for each scope. The person comes from the application's <see cref="ITargetingContextAccessor"/>: its <c>UserId</c> is the
    /// <c>distinct_id</c>; a <see cref="MixpanelTargetingContext"/> can contain more. If the application also calls <c>AddFeatureManagement</c>, call that
    /// first.
    /// </summary>
    /// <param name="builder">The builder that <c>AddMixpanel</c> returned. <c>AddFlags</c> is called if it was not.</param>
    /// <returns>The same builder.</returns>
    public static MixpanelBuilder UseFeatureManagement(this MixpanelBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var (services, name) = (builder.Services, builder.Name);
        if (!services.Any(service => service.ServiceType == typeof(FlagSnapshot) && Equals(service.ServiceKey, name))) builder.AddFlags();
        services.AddScoped(provider => new MixpanelFeatureManager(
            name is null ? provider.GetRequiredService<FlagSnapshot>() : provider.GetRequiredKeyedService<FlagSnapshot>(name),
            provider.GetService<ITargetingContextAccessor>()));
        // Replaces Microsoft's services; AddFeatureManagement throws if it is called after these.
        services.Replace(ServiceDescriptor.Scoped<IVariantFeatureManagerSnapshot>(provider => provider.GetRequiredService<MixpanelFeatureManager>()));
        services.Replace(ServiceDescriptor.Scoped<IFeatureManagerSnapshot>(provider => provider.GetRequiredService<MixpanelFeatureManager>()));
        services.Replace(ServiceDescriptor.Scoped<IVariantFeatureManager>(provider => provider.GetRequiredService<MixpanelFeatureManager>()));
        services.Replace(ServiceDescriptor.Scoped<IFeatureManager>(provider => provider.GetRequiredService<MixpanelFeatureManager>()));
        return builder;
    }
}
