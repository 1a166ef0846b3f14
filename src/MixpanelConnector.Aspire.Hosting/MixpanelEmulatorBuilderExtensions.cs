using System.Reflection;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds the embedded Mixpanel to Aspire applications.</summary>
public static class MixpanelEmulatorBuilderExtensions
{
    const string Package = "MixpanelConnector.Tool";

    /// <summary>
    /// Adds the embedded Mixpanel; its address on the dashboard opens its console. It runs the tool of the package MixpanelConnector.Tool in the same version
    /// as this package, which <c>dotnet tool exec</c> downloads and starts. It keeps its data in memory.
    /// </summary>
    /// <param name="builder">The application builder.</param>
    /// <param name="name">The resource's name. Default: <c>mixpanel</c>.</param>
    /// <param name="port">Its port on this machine. Default: any free port.</param>
    /// <returns>A builder for the resource.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static IResourceBuilder<MixpanelEmulatorResource> AddMixpanelEmulator(this IDistributedApplicationBuilder builder,
        [ResourceName] string name = "mixpanel", int? port = null)
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

    /// <summary>Keeps the data in a folder across restarts.</summary>
    /// <param name="builder">The embedded Mixpanel.</param>
    /// <param name="folder">The folder. A relative path is resolved against the folder of the app host.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MixpanelEmulatorResource> WithDataFolder(this IResourceBuilder<MixpanelEmulatorResource> builder, string folder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new DataFolder(Path.GetFullPath(folder, builder.ApplicationBuilder.AppHostDirectory)),
            ResourceAnnotationMutationBehavior.Replace);
    }

    /// <summary>Starts with the data that a seed file describes: see docs/emulator.md.</summary>
    /// <param name="builder">The embedded Mixpanel.</param>
    /// <param name="file">The file. A relative path is resolved against the folder of the app host.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MixpanelEmulatorResource> WithSeed(this IResourceBuilder<MixpanelEmulatorResource> builder, string file)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new Seed(Path.GetFullPath(file, builder.ApplicationBuilder.AppHostDirectory)),
            ResourceAnnotationMutationBehavior.Replace);
    }

    /// <summary>
    /// Sets the environment variables by which the tool <c>mixpanel</c>, and programs that read them, connect to the embedded Mixpanel, including
    /// <c>MIXPANEL_ENDPOINT</c> and <c>MIXPANEL_TOKEN</c>. Their names do not depend on the name of the resource. A .NET program with
    /// <c>AddMixpanel("mixpanel")</c> needs <c>WithReference</c> instead.
    /// </summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="builder">The resource that gets the environment variables.</param>
    /// <param name="emulator">The embedded Mixpanel.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithMixpanelEmulator<T>(this IResourceBuilder<T> builder, IResourceBuilder<MixpanelEmulatorResource> emulator)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(emulator);
        foreach (var setting in emulator.Resource.Settings) builder.WithEnvironment($"MIXPANEL_{setting.Variable}", setting.Value);
        return builder;
    }

    /// <summary>All packages are released in the same version.</summary>
    static string Version =>
        typeof(MixpanelEmulatorBuilderExtensions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    sealed record DataFolder(string Path) : IResourceAnnotation;

    sealed record Seed(string File) : IResourceAnnotation;
}
