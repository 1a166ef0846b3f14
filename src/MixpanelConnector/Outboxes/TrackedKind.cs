namespace MixpanelConnector;

/// <summary>What is tracked.</summary>
public enum TrackedKind
{
    /// <summary>Something that happened.</summary>
    Event,

    /// <summary>An update of a user's profile.</summary>
    Profile,

    /// <summary>An update of a group's profile.</summary>
    Group,
}
