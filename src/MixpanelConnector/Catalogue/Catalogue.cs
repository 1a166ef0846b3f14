using System.Collections.Immutable;
using System.Reflection;

namespace MixpanelConnector;

/// <summary>Every action there is.</summary>
public static class Catalogue
{
    /// <summary>The actions, by name.</summary>
    public static ImmutableArray<ActionDescriptor> Actions { get; } =
    [
        .. typeof(Catalogue).Assembly.GetCustomAttributes<ActionAttribute>()
            .Select(attribute => attribute.Describe())
            .OrderBy(action => action.Name, StringComparer.Ordinal),
    ];

    /// <summary>Finds an action by its snake_case name; null when there is none.</summary>
    /// <param name="name">The name, such as <c>track_event</c>.</param>
    public static ActionDescriptor? Find(string name) => Actions.FirstOrDefault(action => action.Name == name);
}
