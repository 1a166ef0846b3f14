using System.Text.Json.Nodes;

namespace MixpanelConnector.Tracking;

/// <summary>A profile of a user or a group that updates are sent to.</summary>
readonly struct UpdatedProfile(IMixpanelTracker tracker, TrackedKind kind, MixpanelUser user, string? groupKey, string? groupId, ProfileSettings? settings = null)
{
    public const string Reflection = "The properties are found by reflection. In trimmed and ahead-of-time compiled applications, also pass the type's JsonTypeInfo, or use a JsonObject.";

    public UpdatedProfile With(ProfileSettings settings) => new(tracker, kind, user, groupKey, groupId, settings ?? throw new ArgumentNullException(nameof(settings)));

    public bool Send(string operation, Payload payload) => tracker.Enqueue(new TrackedRecord(kind, operation, user, payload, groupKey, groupId, settings));

    public ValueTask SendAsync(string operation, Payload payload, CancellationToken cancellationToken) => tracker.EnqueueAsync(new TrackedRecord(kind, operation, user, payload, groupKey, groupId, settings), cancellationToken);

    public static Payload One(string name, object? value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Payload.Of(name, value);
    }

    public static Payload Names(string[] names) => Payload.Of(new JsonArray([.. names.Select(name => JsonValue.Create(name))]));
}
