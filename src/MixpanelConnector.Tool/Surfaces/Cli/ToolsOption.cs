using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

static class ToolsOption
{
    public static Option<string[]> New() => new("--tools")
    {
        Description = "Offer the actions of these groups, or of all groups, as separate tools; mixpanel help lists the groups. Default: "
            + "the eleven that most agents need. All others are available through find_actions and run_action.",
        HelpName = "GROUP,…|all",
    };
}
