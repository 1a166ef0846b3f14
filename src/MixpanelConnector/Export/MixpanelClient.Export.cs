using MixpanelConnector.Export;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>
    /// Exports events, profiles or the list of lookup tables into the files of a folder, with a manifest that lists the complete files. The same call resumes
    /// an interrupted export, and fetches what is missing.
    /// </summary>
    /// <param name="request">Specifies what to export, how, and where to.</param>
    /// <param name="cancellationToken">Stops the export: the finished files stay, and the same call resumes.</param>
    /// <returns>The report. It also contains failures that occur after the start; they are not thrown.</returns>
    /// <exception cref="MixpanelException">An option or a setting is invalid, the folder contains another export, or Mixpanel refuses
    /// the query.</exception>
    public Task<ExportReport> ExportAsync(ExportRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new ExportPipeline(request.Validated(Options.TimeProvider), Transport).RunAsync(cancellationToken);
    }
}
