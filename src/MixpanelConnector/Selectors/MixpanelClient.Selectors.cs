using System.Runtime.CompilerServices;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>Retrieves the first page of the user profiles that match a condition.</summary>
    /// <param name="where">The condition.</param>
    /// <param name="cancellationToken">Stops the call.</param>
    /// <exception cref="MixpanelException">The condition is refused, or Mixpanel cannot do it.</exception>
    [OverloadResolutionPriority(-1)] // new() { Where = … } means the input
    public ValueTask<QueryUserProfiles.Output> QueryUserProfilesAsync(Selector where, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(where);
        return QueryUserProfilesAsync(new QueryUserProfiles.Input { Where = where }, cancellationToken);
    }

    /// <summary>Retrieves all user profiles that match a condition, page after page as they are read.</summary>
    /// <param name="where">The condition.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="MixpanelException">The condition is refused, or Mixpanel cannot do it.</exception>
    [OverloadResolutionPriority(-1)] // new() { Where = … } means the input
    public IAsyncEnumerable<UserProfile> QueryAllUserProfilesAsync(Selector where, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(where);
        return QueryAllUserProfilesAsync(new QueryUserProfiles.Input { Where = where }, cancellationToken);
    }
}
