using System.Globalization;

namespace MixpanelConnector.Import.Source;

/// <summary>The files that an import writes: its outputs and its state. When found in a folder or by a glob, they are not inputs.</summary>
sealed class ExcludedFiles(ImportRequest request, IImportState state)
{
    readonly HashSet<string> _outputs = Real(Outputs.All(request));
    readonly HashSet<string> _deadLetters = Real(new[] { request.DeadLetterPath, state.DeadLetterPath }.OfType<string>());
    readonly HashSet<string> _state = Real(state.Files);

    /// <param name="path">A file that was found.</param>
    /// <param name="isState">Whether it belongs to the state, which nobody expects to be read.</param>
    public bool Contains(string path, out bool isState)
    {
        isState = false;
        var name = Path.GetFileName(path);
        if (!Named(_outputs, name) && !Named(_deadLetters, WithoutVersion(name)) && !Named(_state, name)) return false;
        var real = InputList.RealPath(path);
        isState = _state.Contains(real);
        return isState || _outputs.Contains(real) || _deadLetters.Contains(WithoutVersion(real));
    }

    static bool Named(HashSet<string> paths, string name) => paths.Any(path => Path.GetFileName(path.AsSpan()).SequenceEqual(name));

    /// <summary>The path of the dead-letter file, whose earlier versions are kept with a number.</summary>
    static string WithoutVersion(string path) =>
        Path.GetExtension(path) is var version
            && int.TryParse(version.AsSpan(Math.Min(1, version.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? path[..^version.Length]
            : path;

    static HashSet<string> Real(IEnumerable<string> paths) => paths.Select(InputList.RealPath).ToHashSet(StringComparer.Ordinal);
}
