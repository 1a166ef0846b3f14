using System.Diagnostics;

namespace MixpanelConnector.EndToEnd;

/// <summary>The result of a finished process: its exit code and its output.</summary>
sealed record Finished(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit {ExitCode}\n--- standard output\n{Output}\n--- standard error\n{Error}";
}

/// <summary>Runs real processes: the program itself as a user would, and others.</summary>
static class Run
{
    /// <summary>The program with separate folders and only the given settings.</summary>
    public static async Task<Finished> MixpanelAsync(Home home, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var process = StartMixpanel(home, arguments, environment);
        return await EndAsync(process);
    }

    public static Process StartMixpanel(Home home, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        Start(ToolUnderTest.Command[0], [.. ToolUnderTest.Command.Skip(1), .. arguments], home, environment);

    public static Process Start(string program, IEnumerable<string> arguments, Home home, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MIXPANEL_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        foreach (var (name, value) in home.Environment) start.Environment[name] = value;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal)) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static async Task<Finished> EndAsync(Process process)
    {
        using var limit = new CancellationTokenSource(Hang.Limit);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return new Finished(process.ExitCode, await output, await error);
    }
}

/// <summary>A separate home for a test's processes.</summary>
sealed class Home : IDisposable
{
    readonly Testing.TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    public string File(string name) => _folder.File(name);

    public string Write(string name, string text) => _folder.Write(name, text);

    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["XDG_CONFIG_HOME"] = _folder.File("config"),
        ["XDG_DATA_HOME"] = _folder.File("data"),
        ["XDG_STATE_HOME"] = _folder.File("state"),
    };

    public void Dispose() => _folder.Dispose();
}
