using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.State;

/// <summary>A state that counts its dead letters, and does not keep them.</summary>
interface ICountsReasons
{
    /// <summary>The dead letters there were, kept or not.</summary>
    ReasonCounts Reasons { get; }
}
