namespace MixpanelConnector;

/// <summary>
/// An event that provides its own name and properties. For a partial type with <see cref="MixpanelEventAttribute"/> the implementation is generated.
/// </summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
public interface IMixpanelEvent<TSelf>
    where TSelf : IMixpanelEvent<TSelf>
{
    /// <summary>The event's name in Mixpanel.</summary>
    static abstract string EventName { get; }

    /// <summary>Writes the properties of an event: the name and then the value of each.</summary>
    /// <param name="happened">The event.</param>
    /// <param name="json">The writer.</param>
    static abstract void WriteProperties(TSelf happened, MixpanelEventWriter json);
}
