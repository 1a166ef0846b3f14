using System.Diagnostics;
using System.Text.RegularExpressions;

namespace MixpanelConnector.EndToEnd;

/// <summary>The real command <c>mixpanel emulator</c>, whose address is the console's.</summary>
sealed class EmulatorProcess(Process process, Uri address) : IAsyncDisposable
{
    public Uri Address { get; } = address;

    public static async Task<EmulatorProcess> StartAsync(Home home, IEnumerable<string> arguments, string? tool = null)
    {
        string[] all = ["emulator", "--port", "0", "--data", home.File("data"), .. arguments];
        var process = tool is null ? Run.StartMixpanel(home, all) : Run.Start(tool, all, home);
        while (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (Regex.Match(line, @"^The console is at (?<address>http://\S+)$", RegexOptions.NonBacktracking) is { Success: true } found) return new EmulatorProcess(process, new Uri(found.Groups["address"].Value));
        }

        Assert.Fail(await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        throw new InvalidOperationException();
    }

    public async ValueTask DisposeAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
