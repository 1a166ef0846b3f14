using System.Diagnostics;

namespace MixpanelConnector.EndToEnd;

/// <summary>Compiles C# programs with the compiler itself: a build by MSBuild takes three times as long.</summary>
static class CSharp
{
    /// <summary>The usings that projects have implicitly.</summary>
    public const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    static readonly string Framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    /// <summary>Compiles a program against the framework and other assemblies.</summary>
    /// <returns>The path of the program.</returns>
    public static async Task<string> CompileAsync(Home home, string name, string code, params string[] assemblies)
    {
        var (source, program) = (home.Write($"{name}.cs", code), home.File($"{name}.dll"));
        using var version = Run.Start("dotnet", ["--version"], home);
        var compiler = Path.GetFullPath(Path.Combine(Framework, "../../../sdk", (await Run.EndAsync(version)).Output.Trim(), "Roslyn/bincore/csc.dll"));
        string[] references = [.. Directory.GetFiles(Framework, "System.*.dll"), .. assemblies];
        using var compilation = Run.Start("dotnet",
            [compiler, "-nologo", "-nullable:enable", $"-out:{program}", source, .. references.Select(reference => $"-reference:{reference}")], home);
        var compiled = await Run.EndAsync(compilation);
        Assert.True(compiled.ExitCode == 0, compiled.ToString());
        return program;
    }

    /// <summary>Runs a compiled program on the runtime of these tests.</summary>
    public static async Task<Finished> RunAsync(Home home, string program, params string[] arguments)
    {
        using var process = Start(home, program, arguments);
        return await Run.EndAsync(process);
    }

    /// <summary>Starts a compiled program on the runtime of these tests.</summary>
    public static Process Start(Home home, string program, params string[] arguments)
    {
        var configuration = home.Write("runtimeconfig.json",
            $$"""{ "runtimeOptions": { "framework": { "name": "Microsoft.NETCore.App", "version": "{{Environment.Version}}" } } }""");
        return Run.Start("dotnet", ["exec", "--runtimeconfig", configuration, program, .. arguments], home);
    }
}
