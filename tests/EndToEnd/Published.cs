namespace MixpanelConnector.EndToEnd;

/// <summary>A program compiled ahead of time for this platform by <c>eng/native.sh</c>, which compiles once for all tests: no test waits for a compiler.</summary>
static class Published
{
    public static string Library { get; } = Find("NativeAot", "MixpanelConnector.NativeAot");

    public static string Tool { get; } = Find("MixpanelConnector.Tool.Native", "mixpanel");

    static string Find(string project, string name)
    {
        var program = Repository.File($"artifacts/native/{project}/{name}");
        var built = Directory.EnumerateFiles(Path.GetDirectoryName(ToolUnderTest.OfThisBuild)!, "MixpanelConnector*.dll").Max(File.GetLastWriteTimeUtc);
        return File.GetLastWriteTimeUtc(program) >= built
            ? program
            : throw new InvalidOperationException($"{name} is missing or older than what was built: run bash eng/native.sh.");
    }
}
