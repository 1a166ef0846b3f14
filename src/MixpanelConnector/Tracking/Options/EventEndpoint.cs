namespace MixpanelConnector;

/// <summary>The Mixpanel endpoint that events are sent to.</summary>
public enum EventEndpoint
{
    /// <summary><c>/import</c>: accepts events of any age, reports each event that it refuses, and marks events as imported.</summary>
    Import,

    /// <summary>
    /// <c>/track</c>, as browsers and the official SDKs use it: accepts events of the last five days, and does not report events that it drops. It needs the
    /// project token.
    /// </summary>
    Track,
}
