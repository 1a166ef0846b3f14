using System.Reflection;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>The embedded Mixpanel in Aspire applications.</summary>
public static class MixpanelEmulatorBuilderExtensions
{
    const string Package = "MixpanelConnector.Tool";

    /// <summary>
    /// Adds the embedded Mixpanel, with its console as its address on the dashboard. It is the tool of the package
    /// MixpanelConnector.Tool in this version, which <c>dotnet tool exec</c> gets and runs; it keeps its data in memory.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The resource's name. Default: <c>mixpanel</c>.</param>
    /// <param name="port">Its port on this machine. Default: any free one.</param>
    public static IResourceBuilder<MixpanelEmulatorResource> AddMixpanelEmulator(this IDistributedApplicationBuilder builder, [ResourceName] string name = "mixpanel", int? port = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var emulator = new MixpanelEmulatorResource(name, "dotnet", builder.AppHostDirectory);
        return builder.AddResource(emulator)
            .WithHttpEndpoint(port, name: MixpanelEmulatorResource.EndpointName)
            .WithArgs(context =>
            {
                foreach (var argument in (string[])["tool", "exec", $"{Package}@{Version}", "--yes", "--", "emulator", "--data"])
                    context.Args.Add(argument);
                context.Args.Add(emulator.Annotations.OfType<DataFolder>().LastOrDefault()?.Path ?? ":memory:");
                context.Args.Add("--port");
                context.Args.Add(emulator.PrimaryEndpoint.Property(EndpointProperty.TargetPort));
                foreach (var seed in emulator.Annotations.OfType<Seed>())
                {
                    context.Args.Add("--seed");
                    context.Args.Add(seed.File);
                }
            })
            .WithHttpHealthCheck("/healthz", endpointName: MixpanelEmulatorResource.EndpointName)
            .WithUrlForEndpoint(MixpanelEmulatorResource.EndpointName, url => url.DisplayText = "Console");
    }

    /// <summary>Keeps the data in a folder from one start to the next.</summary>
    /// <param name="builder">The embedded Mixpanel.</param>
    /// <param name="folder">The folder; a relative one is the application's.</param>
    public static IResourceBuilder<MixpanelEmulatorResource> WithDataFolder(this IResourceBuilder<MixpanelEmulatorResource> builder, string folder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new DataFolder(Path.GetFullPath(folder, builder.ApplicationBuilder.AppHostDirectory)), ResourceAnnotationMutationBehavior.Replace);
    }

    /// <summary>Begins with what a file describes: see docs/emulator.md.</summary>
    /// <param name="builder">The embedded Mixpanel.</param>
    /// <param name="file">The file; a relative one is the application's.</param>
    public static IResourceBuilder<MixpanelEmulatorResource> WithSeed(this IResourceBuilder<MixpanelEmulatorResource> builder, string file)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new Seed(Path.GetFullPath(file, builder.ApplicationBuilder.AppHostDirectory)), ResourceAnnotationMutationBehavior.Replace);
    }

    /// <summary>Gives a program the environment variables by which the tool <c>mixpanel</c>, and programs that read them, come to the embedded Mixpanel, <c>MIXPANEL_ENDPOINT</c> and <c>MIXPANEL_TOKEN</c> among them, whatever the resource is called. A .NET program with <c>AddMixpanel("mixpanel")</c> needs <c>WithReference</c> instead.</summary>
    /// <param name="builder">The program.</param>
    /// <param name="emulator">The embedded Mixpanel.</param>
    public static IResourceBuilder<T> WithMixpanelEmulator<T>(this IResourceBuilder<T> builder, IResourceBuilder<MixpanelEmulatorResource> emulator)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(emulator);
        foreach (var setting in emulator.Resource.Settings) builder.WithEnvironment($"MIXPANEL_{setting.Variable}", setting.Value);
        return builder;
    }

    /// <summary>Packages of one version belong together.</summary>
    static string Version => typeof(MixpanelEmulatorBuilderExtensions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    sealed record DataFolder(string Path) : IResourceAnnotation;

    sealed record Seed(string File) : IResourceAnnotation;
}
