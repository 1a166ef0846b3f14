using System.Collections.Immutable;

namespace MixpanelConnector;

/// <summary>Every action there is.</summary>
public static class Catalogue
{
    /// <summary>The groups, in the order in which they are shown.</summary>
    public static ImmutableArray<ActionGroup> Groups { get; } =
    [
        EventActions.Group,
        IdentityActions.Group,
        UserProfileActions.Group,
        GroupProfileActions.Group,
        LookupTableActions.Group,
        ReportActions.Group,
        ServiceAccountActions.Group,
        AnnotationActions.Group,
        LexiconActions.Group,
        GdprActions.Group,
        FeatureFlagActions.Group,
        ExperimentActions.Group,
        DataPipelineActions.Group,
        WarehouseImportActions.Group,
    ];

    /// <summary>The actions, by name.</summary>
    public static ImmutableArray<ActionDescriptor> Actions { get; } = [.. Groups.SelectMany(group => group.Actions).OrderBy(action => action.Name, StringComparer.Ordinal)];

    /// <summary>Finds an action by its snake_case name; null when there is none.</summary>
    /// <param name="name">The name, such as <c>track_event</c>.</param>
    public static ActionDescriptor? Find(string name) => Actions.FirstOrDefault(action => action.Name == name);
}
