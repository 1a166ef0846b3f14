namespace MixpanelConnector;

/// <summary>The user who did something. A string converts to it as the <c>distinct_id</c>, which works in every project.</summary>
/// <remarks>
/// Projects with simplified identity merge link a device with a user when an event carries both: use <see cref="Identified"/> and
/// <see cref="Anonymous"/>. Projects with original identity merge link ids by <c>Identify</c>, <c>CreateAlias</c> and <c>Merge</c>.
/// </remarks>
public readonly record struct MixpanelUser
{
    readonly string? _distinctId;

    MixpanelUser(string? distinctId, string? userId, string? deviceId) => (_distinctId, UserId, DeviceId) = (distinctId, userId, deviceId);

    /// <summary>No user: the event belongs to nobody.</summary>
    public static MixpanelUser None => default;

    /// <summary>The user of the current <see cref="MixpanelScope"/>, such as of the request; <see cref="None"/> outside of every scope.</summary>
    public static MixpanelUser Current => MixpanelScope.Current?.User ?? None;

    /// <summary>The id by which Mixpanel identifies the user; empty for nobody.</summary>
    public string DistinctId => _distinctId ?? "";

    /// <summary>The id of a signed-in user, sent as <c>$user_id</c>; null when only a <see cref="DistinctId"/> was given.</summary>
    public string? UserId { get; }

    /// <summary>The id of the device or the browser, sent as <c>$device_id</c>; null when it is not known.</summary>
    public string? DeviceId { get; }

    /// <summary>Returns a signed-in user. In projects with simplified identity merge, the first event with both ids links the device to the user.</summary>
    /// <param name="userId">The user's id.</param>
    /// <param name="deviceId">The device's id. Default: not known.</param>
    /// <exception cref="ArgumentException">The user's id is empty.</exception>
    public static MixpanelUser Identified(string userId, string? deviceId = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        return new(userId, userId, deviceId);
    }

    /// <summary>Returns a user of whom only the device is known.</summary>
    /// <param name="deviceId">The device's id.</param>
    /// <exception cref="ArgumentException">The device's id is empty.</exception>
    public static MixpanelUser Anonymous(string deviceId)
    {
        ArgumentException.ThrowIfNullOrEmpty(deviceId);
        return new($"$device:{deviceId}", null, deviceId);
    }

    /// <summary>Returns a user by <c>distinct_id</c>; <see cref="None"/> when it is null.</summary>
    /// <param name="distinctId">The id.</param>
    public static MixpanelUser FromDistinctId(string? distinctId) => new(distinctId, null, null);

    /// <summary>Returns the user as whom Mixpanel stores an event with these ids: the user's id comes before the device's, and both before any other.</summary>
    internal static MixpanelUser Of(string distinctId, string? userId, string? deviceId) =>
        new(userId is { Length: > 0 } ? userId : deviceId is { Length: > 0 } && distinctId.Length == 0 ? $"$device:{deviceId}" : distinctId, userId, deviceId);

    /// <summary>Converts a <c>distinct_id</c> to a user; null to <see cref="None"/>.</summary>
    /// <param name="distinctId">The id.</param>
    public static implicit operator MixpanelUser(string? distinctId) => FromDistinctId(distinctId);
}
