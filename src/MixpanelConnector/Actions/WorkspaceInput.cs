using System.ComponentModel.DataAnnotations;

namespace MixpanelConnector;

/// <summary>The common input of actions in a workspace.</summary>
public abstract record WorkspaceInput
{
    private protected WorkspaceInput() { }

    /// <summary>The workspace. Default: the configured one, else the only one the credential can see.</summary>
    [Range(1, long.MaxValue)]
    public long? WorkspaceId { get; init; }
}
