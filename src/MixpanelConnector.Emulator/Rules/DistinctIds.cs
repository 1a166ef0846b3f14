namespace MixpanelConnector.Emulator.Rules;

/// <summary>Who an event belongs to when it carries no <c>distinct_id</c>.</summary>
static class DistinctIds
{
    /// <summary>The user, else the device marked as one; null for neither.</summary>
    public static string? Derive(in EventFields fields) =>
        fields.UserId.AsText() is { Length: > 0 } user ? user
        : fields.DeviceId.AsText() is { Length: > 0 } device ? "$device:" + device
        : null;
}
