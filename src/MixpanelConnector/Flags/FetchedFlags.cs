using MixpanelConnector.Flags;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>
    /// Fetches the feature flag definitions once, for a short-lived program; a long-running one uses <see cref="MixpanelFlags"/>. No exposure is reported.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>A snapshot of the definitions.</returns>
    /// <exception cref="MixpanelException">Mixpanel did not return them.</exception>
    public async Task<FlagSnapshot> FetchFlagsAsync(CancellationToken cancellationToken = default)
    {
        var reply = await FlagRequests.DefinitionsAsync(Transport, cancellationToken).ConfigureAwait(false);
        if (reply is not { Failure: null, Status: 200 }) throw new MixpanelException(ReplyClassifier.ErrorOf(reply, Options));
        return FlagSnapshot.Read(reply.Body.Span, exposures: null) ?? throw new MixpanelException(FlagRequests.NoDefinitions(reply));
    }
}
