namespace MixpanelConnector;

/// <summary>What updates of a profile say beside the values of its properties.</summary>
public sealed record ProfileSettings
{
    /// <summary>The person's address, of which Mixpanel makes city and country; it does not keep it. Default: none, and nothing is made of the address of this machine.</summary>
    public string? Ip { get; init; }

    /// <summary>When the person was last seen. Default: when Mixpanel takes the update.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>Whether the update leaves alone when the person was last seen, as one that nobody caused should. Default: false.</summary>
    public bool IgnoreTime { get; init; }

    /// <summary>Whether the id is meant as it is, and not as a further id of somebody else: needed to delete the profile of a duplicate. Default: false.</summary>
    public bool IgnoreAlias { get; init; }
}
