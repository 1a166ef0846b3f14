using Docker.DotNet.Models;
using DotNet.Testcontainers.Configurations;

namespace MixpanelConnector.Testcontainers;

/// <summary>How the container is made; set by <see cref="MixpanelEmulatorBuilder"/>.</summary>
public sealed class MixpanelEmulatorConfiguration : ContainerConfiguration
{
    /// <summary>Nothing is set yet.</summary>
    public MixpanelEmulatorConfiguration()
    {
    }

    /// <summary>Takes over what holds for any resource.</summary>
    /// <param name="resourceConfiguration">What is set.</param>
    public MixpanelEmulatorConfiguration(IResourceConfiguration<CreateContainerParameters> resourceConfiguration)
        : base(resourceConfiguration)
    {
    }

    /// <summary>Takes over what holds for any container.</summary>
    /// <param name="resourceConfiguration">What is set.</param>
    public MixpanelEmulatorConfiguration(IContainerConfiguration resourceConfiguration)
        : base(resourceConfiguration)
    {
    }

    /// <summary>Puts one on top of another.</summary>
    /// <param name="oldValue">What was set before.</param>
    /// <param name="newValue">What is set now.</param>
    public MixpanelEmulatorConfiguration(MixpanelEmulatorConfiguration oldValue, MixpanelEmulatorConfiguration newValue)
        : base(oldValue, newValue)
    {
    }
}
