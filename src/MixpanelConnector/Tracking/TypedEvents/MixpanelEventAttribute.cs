using System.Reflection;

namespace MixpanelConnector;

/// <summary>Names the event that a type of your own represents, so that it can be tracked: the type's properties are the event's properties.</summary>
/// <param name="name">The event's name in Mixpanel.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class MixpanelEventAttribute(string name) : Attribute
{
    /// <summary>The event's name in Mixpanel.</summary>
    public string Name { get; } = name;
}

static class EventName<T>
{
    static readonly string? Name = typeof(T).GetCustomAttribute<MixpanelEventAttribute>()?.Name;

    public static string Value =>
        Name
            ?? throw new InvalidOperationException(
                $"{typeof(T).Name} has no [MixpanelEvent(\"…\")], which names the event. Add it, or pass the name with the call.");
}
