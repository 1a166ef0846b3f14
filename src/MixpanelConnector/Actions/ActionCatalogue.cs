using System.Collections.Immutable;

namespace MixpanelConnector;

/// <summary>The catalogue of all actions.</summary>
public static class ActionCatalogue
{
    /// <summary>Each group declares its actions on first use, so that a command for one group does not wait for the others.</summary>
    static readonly Func<ActionGroup>[] Declared =
    [
        static () => EventActions.Group,
        static () => IdentityActions.Group,
        static () => UserProfileActions.Group,
        static () => GroupProfileActions.Group,
        static () => LookupTableActions.Group,
        static () => ReportActions.Group,
        static () => ServiceAccountActions.Group,
        static () => AnnotationActions.Group,
        static () => LexiconActions.Group,
        static () => GdprActions.Group,
        static () => FeatureFlagActions.Group,
        static () => ExperimentActions.Group,
        static () => DataPipelineActions.Group,
        static () => WarehouseImportActions.Group,
    ];

    static readonly Lazy<ImmutableArray<ActionGroup>> AllGroups = new(() => [.. Declared.Select(group => group())]);

    static readonly Lazy<ImmutableArray<ActionDescriptor>> AllActions =
        new(() => [.. Groups.SelectMany(group => group.Actions).OrderBy(action => action.Name, StringComparer.Ordinal)]);

    /// <summary>The groups, in the order in which they are shown.</summary>
    public static ImmutableArray<ActionGroup> Groups => AllGroups.Value;

    /// <summary>The actions, by name.</summary>
    public static ImmutableArray<ActionDescriptor> Actions => AllActions.Value;

    /// <summary>Finds an action by its snake_case name; null when there is none.</summary>
    /// <param name="name">The name, such as <c>track_event</c>.</param>
    public static ActionDescriptor? Find(string name)
    {
        foreach (var group in Declared)
        {
            foreach (var action in group().Actions)
            {
                if (action.Name == name) return action;
            }
        }

        return null;
    }
}
