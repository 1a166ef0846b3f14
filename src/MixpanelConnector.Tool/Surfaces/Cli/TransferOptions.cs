using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The options shared by import, export and migrate. Each command has its own instances: an option belongs to one command.</summary>
static class TransferOptions
{
    public static Option<string> BackoffMin() =>
        new("--backoff-min") { Description = "The initial delay between retries, such as 500ms, 2s, 1m. Default: 2s.", HelpName = "DURATION" };

    public static Option<string> BackoffMax() =>
        new("--backoff-max") { Description = "The maximum delay between retries. Default: 60s.", HelpName = "DURATION" };

    public static Option<bool> NoProgress() => new("--no-progress") { Description = "Show no progress bar (also off if standard error is not a terminal)." };

    public static NumberOption<int?> Parallel() =>
        new("--parallel", 1, OptionRanges.MostParallel)
        {
            Description = $"The number of days downloaded concurrently, 1 to {OptionRanges.MostParallel}. Default: 4.",
            HelpName = "N",
        };

    public static Option<bool> Wait() =>
        new("--wait") { Description = "Wait when the hourly calls are exhausted. Default: exit with 5, and print when the next call is possible." };
}
