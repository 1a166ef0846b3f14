using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The folder in which an agent's tool stores a one-time secret, which the agent itself must not see.</summary>
static class SecretFolderOption
{
    public static Option<string> New() =>
        new("--secret-dir")
        {
            Description = "The folder for one-time secrets, each in a new private file; agents only see the file's name. Default: "
                + "secrets in the user's data folder.",
            HelpName = "DIR",
        };

    public static string Of(ParseResult parsed, Option<string> option, Folders folders) => Path.GetFullPath(parsed.GetValue(option) ?? folders.Secrets);
}
