using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace MixpanelConnector.Flags;

/// <summary>Starts fetching the definitions with the host, and waits briefly for them before the first request.</summary>
sealed class FlagsHost(IServiceProvider provider, string? name, TimeSpan limit) : IHostedService
{
    /// <summary>A test may have replaced the flags.</summary>
    public Task StartAsync(CancellationToken cancellationToken) =>
        provider.Mixpanel<IMixpanelFlags>(name) is MixpanelFlags flags && limit > TimeSpan.Zero
            ? flags.WaitUntilReadyAsync(limit, cancellationToken)
            : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
