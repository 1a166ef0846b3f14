namespace MixpanelConnector.EndToEnd;

/// <summary>A program published once for all tests by <c>eng/native.sh</c>, ahead of time, or <c>eng/net8.sh</c>: no test waits for a compiler.</summary>
static class Published
{
    public static string Library { get; } = Find("native/NativeAot", "MixpanelConnector.NativeAot", "native.sh");

    /// <summary>The same program, with the runtime of .NET 8.</summary>
    public static string OnNet8 { get; } = Find("net8/program", "MixpanelConnector.Net8", "net8.sh");

    public static string Tool { get; } = Find("native/MixpanelConnector.Tool.Native", "mixpanel", "native.sh");

    static string Find(string folder, string name, string maker)
    {
        var program = Repository.File($"artifacts/{folder}/{name}");
        var built = Directory.EnumerateFiles(Path.GetDirectoryName(ToolUnderTest.OfThisBuild)!, "MixpanelConnector*.dll").Max(File.GetLastWriteTimeUtc);
        return File.GetLastWriteTimeUtc(program) >= built
            ? program
            : throw new InvalidOperationException($"{name} is missing or older than what was built: run bash eng/{maker}.");
    }
}
