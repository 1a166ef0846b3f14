using System.Text;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;

namespace MixpanelConnector.Testcontainers;

/// <summary>
/// Builds a container of the embedded Mixpanel, from an image that the project's Dockerfile builds. For tests in .NET only, <c>EmulatedMixpanel</c> of the
/// package MixpanelConnector.Emulator does the same in the test's own process.
/// </summary>
public sealed class MixpanelEmulatorBuilder : ContainerBuilder<MixpanelEmulatorBuilder, MixpanelEmulatorContainer, MixpanelEmulatorConfiguration>
{
    /// <summary>The port in the container.</summary>
    public const ushort Port = 8123;

    const string SeedFile = "/seed.json";

    /// <param name="image">The image, such as <c>mixpanel-emulator</c>.</param>
    public MixpanelEmulatorBuilder(string image)
        : this(new MixpanelEmulatorConfiguration()) => DockerResourceConfiguration = Init().WithImage(image).DockerResourceConfiguration;

    MixpanelEmulatorBuilder(MixpanelEmulatorConfiguration configuration)
        : base(configuration) => DockerResourceConfiguration = configuration;

    internal MixpanelEmulatorConfiguration Configuration => DockerResourceConfiguration;

    /// <inheritdoc />
    protected override MixpanelEmulatorConfiguration DockerResourceConfiguration { get; }

    /// <summary>The initial data of the store, restored by a reset: JSON as described in docs/emulator.md. Default: only the development world.</summary>
    /// <param name="json">The seed.</param>
    /// <returns>A builder with the setting.</returns>
    public MixpanelEmulatorBuilder WithSeed(string json) =>
        WithResourceMapping(Encoding.UTF8.GetBytes(json), SeedFile).WithCommand("--seed", SeedFile);

    /// <summary>Rejects parameters and members that Mixpanel would ignore silently. Default: no.</summary>
    /// <returns>A builder with the setting.</returns>
    public MixpanelEmulatorBuilder WithStrictUnknown() => WithCommand("--strict-unknown");

    /// <summary>
    /// Adds a host name under which others reach the container, such as its alias in a network. The emulator accepts localhost, IP addresses and names that
    /// were added.
    /// </summary>
    /// <param name="name">The host name.</param>
    /// <returns>A builder with the setting.</returns>
    public MixpanelEmulatorBuilder WithHostName(string name) => WithNetworkAliases(name).WithCommand("--host", name);

    /// <inheritdoc />
    public override MixpanelEmulatorContainer Build()
    {
        Validate();
        return new MixpanelEmulatorContainer(DockerResourceConfiguration);
    }

    /// <inheritdoc />
    protected override MixpanelEmulatorBuilder Init() => base.Init()
        .WithPortBinding(Port, assignRandomHostPort: true)
        .WithWaitStrategy(Wait.ForUnixContainer().UntilHttpRequestIsSucceeded(request => request.ForPort(Port).ForPath("/healthz")));

    /// <inheritdoc />
    protected override MixpanelEmulatorBuilder Clone(IResourceConfiguration<CreateContainerParameters> resourceConfiguration) =>
        Merge(DockerResourceConfiguration, new MixpanelEmulatorConfiguration(resourceConfiguration));

    /// <inheritdoc />
    protected override MixpanelEmulatorBuilder Clone(IContainerConfiguration resourceConfiguration) =>
        Merge(DockerResourceConfiguration, new MixpanelEmulatorConfiguration(resourceConfiguration));

    /// <inheritdoc />
    protected override MixpanelEmulatorBuilder Merge(MixpanelEmulatorConfiguration oldValue, MixpanelEmulatorConfiguration newValue) =>
        new(new MixpanelEmulatorConfiguration(oldValue, newValue));
}
