using System.CommandLine;
using System.CommandLine.Completions;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Surfaces.Cli;

static class ToolsOption
{
    public static Option<string[]> New()
    {
        var option = new Option<string[]>("--tools")
        {
            Description = "Offer the actions of these groups, or of all groups, as separate tools; mixpanel help lists the groups. Default: "
                + "the eleven that most agents need. All others are available through find_actions and run_action.",
            HelpName = "GROUP,…|all",
        };
        option.CompletionSources.Add(Completions);
        return option;
    }

    /// <summary>The names, after those that the word already has.</summary>
    static IEnumerable<CompletionItem> Completions(CompletionContext context)
    {
        var before = context.WordToComplete[..(context.WordToComplete.LastIndexOf(',') + 1)];
        return [.. ToolSelection.Names.Select(name => new CompletionItem(before + name))];
    }
}
