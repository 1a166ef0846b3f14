using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

static class ToolsOption
{
    public static Option<string[]> New() => new("--tools")
    {
        Description = "Offer the actions of these groups as tools of their own, or of all groups; see mixpanel help for their names. Default: the eleven that most agents need. All others are found by find_actions and run by run_action.",
        HelpName = "GROUP,…|all",
    };
}
