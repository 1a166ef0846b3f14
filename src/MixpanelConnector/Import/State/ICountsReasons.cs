using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.State;

/// <summary>A state that counts its dead letters without necessarily storing them.</summary>
interface ICountsReasons
{
    /// <summary>The dead letters by reason, whether stored or not.</summary>
    ReasonCounts Reasons { get; }
}
