using MixpanelConnector.Export;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>Exports events, profiles or the list of lookup tables into files of a folder, with a manifest that tells which of them are whole. The same call again resumes, and fetches what is missing.</summary>
    /// <param name="request">What to export, how, and where to.</param>
    /// <param name="cancellationToken">Stops the export: what is there stays, and the same call resumes.</param>
    /// <returns>The account. A failure that comes up once the export runs is in it; nothing is thrown for it.</returns>
    /// <exception cref="MixpanelException">An option or a setting does not fit, the folder holds another export, or Mixpanel refuses the condition.</exception>
    public Task<ExportReport> ExportAsync(ExportRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new ExportPipeline(request.Validated(Options.TimeProvider), Transport).RunAsync(cancellationToken);
    }
}
