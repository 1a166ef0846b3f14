using Microsoft.Extensions.DependencyInjection;

namespace MixpanelConnector;

/// <summary>What <c>AddMixpanel</c> gives, to go on from.</summary>
public sealed class MixpanelBuilder
{
    internal MixpanelBuilder(IServiceCollection services, string? name, IHttpClientBuilder httpClient) => (Services, Name, HttpClient) = (services, name, httpClient);

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The name under which the project was added, the key of its services; null for the one without a name.</summary>
    public string? Name { get; }

    /// <summary>The HTTP client that requests to this project go through: add handlers to it.</summary>
    public IHttpClientBuilder HttpClient { get; }

    /// <summary>Keeps records on the disk until Mixpanel has them. <c>MixpanelConnector.Sqlite</c> has <c>UseSqliteOutbox</c>.</summary>
    /// <param name="open">Opens the outbox, when the host starts; the tracker disposes it.</param>
    public MixpanelBuilder UseOutbox(Func<IServiceProvider, ITrackerOutbox> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        Services.Configure<Tracking.TrackerServices>(Name ?? Microsoft.Extensions.Options.Options.DefaultName, services => services.OpenOutbox = open);
        return this;
    }
}
