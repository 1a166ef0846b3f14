using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using MixpanelConnector.Flags;

namespace MixpanelConnector;

/// <summary>Configures a project added by <c>AddMixpanel</c>.</summary>
public sealed class MixpanelBuilder
{
    internal MixpanelBuilder(IServiceCollection services, string? name, IHttpClientBuilder httpClient) =>
        (Services, Name, HttpClient) = (services, name, httpClient);

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The name of the project, which is the key of its services; null for the project without a name.</summary>
    public string? Name { get; }

    /// <summary>The HTTP client for requests to this project: add handlers to it.</summary>
    public IHttpClientBuilder HttpClient { get; }

    /// <summary>Stores records on the disk until Mixpanel has them. <c>MixpanelConnector.Sqlite</c> has <c>UseSqliteOutbox</c>.</summary>
    /// <param name="open">Opens the outbox, when the host starts; the tracker disposes it.</param>
    /// <returns>This builder, for chaining.</returns>
    public MixpanelBuilder UseOutbox(Func<IServiceProvider, ITrackerOutbox> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        Services.Configure<Tracking.TrackerServices>(Name ?? Microsoft.Extensions.Options.Options.DefaultName, services => services.OpenOutbox = open);
        return this;
    }

    /// <summary>
    /// Publishes tracked records to a queue instead of sending them; <c>mixpanel consume</c> receives them from there. MixpanelConnector.RabbitMq has
    /// <c>UseRabbitMq</c>, MixpanelConnector.Kafka <c>UseKafka</c>. With an outbox, records are kept on the disk while the broker is unavailable.
    /// </summary>
    /// <param name="open">Creates the queue, when the host starts; it connects when the first record is tracked. The application's services dispose it, after
    /// the tracker.</param>
    /// <returns>This builder, for chaining.</returns>
    public MixpanelBuilder UseQueue(Func<IServiceProvider, MixpanelQueue> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        if (Name is null) Services.AddSingleton(open);
        else Services.AddKeyedSingleton(Name, (provider, _) => open(provider));
        return this;
    }

    /// <summary>
    /// Adds feature flags: <see cref="MixpanelFlags"/> and <see cref="IMixpanelFlags"/> for the application, and a <see cref="FlagSnapshot"/> for each scope,
    /// such as a request. Exposures go through the tracker. The services are keyed if the project has a name.
    /// </summary>
    /// <param name="options">The options. Default: those of <see cref="FlagOptions"/>.</param>
    /// <returns>This builder, for chaining.</returns>
    public MixpanelBuilder AddFlags(FlagOptions? options = null)
    {
        var (name, flags) = (Name, (options ?? new()).Validated());
        Services.TryAddKeyedOrNot(name,
            provider => new MixpanelFlags(provider.Mixpanel<MixpanelClient>(name), provider.Mixpanel<IMixpanelTracker>(name), flags));
        Services.TryAddKeyedOrNot<IMixpanelFlags>(name, provider => provider.Mixpanel<MixpanelFlags>(name));
        if (name is null) Services.TryAddScoped(provider => provider.GetRequiredService<MixpanelFlags>().Snapshot());
        else Services.TryAddKeyedScoped(name, (provider, _) => provider.GetRequiredKeyedService<MixpanelFlags>(name).Snapshot());
        Services.AddSingleton<IHostedService>(provider => new FlagsHost(provider, name, flags.FetchesDefinitions ? flags.StartTimeout : TimeSpan.Zero));
        return this;
    }
}
