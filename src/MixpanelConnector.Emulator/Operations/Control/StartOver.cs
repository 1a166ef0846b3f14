using MixpanelConnector.Emulator.Faults;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary>Removes existing data, in the store and in memory, so that tests do not affect each other.</summary>
sealed class StartOver(Snapshots snapshots, Quota quota, Feed feed, Journal journal, FaultPlan faults, AdjustableClock clock, EmulatorOptions options)
{
    /// <summary>Loads the initial data of the store; set once this server accepts requests.</summary>
    public Func<CancellationToken, Task> SeedAsync { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called when the data was replaced.</summary>
    public Action Replaced { get; set; } = () => { };

    /// <summary>Restores the state of the first start: data, accounts, clock, quotas, journal; then the seed, and the faults. Snapshots are kept.</summary>
    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        faults.Replace(new EmulatorFaults());
        clock.Release();
        await snapshots.ResetAsync(cancellationToken).ConfigureAwait(false);
        await SeedAsync(cancellationToken).ConfigureAwait(false);
        Forget();
        journal.Forget();
        faults.Replace(options.Faults ?? new EmulatorFaults());
    }

    /// <summary>Deletes all data of a project.</summary>
    public async Task ClearAsync(int projectId, CancellationToken cancellationToken)
    {
        await snapshots.ClearProjectAsync(projectId, cancellationToken).ConfigureAwait(false);
        Forget(projectId);
        journal.Forget(projectId);
    }

    /// <summary>Deletes a project.</summary>
    public async Task DeleteAsync(int projectId, CancellationToken cancellationToken)
    {
        await snapshots.DeleteProjectAsync(projectId, cancellationToken).ConfigureAwait(false);
        Forget(projectId);
        journal.Forget(projectId);
    }

    /// <summary>Discards in-memory state that belongs to the stored data, of all projects or of one.</summary>
    public void Forget(int? projectId = null)
    {
        quota.Forget(projectId);
        feed.Forget(projectId);
        if (projectId is null) Replaced();
    }
}
