namespace MixpanelConnector.Conventions;

/// <summary>The sources that the conventions apply to.</summary>
static class Repository
{
    public static string Root => Testing.Repository.Root;

    /// <summary>The production files below src, with their paths relative to it with forward slashes, and their text.</summary>
    public static IReadOnlyList<(string Path, string Text)> Sources { get; } =
    [
        .. Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(file => (Path: Path.GetRelativePath(Path.Combine(Root, "src"), file).Replace('\\', '/'), File: file))
            .Where(source => !source.Path.Split('/').Any(folder => folder is "obj" or "bin"))
            .OrderBy(source => source.Path, StringComparer.Ordinal)
            .Select(source => (source.Path, File.ReadAllText(source.File))),
    ];
}
