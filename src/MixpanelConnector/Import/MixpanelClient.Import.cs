using MixpanelConnector.Import;
using MixpanelConnector.Import.Lookup;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>Imports files of events or profiles, or a lookup table, so that every record is accounted for: accepted, in the dead-letter file, or pending until the same call is made again.</summary>
    /// <param name="request">What to import, and how.</param>
    /// <param name="state">Where progress is kept, so that the import can be resumed. Default: in memory. Not used in a dry run.</param>
    /// <param name="cancellationToken">Stops the import in order: within ten seconds, with a last checkpoint and a report.</param>
    /// <returns>The account. A failure that comes up once the import runs is in it; nothing is thrown for it.</returns>
    /// <exception cref="MixpanelException">An input, an option or a setting does not fit, or has changed since the checkpoint. Nothing was sent.</exception>
    public async Task<ImportReport> ImportAsync(ImportRequest request, IImportState? state = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request.Validated();
        using var memory = state is null || request.DryRun ? new InMemoryImportState() : null;
        if (request.Type is ImportType.LookupTable) return await new LookupTableImport(request, memory ?? state!, Transport).RunAsync(cancellationToken).ConfigureAwait(false);
        return await new ImportPipeline(request, memory ?? state!, Transport).RunAsync(cancellationToken).ConfigureAwait(false);
    }
}
