namespace MixpanelConnector.Emulator.Rules;

/// <summary>Determines the user of an event without a <c>distinct_id</c>.</summary>
static class DistinctIds
{
    /// <summary>The user, otherwise the device with the prefix of devices; null if there is neither.</summary>
    public static string? Derive(in EventFields fields) =>
        fields.UserId.AsText() is { Length: > 0 } user ? user
        : fields.DeviceId.AsText() is { Length: > 0 } device ? "$device:" + device
        : null;
}
