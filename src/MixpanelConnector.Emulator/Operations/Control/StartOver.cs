using MixpanelConnector.Emulator.Faults;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary>Takes away what there is, in the store and beside it, so that no test meets what another left.</summary>
sealed class StartOver(Snapshots snapshots, Quota quota, Feed feed, Journal journal, FaultPlan faults, AdjustableClock clock, EmulatorOptions options)
{
    /// <summary>Brings in what the store is to begin with; set once this server can be asked.</summary>
    public Func<CancellationToken, Task> SeedAsync { get; set; } = _ => Task.CompletedTask;

    /// <summary>Told that other data has come in place of what there was.</summary>
    public Action Replaced { get; set; } = () => { };

    /// <summary>Everything is as at the first start: data, accounts, clock, quotas, journal; then seed, and faults. Snapshots stay.</summary>
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

    /// <summary>Empties a project.</summary>
    public async Task ClearAsync(int projectId, CancellationToken cancellationToken)
    {
        await snapshots.ClearProjectAsync(projectId, cancellationToken).ConfigureAwait(false);
        Forget(projectId);
        journal.Forget(projectId);
    }

    /// <summary>Takes a project away.</summary>
    public async Task DeleteAsync(int projectId, CancellationToken cancellationToken)
    {
        await snapshots.DeleteProjectAsync(projectId, cancellationToken).ConfigureAwait(false);
        Forget(projectId);
        journal.Forget(projectId);
    }

    /// <summary>Forgets what is not in the store, but belongs to what was: of all projects, or of one.</summary>
    public void Forget(int? projectId = null)
    {
        quota.Forget(projectId);
        feed.Forget(projectId);
        if (projectId is null)
            Replaced();
    }
}
