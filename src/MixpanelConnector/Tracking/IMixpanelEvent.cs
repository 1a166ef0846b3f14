namespace MixpanelConnector;

/// <summary>An event that says by itself what its name and its properties are. For a partial type with <see cref="MixpanelEventAttribute"/> it is generated.</summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
public interface IMixpanelEvent<TSelf>
    where TSelf : IMixpanelEvent<TSelf>
{
    /// <summary>The event's name in Mixpanel.</summary>
    static abstract string EventName { get; }

    /// <summary>Writes the properties of an event: for each its name, then its value.</summary>
    /// <param name="happened">The event.</param>
    /// <param name="json">Where to.</param>
    static abstract void WriteProperties(TSelf happened, MixpanelEventWriter json);
}
