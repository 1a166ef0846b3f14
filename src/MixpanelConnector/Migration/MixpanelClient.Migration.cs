using MixpanelConnector.Migration;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>Takes what this client's project holds to another project: schemas, events day by day, profiles, groups, annotations, and lookup tables of which files hold the rows. Each record is accounted for: accepted, left out for a reason, in the dead-letter file, or pending until the same call is made again.</summary>
    /// <param name="target">The client of the other project.</param>
    /// <param name="request">What to take, and how.</param>
    /// <param name="cancellationToken">Stops the migration in order: the same call resumes.</param>
    /// <returns>The account. A failure that comes up once the migration runs is in it; nothing is thrown for it.</returns>
    /// <exception cref="MixpanelException">An option or a setting does not fit, or the folder of the state keeps another migration. Nothing was sent.</exception>
    public Task<MigrationReport> MigrateAsync(MixpanelClient target, MigrationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(request);
        return new MigrationPipeline(request.Validated(Options, target.Options), this, target).RunAsync(cancellationToken);
    }
}
