namespace MixpanelConnector;

/// <summary>The kind of a tracked record.</summary>
public enum TrackedKind
{
    /// <summary>An event.</summary>
    Event,

    /// <summary>A user profile update.</summary>
    Profile,

    /// <summary>A group profile update.</summary>
    Group,
}
