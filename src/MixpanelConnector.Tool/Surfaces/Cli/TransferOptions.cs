using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The options shared by import, export and migrate. Each command has its own instances: an option belongs to one command.</summary>
static class TransferOptions
{
    public static Option<string> BackoffMin() => new("--backoff-min") { Description = "The first wait between tries, such as 500ms, 2s, 1m. Default: 2s.", HelpName = "DURATION" };

    public static Option<string> BackoffMax() => new("--backoff-max") { Description = "The longest wait between tries. Default: 60s.", HelpName = "DURATION" };

    public static Option<bool> NoProgress() => new("--no-progress") { Description = "No progress bar (also off when standard error is no terminal)." };

    public static Option<int?> Parallel() => new("--parallel") { Description = "How many days are downloaded at once, 1 to 100. Default: 4.", HelpName = "N" };

    public static Option<bool> Wait() => new("--wait") { Description = "Wait where the calls of the hour are used up. Default: end with 5, and say when it can go on." };
}
