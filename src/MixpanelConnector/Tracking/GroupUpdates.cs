using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector;

/// <summary>Updates of one group's profile, applied in the order of the calls.</summary>
/// <inheritdoc/>
public sealed class GroupUpdates : PropertyUpdates
{
    readonly string _groupKey;
    readonly string _groupId;

    internal GroupUpdates(IMixpanelTracker tracker, string groupKey, string groupId)
        : base(tracker) => (_groupKey, _groupId) = (groupKey, groupId);

    private protected override TrackedRecord Record(string operation, Payload payload) =>
        new(TrackedKind.Group, operation, MixpanelUser.None, payload, _groupKey, _groupId);
}
