using System.Text;
using Docker.DotNet.Models;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;

namespace MixpanelConnector.Testcontainers;

/// <summary>
/// Makes a container of the embedded Mixpanel, from an image that the project's Dockerfile builds. In .NET alone
/// <c>EmulatedMixpanel</c> of the package MixpanelConnector.Emulator does the same in the test's own process.
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

    /// <summary>What the store begins with, and has again after a reset: JSON as docs/emulator.md describes it. Default: the development world alone.</summary>
    /// <param name="json">The seed.</param>
    public MixpanelEmulatorBuilder WithSeed(string json) =>
        WithResourceMapping(Encoding.UTF8.GetBytes(json), SeedFile).WithCommand("--seed", SeedFile);

    /// <summary>Refuses parameters and members that Mixpanel would leave out without a word. Default: no.</summary>
    public MixpanelEmulatorBuilder WithStrictUnknown() => WithCommand("--strict-unknown");

    /// <summary>A name that others reach the container under, such as its alias in a network: it answers to localhost, IP addresses and names that it was given.</summary>
    /// <param name="name">The name.</param>
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
