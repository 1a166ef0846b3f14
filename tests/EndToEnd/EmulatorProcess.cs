using System.Diagnostics;
using System.Text.Json;

namespace MixpanelConnector.EndToEnd;

/// <summary>The real command <c>mixpanel emulator</c>, whose address is the console's.</summary>
sealed class EmulatorProcess(Process process, JsonElement greeting) : IAsyncDisposable
{
    public JsonElement Greeting { get; } = greeting;

    public Uri Address { get; } = new(greeting.GetProperty("address").GetString()!);

    public static async Task<EmulatorProcess> StartAsync(Home home, IEnumerable<string> arguments, string? tool = null)
    {
        string[] all = ["emulator", "--port", "0", "--data", home.File("data"), .. arguments];
        var process = tool is null ? Run.StartMixpanel(home, all) : Run.Start(tool, all, home);
        return new EmulatorProcess(process, await GreetingOfAsync(process));
    }

    /// <summary>The line of JSON that it prints once it serves.</summary>
    public static async Task<JsonElement> GreetingOfAsync(Process process)
    {
        if (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line) return JsonElement.Parse(line);
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
