namespace MixpanelConnector.Testing;

/// <summary>The command line that tests start as a process of its own: the one of this build, or another build that <c>MIXPANEL_TOOL</c> names.</summary>
public static class ToolUnderTest
{
    /// <summary>The program, and the arguments that come before all others.</summary>
    public static IReadOnlyList<string> Command { get; } =
        Environment.GetEnvironmentVariable("MIXPANEL_TOOL") is { Length: > 0 } tool ? CommandOf(Existing(Path.GetFullPath(tool))) : CommandOf(OfThisBuild);

    /// <summary>The one of this build, whatever is tested.</summary>
    public static string OfThisBuild => Built("src/MixpanelConnector.Tool", "mixpanel.dll");

    /// <summary>The same as the beginning of a line for a shell.</summary>
    public static string InShell { get; } = string.Join(' ', Command.Select(part => $"'{part}'"));

    /// <summary>A program that was built together with the tests.</summary>
    /// <param name="project">The folder of its project, from the root.</param>
    /// <param name="name">Its file.</param>
    public static string Built(string project, string name)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory); // …/tests/Faults/bin/Release/net10.0
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!;
        var program = Path.Combine(root.FullName, project, "bin", output.Parent.Name, output.Name, name);
        return Existing(program);
    }

    /// <summary>How a build of the tool is started.</summary>
    public static IReadOnlyList<string> CommandOf(string program) => program.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", program] : [program];

    static string Existing(string program) => File.Exists(program) ? program : throw new FileNotFoundException($"The program must be built first: {program}");
}
