using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MixpanelConnector.Tracking;

/// <summary>The services of the application that a tracker uses.</summary>
sealed class TrackerServices
{
    public Func<IServiceProvider, ITrackerOutbox>? OpenOutbox { get; set; }
}

/// <summary>Starts a tracker with the host, and sends the remaining records when everything else has stopped.</summary>
sealed class MixpanelHost(IServiceProvider provider, string? name) : IHostedLifecycleService
{
    IMixpanelTracker? _tracker;

    /// <summary>Creates the tracker now, so that errors surface at the start and not with the first event. A test may have replaced the tracker.</summary>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _tracker = provider.Mixpanel<IMixpanelTracker>(name);
        return Task.CompletedTask;
    }

    public Task StoppedAsync(CancellationToken cancellationToken) =>
        _tracker is MixpanelTracker tracker ? tracker.StopAsync(cancellationToken) : Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Validates the settings as a whole, when the host starts.</summary>
sealed class MixpanelSettingsValidation(string optionsName) : IValidateOptions<MixpanelSettings>
{
    public ValidateOptionsResult Validate(string? name, MixpanelSettings options)
    {
        if (name != optionsName) return ValidateOptionsResult.Skip;
        try
        {
            var checkedOptions = options.ToOptions().Validated();
            options.ToTrackerOptions().Validated();
            return checkedOptions is { Token: null, ServiceAccount: null } && options.Enabled
                ? ValidateOptionsResult.Fail("Mixpanel has no credentials: configure its Token, or ServiceAccountUsername, ServiceAccountSecret and ProjectId.")
                : ValidateOptionsResult.Success;
        }
        catch (MixpanelException e)
        {
            return ValidateOptionsResult.Fail($"Mixpanel: {e.Message}");
        }
    }
}

/// <summary>Reports the health of a tracker.</summary>
sealed class MixpanelHealthCheck(IMixpanelTracker tracker) : IHealthCheck
{
    static readonly TimeSpan LongWait = TimeSpan.FromMinutes(5);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (tracker is not MixpanelTracker real) return Task.FromResult(HealthCheckResult.Healthy());
        var (pending, oldest, outage) = (real.Pending, real.OldestAge, real.Outage);
        var data = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["pending"] = pending,
            ["oldest_age_seconds"] = oldest.TotalSeconds,
            ["outage_seconds"] = outage.TotalSeconds,
        };
        return Task.FromResult(real.Fault is { } fault ? new HealthCheckResult(context.Registration.FailureStatus, fault.Message, data: data)
            : outage > TimeSpan.Zero
                && real.LastError is { } error ? HealthCheckResult.Degraded(
                    $"Mixpanel has accepted no records for {outage.TotalSeconds:0} seconds; {pending} are waiting. {error.Shown}", data: data)
            : oldest > LongWait ? HealthCheckResult.Degraded(
                $"{Counted.Of(pending, "record waits", "records wait")} for Mixpanel, the oldest for {oldest.TotalMinutes:0} minutes.", data: data)
            : HealthCheckResult.Healthy(data: data));
    }
}
