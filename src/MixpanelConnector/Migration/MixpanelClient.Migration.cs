using MixpanelConnector.Migration;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>
    /// Migrates this client's project to another project: schemas, events day by day, profiles, groups, annotations, and lookup tables whose rows are in files.
    /// Each record is accounted for: accepted, left out for a reason, in the dead-letter file, or pending until the same call is made again.
    /// </summary>
    /// <param name="target">The client of the other project.</param>
    /// <param name="request">Specifies what to migrate, and how.</param>
    /// <param name="cancellationToken">Stops the migration gracefully: the same call resumes.</param>
    /// <returns>The report. It also contains failures that occur after the start; they are not thrown.</returns>
    /// <exception cref="MixpanelException">An option or a setting is invalid, or the state folder contains another migration. Nothing was sent.</exception>
    public Task<MigrationReport> MigrateAsync(MixpanelClient target, MigrationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(request);
        return new MigrationPipeline(request.Validated(Options, target.Options), this, target).RunAsync(cancellationToken);
    }
}
