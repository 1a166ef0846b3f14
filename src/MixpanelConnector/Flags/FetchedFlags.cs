using MixpanelConnector.Flags;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>Fetches the definitions of the feature flags once, for a program that ends soon; one that stays has <see cref="MixpanelFlags"/>. No exposure is reported.</summary>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">Mixpanel did not give them.</exception>
    public async Task<FlagSnapshot> FetchFlagsAsync(CancellationToken cancellationToken = default)
    {
        var reply = await FlagRequests.DefinitionsAsync(Transport, cancellationToken).ConfigureAwait(false);
        if (reply is not { Failure: null, Status: 200 }) throw new MixpanelException(ReplyClassifier.ErrorOf(reply, Options));
        return FlagSnapshot.Read(reply.Body.Span, exposures: null) ?? throw new MixpanelException(FlagRequests.NoDefinitions(reply));
    }
}
