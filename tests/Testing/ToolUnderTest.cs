namespace MixpanelConnector.Testing;

/// <summary>The command-line tool that tests start as a separate process: that of this build, or the one in <c>MIXPANEL_TOOL</c>.</summary>
public static class ToolUnderTest
{
    /// <summary>The program, and its leading arguments.</summary>
    public static IReadOnlyList<string> Command { get; } =
        Environment.GetEnvironmentVariable("MIXPANEL_TOOL") is { Length: > 0 } tool ? CommandOf(Existing(Path.GetFullPath(tool))) : CommandOf(OfThisBuild);

    /// <summary>The tool of this build, whatever is tested.</summary>
    public static string OfThisBuild => Built("src/MixpanelConnector.Tool", "mixpanel.dll");

    /// <summary>The same as the start of a shell command line.</summary>
    public static string InShell { get; } = string.Join(' ', Command.Select(part => $"'{part}'"));

    /// <summary>A program that was built along with the tests.</summary>
    /// <param name="project">The folder of its project, relative to the root.</param>
    /// <param name="name">Its file name.</param>
    public static string Built(string project, string name)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory); // …/tests/Faults/bin/Release/net10.0
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!;
        var program = Path.Combine(root.FullName, project, "bin", output.Parent.Name, output.Name, name);
        return Existing(program);
    }

    /// <summary>The command that starts a build of the tool.</summary>
    public static IReadOnlyList<string> CommandOf(string program) => program.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", program] : [program];

    static string Existing(string program) => File.Exists(program) ? program : throw new FileNotFoundException($"The program must be built first: {program}");
}
