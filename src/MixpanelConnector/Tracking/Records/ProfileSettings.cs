namespace MixpanelConnector;

/// <summary>Settings of a profile update in addition to the property values.</summary>
public sealed record ProfileSettings
{
    /// <summary>
    /// The person's IP address, from which Mixpanel derives city and country; it does not store the address. Default: none, and nothing is derived from the
    /// address of this machine.
    /// </summary>
    public string? Ip { get; init; }

    /// <summary>When the person was last seen. Default: when Mixpanel receives the update.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>
    /// Whether the update leaves the time when the person was last seen unchanged; for updates that the person did not cause. Default: false.
    /// </summary>
    public bool IgnoreTime { get; init; }

    /// <summary>
    /// Whether the id is used literally, and not resolved as an alias of another user: needed to delete the profile of a duplicate. Default: false.
    /// </summary>
    public bool IgnoreAlias { get; init; }
}
