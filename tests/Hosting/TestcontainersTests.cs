using MixpanelConnector.Testcontainers;

namespace MixpanelConnector.Hosting.Tests;

/// <summary>The container configuration of the builder, checked without a container runtime.</summary>
public sealed class TestcontainersTests
{
    [Fact]
    public void The_container_has_the_image_its_port_and_waits_until_it_serves()
    {
        var configuration = Builder.Configuration;

        Assert.Equal("mixpanel-emulator", configuration.Image.Repository);
        Assert.Equal("8123", Assert.Single(configuration.PortBindings).Key);
        Assert.NotEqual("8123", configuration.PortBindings["8123"], StringComparer.Ordinal); // any free one on the host
        Assert.NotEmpty(configuration.WaitStrategies);
    }

    [Fact]
    public async Task A_seed_is_a_file_in_the_container_and_options_follow_each_other()
    {
        var configuration = Builder.WithSeed("""{"projects":[]}""").WithStrictUnknown().WithHostName("mixpanel").Configuration;

        Assert.Equal(["--seed", "/seed.json", "--strict-unknown", "--host", "mixpanel"], configuration.Command, StringComparer.Ordinal);
        Assert.Equal(["mixpanel"], configuration.NetworkAliases, StringComparer.Ordinal);
        var seed = Assert.Single(configuration.ResourceMappings);
        Assert.Equal("/seed.json", seed.Target);
        Assert.Equal("""{"projects":[]}"""u8.ToArray(), await seed.GetAllBytesAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void What_holds_for_any_container_holds_for_this_one()
    {
        var configuration = Builder.WithName("shop-mixpanel").WithEnvironment("TZ", "UTC").WithStrictUnknown().Configuration;

        Assert.Equal(("shop-mixpanel", "UTC"), (configuration.Name, configuration.Environments["TZ"]));
        Assert.Equal(["--strict-unknown"], configuration.Command, StringComparer.Ordinal);
    }

    [Fact]
    public async Task It_is_built_without_being_started()
    {
        await using var container = Builder.WithDockerEndpoint("tcp://127.0.0.1:1").Build();

        Assert.Equal("mixpanel-emulator:latest", container.Image.FullName);
    }

    [Fact]
    public void Its_environment_is_what_the_connector_reads()
    {
        var environment = MixpanelEmulatorContainer.EnvironmentOf(new Uri("http://localhost:41234/"));

        Assert.Equal(("http://localhost:41234", "local", "1"),
            (environment["MIXPANEL_ENDPOINT"], environment["MIXPANEL_TOKEN"], environment["MIXPANEL_PROJECT_ID"]));
    }

    static MixpanelEmulatorBuilder Builder => new("mixpanel-emulator");
}
