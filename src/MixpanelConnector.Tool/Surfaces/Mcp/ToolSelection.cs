namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>Selects the actions that have their own tools. The others are found by <c>find_actions</c> and run by <c>run_action</c>.</summary>
sealed class ToolSelection
{
    const string Everything = "all";

    readonly Func<ActionDescriptor, bool> _holds;

    ToolSelection(Func<ActionDescriptor, bool> holds) => _holds = holds;

    /// <summary>The tools of a session that does not select any.</summary>
    public static ToolSelection Default { get; } = new(action => action.IsCommon);

    /// <summary>Every action.</summary>
    public static ToolSelection All { get; } = new(_ => true);

    /// <summary>The names that an option accepts.</summary>
    public static IEnumerable<string> Names => [.. ActionCatalogue.Groups.Select(group => group.Name), Everything];

    public bool Holds(ActionDescriptor action) => _holds(action);

    /// <summary>Parses the values of an option: groups, separated by commas, or <c>all</c>.</summary>
    /// <exception cref="MixpanelException">There is no such group.</exception>
    public static ToolSelection Parse(IEnumerable<string>? values)
    {
        if (values is null) return Default;
        var words = values.SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries))
            .Select(word => word.ToLowerInvariant().Replace('_', '-').Replace(' ', '-')).ToList();
        if (words.Count == 0) return Default;
        var groups = words.Where(word => word != Everything).Select(Group).ToHashSet();
        return words.Contains(Everything, StringComparer.Ordinal) ? All : new ToolSelection(action => groups.Contains(action.Group));
    }

    static ActionGroup Group(string word)
    {
        if (ActionCatalogue.Groups.FirstOrDefault(group => group.Name == word) is { } group) return group;
        var action = ActionCatalogue.Find(word.Replace('-', '_'));
        var near = action is null ? MixpanelSpelling.Nearest(word, Names) : null;
        throw Configuration.Invalid("tools", $"--tools must be groups of actions, separated by commas, or {Everything}. {(action, near) switch
        {
            ({ } known, _) => $"{known.Name} is an action of the group {known.Group.Name}.",
            (_, { } name) => $"Did you mean {name}?",
            _ => $"The groups: {string.Join(", ", ActionCatalogue.Groups.Select(known => known.Name))}.",
        }}");
    }
}
