using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace MixpanelConnector.Hosting.Tests;

/// <summary>The content of the application model. It is built but never run.</summary>
public sealed class AspireTests
{
    [Fact]
    public async Task The_tool_of_this_version_runs_in_memory_on_the_port_that_it_is_given()
    {
        var builder = NewBuilder();
        var emulator = builder.AddMixpanelEmulator(port: 8123);
        emulator.WithEndpoint("http",
            endpoint => endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", 8123, targetPortExpression: "41234"));

        Assert.Equal(("mixpanel", "dotnet", builder.AppHostDirectory), (emulator.Resource.Name, emulator.Resource.Command, emulator.Resource.WorkingDirectory));
        var arguments = await ArgumentsAsync(emulator.Resource);
        Assert.Equal(["tool", "exec", "MixpanelConnector.Tool@0.1.0", "--yes", "--", "emulator", "--data", ":memory:", "--port", "41234"], arguments);
        var endpoint = Assert.Single(emulator.Resource.Annotations.OfType<EndpointAnnotation>());
        Assert.Equal(("http", 8123), (endpoint.UriScheme, endpoint.Port));
        Assert.Single(emulator.Resource.Annotations.OfType<HealthCheckAnnotation>());
        Assert.Equal("http://localhost:8123", await emulator.Resource.UriExpression.GetValueAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Its_folder_and_its_seed_are_those_of_the_application()
    {
        var builder = NewBuilder();
        var emulator = builder.AddMixpanelEmulator("events").WithDataFolder("one").WithDataFolder("data").WithSeed("seed.json");
        emulator.WithEndpoint("http",
            endpoint => endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", 8123, targetPortExpression: "41234"));

        var arguments = await ArgumentsAsync(emulator.Resource);

        Assert.Equal(
            ["--data", Path.Combine(builder.AppHostDirectory, "data"), "--port", "41234", "--seed", Path.Combine(builder.AppHostDirectory, "seed.json")],
            arguments[6..]);
    }

    [Fact]
    public async Task The_console_is_its_address_on_the_dashboard()
    {
        var emulator = NewBuilder().AddMixpanelEmulator();
        var url = new ResourceUrlAnnotation { Url = "http://localhost:8123", Endpoint = emulator.GetEndpoint("http") };
        var context = new ResourceUrlsCallbackContext(new DistributedApplicationExecutionContext(DistributedApplicationOperation.Run), emulator.Resource, [url],
            TestContext.Current.CancellationToken);

        foreach (var annotation in emulator.Resource.Annotations.OfType<ResourceUrlsCallbackAnnotation>())
            await annotation.Callback(context);

        Assert.Equal("Console", url.DisplayText);
    }

    [Fact]
    public async Task A_program_is_given_the_variables_by_which_the_connector_comes_to_it()
    {
        var builder = NewBuilder();
        var emulator = builder.AddMixpanelEmulator();
        emulator.WithEndpoint("http", endpoint => endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", 8123));
        var program = builder.AddExecutable("shop", "shop", ".").WithMixpanelEmulator(emulator);

        var variables = await VariablesAsync(builder, program.Resource);

        Assert.Equal(("http://localhost:8123", "local", "1"), (variables["MIXPANEL_ENDPOINT"], variables["MIXPANEL_TOKEN"], variables["MIXPANEL_PROJECT_ID"]));
        Assert.Equal(7, variables.Count);
    }

    [Fact]
    public async Task A_reference_gives_the_settings_as_a_connection_string_and_as_variables()
    {
        var builder = NewBuilder();
        var emulator = builder.AddMixpanelEmulator();
        emulator.WithEndpoint("http", endpoint => endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", 8123));
        var program = builder.AddExecutable("shop", "shop", ".").WithReference(emulator);

        var variables = await VariablesAsync(builder, program.Resource);

        Assert.Equal("Endpoint=http://localhost:8123;Token=local;ServiceAccountUsername=local;ServiceAccountSecret=local;ProjectId=1;OrganizationId=1",
            variables["ConnectionStrings__mixpanel"]);
        Assert.Equal(("http://localhost:8123", "local", "local"),
            (variables["MIXPANEL_ENDPOINT"], variables["MIXPANEL_TOKEN"], variables["MIXPANEL_SERVICE_ACCOUNT_SECRET"]));
    }

    [Theory]
    [InlineData(DistributedApplicationOperation.Run)]
    [InlineData(DistributedApplicationOperation.Publish)]
    public void Where_the_application_is_published_the_connection_string_is_given_there(DistributedApplicationOperation operation)
    {
        var builder = NewBuilder(operation == DistributedApplicationOperation.Publish ? ["--publisher", "manifest", "--operation", "publish"] : []);
        var mixpanel = builder.ExecutionContext.IsPublishMode ? builder.AddConnectionString("mixpanel") : builder.AddMixpanelEmulator();
        builder.AddExecutable("shop", "shop", ".").WithReference(mixpanel).WaitFor(mixpanel);

        Assert.Equal(("mixpanel", operation == DistributedApplicationOperation.Run), (mixpanel.Resource.Name, mixpanel.Resource is MixpanelEmulatorResource));
    }

    [Fact]
    public async Task The_model_is_whole()
    {
        var builder = NewBuilder();
        builder.AddMixpanelEmulator();

        await using var application = builder.Build();

        Assert.Single(application.Services.GetRequiredService<DistributedApplicationModel>().Resources.OfType<MixpanelEmulatorResource>());
    }

    /// <summary>The connection string of the embedded Mixpanel at an address.</summary>
    internal static async Task<string> ConnectionStringAsync(Uri address)
    {
        var emulator = NewBuilder().AddMixpanelEmulator();
        emulator.WithEndpoint("http", endpoint => endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, address.Host, address.Port));
        return (await emulator.Resource.ConnectionStringExpression.GetValueAsync(TestContext.Current.CancellationToken))!;
    }

    static IDistributedApplicationBuilder NewBuilder(params string[] args) =>
        DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args = args,
            DisableDashboard = true,
            AssemblyName = typeof(AspireTests).Assembly.GetName().Name,
        });

    static async Task<Dictionary<string, string?>> VariablesAsync(IDistributedApplicationBuilder builder, ExecutableResource resource)
    {
        var context = new EnvironmentCallbackContext(builder.ExecutionContext, resource, cancellationToken: TestContext.Current.CancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await annotation.Callback(context);
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (name, value) in context.EnvironmentVariables)
            variables[name] = value is IValueProvider provider ? await provider.GetValueAsync(TestContext.Current.CancellationToken) : value.ToString();
        return variables;
    }

    static async Task<List<string?>> ArgumentsAsync(MixpanelEmulatorResource resource)
    {
        var context = new CommandLineArgsCallbackContext([], TestContext.Current.CancellationToken);
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
            await annotation.Callback(context);
        var texts = new List<string?>();
        foreach (var argument in context.Args)
            texts.Add(argument is IValueProvider value ? await value.GetValueAsync(TestContext.Current.CancellationToken) : argument.ToString());
        return texts;
    }
}
