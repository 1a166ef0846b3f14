using System.Diagnostics;
using MixpanelConnector.Testing;

namespace MixpanelConnector.RabbitMq.Tests;

/// <summary>The command <c>mixpanel consume</c> as a separate process.</summary>
static class Consumer
{
    public static Process Start(Uri mixpanel, string address, string folder, params string[] options)
    {
        var start = new ProcessStartInfo(ToolUnderTest.Command[0],
            [.. ToolUnderTest.Command.Skip(1), "consume", address, "--dead-letter", Path.Combine(folder, "dead.ndjson"), "--declare", "--backoff-min", "50ms",
                "--backoff-max", "500ms", "--output", "json", .. options])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["MIXPANEL_ENDPOINT"] = mixpanel.AbsoluteUri,
                ["MIXPANEL_TOKEN"] = "token",
                ["MIXPANEL_PROJECT_ID"] = "1",
                ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "account",
                ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "canary-58c1",
                ["XDG_STATE_HOME"] = folder,
                ["XDG_CONFIG_HOME"] = folder,
                ["XDG_DATA_HOME"] = folder,
            },
        };
        start.Environment.Remove("MIXPANEL_QUEUE_USERNAME");
        start.Environment.Remove("MIXPANEL_QUEUE_PASSWORD");
        return Process.Start(start)!;
    }

    /// <summary>Waits for it to exit, and returns its exit code and output.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> EndAsync(this Process process)
    {
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
