using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces;

/// <summary>Names derived from an action's own.</summary>
static class ActionNames
{
    /// <summary>The beginning of the addresses at which agents read the answers of actions.</summary>
    public const string Resources = "mixpanel://project/";

    public static string Title(ActionDescriptor action)
    {
        var words = action.Name.Replace('_', ' ');
        return char.ToUpperInvariant(words[0]) + words[1..];
    }

    public static string Snake(Enum value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    public static string Pascal(string name) => string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    /// <summary>The name of the action that a misspelt name probably means, in any case and with dashes or underscores; null if none is similar.</summary>
    public static string? Nearest(string name, IEnumerable<ActionDescriptor> actions) =>
        MixpanelSpelling.Nearest(name.ToLowerInvariant().Replace('-', '_'), actions.Select(action => action.Name));
}
