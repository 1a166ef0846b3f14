namespace MixpanelConnector.Transport;

/// <summary>The calls of which Mixpanel counts the number in an hour, each kind for itself.</summary>
enum CallKind
{
    Query,
    Export,
}
