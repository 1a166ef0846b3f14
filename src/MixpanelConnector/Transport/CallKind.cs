namespace MixpanelConnector.Transport;

/// <summary>The calls that Mixpanel limits per hour, each kind separately.</summary>
enum CallKind
{
    Query,
    Export,
}
