using System.ComponentModel.DataAnnotations;

namespace MixpanelConnector;

/// <summary>What every action within a workspace can be told.</summary>
public abstract record WorkspaceInput
{
    private protected WorkspaceInput() { }

    /// <summary>The workspace. Default: the configured one, else the only one the credential can see.</summary>
    [Range(1, long.MaxValue)]
    public long? WorkspaceId { get; init; }
}
