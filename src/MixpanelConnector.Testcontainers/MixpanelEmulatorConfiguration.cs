using Docker.DotNet.Models;
using DotNet.Testcontainers.Configurations;

namespace MixpanelConnector.Testcontainers;

/// <summary>The configuration of the container; set by <see cref="MixpanelEmulatorBuilder"/>.</summary>
public sealed class MixpanelEmulatorConfiguration : ContainerConfiguration
{
    /// <summary>Creates an empty configuration.</summary>
    public MixpanelEmulatorConfiguration()
    {
    }

    /// <summary>Copies the configuration of any resource.</summary>
    /// <param name="resourceConfiguration">The configuration to copy.</param>
    public MixpanelEmulatorConfiguration(IResourceConfiguration<CreateContainerParameters> resourceConfiguration)
        : base(resourceConfiguration)
    {
    }

    /// <summary>Copies the configuration of any container.</summary>
    /// <param name="resourceConfiguration">The configuration to copy.</param>
    public MixpanelEmulatorConfiguration(IContainerConfiguration resourceConfiguration)
        : base(resourceConfiguration)
    {
    }

    /// <summary>Merges two configurations.</summary>
    /// <param name="oldValue">The existing configuration.</param>
    /// <param name="newValue">The configuration that takes precedence.</param>
    public MixpanelEmulatorConfiguration(MixpanelEmulatorConfiguration oldValue, MixpanelEmulatorConfiguration newValue)
        : base(oldValue, newValue)
    {
    }
}
