using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MixpanelConnector.Flags;

/// <summary>Begins to fetch the definitions with the host, and gives them a moment to come before the first request does.</summary>
sealed class FlagsHost(IServiceProvider provider, string? name, TimeSpan limit) : IHostedService
{
    /// <summary>A test may have put others in their place.</summary>
    public Task StartAsync(CancellationToken cancellationToken) =>
        provider.Mixpanel<IMixpanelFlags>(name) is MixpanelFlags flags && limit > TimeSpan.Zero ? flags.WaitUntilReadyAsync(limit, cancellationToken) : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
