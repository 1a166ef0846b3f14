namespace MixpanelConnector.Conventions;

/// <summary>The sources that the conventions apply to.</summary>
static class Repository
{
    public static string Root => Testing.Repository.Root;

    /// <summary>The production files below src, with their paths relative to it with forward slashes, and their text.</summary>
    public static IReadOnlyList<(string Path, string Text)> Sources { get; } = Below("src");

    /// <summary>The same for the tests.</summary>
    public static IReadOnlyList<(string Path, string Text)> Tests { get; } = Below("tests");

    static IReadOnlyList<(string Path, string Text)> Below(string folder) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(file => (Path: Path.GetRelativePath(Path.Combine(Root, folder), file).Replace('\\', '/'), File: file))
            .Where(source => !source.Path.Split('/').Any(part => part is "obj" or "bin" or "node_modules"))
            .OrderBy(source => source.Path, StringComparer.Ordinal)
            .Select(source => (source.Path, File.ReadAllText(source.File))),
    ];
}
