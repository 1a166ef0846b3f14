using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.FeatureManagement;
using Microsoft.FeatureManagement.FeatureFilters;

namespace MixpanelConnector.FeatureManagement;

/// <summary>Puts Mixpanel's flags behind Microsoft.FeatureManagement.</summary>
public static class MixpanelFeatureManagementBuilderExtensions
{
    /// <summary>Has <c>[FeatureGate]</c>, <c>&lt;feature&gt;</c>, <see cref="IVariantFeatureManager"/> and <see cref="IFeatureManager"/> ask Mixpanel's flags, one snapshot for each scope. The person comes from an <see cref="ITargetingContextAccessor"/> of the application's: its <c>UserId</c> is the <c>distinct_id</c>; a <see cref="MixpanelTargetingContext"/> says more. Where the application calls <c>AddFeatureManagement</c> too, that comes first.</summary>
    /// <param name="builder">What <c>AddMixpanel</c> gave; <c>AddFlags</c> is called where it was not.</param>
    public static MixpanelBuilder UseFeatureManagement(this MixpanelBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var (services, name) = (builder.Services, builder.Name);
        if (!services.Any(service => service.ServiceType == typeof(FlagSnapshot) && Equals(service.ServiceKey, name))) builder.AddFlags();
        services.AddScoped(provider => new MixpanelFeatureManager(
            name is null ? provider.GetRequiredService<FlagSnapshot>() : provider.GetRequiredKeyedService<FlagSnapshot>(name), provider.GetService<ITargetingContextAccessor>()));
        // In place of Microsoft's own, which refuses to come after these.
        services.Replace(ServiceDescriptor.Scoped<IVariantFeatureManagerSnapshot>(provider => provider.GetRequiredService<MixpanelFeatureManager>()));
        services.Replace(ServiceDescriptor.Scoped<IFeatureManagerSnapshot>(provider => provider.GetRequiredService<MixpanelFeatureManager>()));
        services.Replace(ServiceDescriptor.Scoped<IVariantFeatureManager>(provider => provider.GetRequiredService<MixpanelFeatureManager>()));
        services.Replace(ServiceDescriptor.Scoped<IFeatureManager>(provider => provider.GetRequiredService<MixpanelFeatureManager>()));
        return builder;
    }
}
