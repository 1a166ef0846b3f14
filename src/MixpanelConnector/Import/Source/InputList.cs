using System.IO.Enumeration;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Source;

/// <summary>Follows files, globs and folders to the list of inputs, in an order that depends on their names alone.</summary>
static class InputList
{
    const string StandardInputId = "stdin";

    /// <param name="request">Names the inputs.</param>
    /// <param name="warn">Gets the name of an input that is left out, and why.</param>
    /// <exception cref="MixpanelException">An input does not exist.</exception>
    public static List<InputFile> Find(ImportRequest request, Action<string, string> warn)
    {
        if (request.Inputs is ["-"])
            return [new InputFile("<stdin>", request.SourceId ?? StandardInputId, Path: null) { Stream = request.StandardInput }];

        var found = new List<InputFile>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var input in request.Inputs)
        {
            foreach (var (path, relative) in Follow(input, warn))
            {
                var file = new FileInfo(path);
                var real = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
                if (!seen.Add(real.FullName))
                {
                    warn(path, "This file is already among the inputs, and is read once.");
                    continue;
                }

                found.Add(new InputFile(path, WithoutCompression(relative, request), real.FullName) { Length = real.Exists ? real.Length : null });
            }
        }

        return Named(found, request.SourceId);
    }

    /// <summary>A dead-letter file as the one input. Its path is no part of the ids, which come from its lines.</summary>
    /// <exception cref="MixpanelException">It does not exist.</exception>
    public static List<InputFile> FindReplay(string path) =>
        File.Exists(path)
            ? [new InputFile(path, "replay", Path.GetFullPath(path)) { Length = new FileInfo(path).Length }]
            : throw MixpanelException.Invalid("replay", $"The dead-letter file {path} does not exist.");

    /// <summary>The real places of the inputs as they were given: what a checkpoint belongs to.</summary>
    public static IEnumerable<string> RealPaths(IEnumerable<string> inputs) => inputs.Select(input =>
    {
        FileSystemInfo info = Directory.Exists(input) ? new DirectoryInfo(input) : new FileInfo(input);
        return (info.Exists ? info.ResolveLinkTarget(returnFinalTarget: true) ?? info : info).FullName;
    });

    static IEnumerable<(string Path, string Relative)> Follow(string input, Action<string, string> warn)
    {
        if (File.Exists(input)) return [(input, Path.GetFileName(input))];
        if (Directory.Exists(input)) return Below(input, "", warn);
        var wildcard = input.AsSpan().IndexOfAny('*', '?');
        if (wildcard < 0) throw MixpanelException.Invalid("input", $"The input {input} does not exist.");

        var root = Path.GetDirectoryName(input[..wildcard]) is { Length: > 0 } folder ? folder : input[0] == '/' ? "/" : ".";
        var pattern = input[(root == "." && !input.StartsWith("./", StringComparison.Ordinal) ? 0 : root.TrimEnd('/').Length + 1)..].TrimStart('/').Split('/');
        var matches = Directory.Exists(root) ? Below(root, "", warn).Where(file => Matches(pattern, file.Relative.Split('/'))).ToList() : [];
        if (root == ".") matches = matches.ConvertAll(file => (file.Relative, file.Relative));
        return matches.Count > 0 ? matches : throw MixpanelException.Invalid("input", $"No file matches {input}.");
    }

    static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path)
    {
        if (pattern is []) return path is [];
        if (pattern[0] == "**") return Matches(pattern[1..], path) || (path.Length > 0 && Matches(pattern, path[1..]));
        return path.Length > 0 && FileSystemName.MatchesSimpleExpression(pattern[0], path[0], ignoreCase: false) && Matches(pattern[1..], path[1..]);
    }

    static IEnumerable<(string Path, string Relative)> Below(string root, string below, Action<string, string> warn)
    {
        var folder = new DirectoryInfo(Path.Combine(root, below));
        var files = new List<(string Path, string Relative)>();
        foreach (var entry in folder.EnumerateFileSystemInfos())
        {
            if (entry.Name.StartsWith('.')) continue;
            var relative = below.Length == 0 ? entry.Name : $"{below}/{entry.Name}";
            var path = Path.Combine(root, relative);
            if (entry is FileInfo) files.Add((path, relative));
            else if (entry.LinkTarget is null) files.AddRange(Below(root, relative, warn));
            else warn(path, "A folder behind a symbolic link is not followed.");
        }

        return files.OrderBy(file => file.Relative, StringComparer.Ordinal);
    }

    static string WithoutCompression(string path, ImportRequest request) =>
        request.Compressions.FirstOrDefault(compression => compression.Without(path) != path)?.Without(path) ?? path;

    /// <summary>Gives each source an id of its own: of two that share one, each takes its path as given.</summary>
    static List<InputFile> Named(List<InputFile> files, string? sourceId)
    {
        if (sourceId is not null)
            return files.Count == 1 ? [files[0] with { Id = sourceId }] : Named(files.ConvertAll(file => file with { Id = $"{sourceId}/{file.Id}" }), sourceId: null);
        var shared = files.GroupBy(file => file.Id, StringComparer.Ordinal).Where(group => group.Skip(1).Any()).Select(group => group.Key).ToHashSet(StringComparer.Ordinal);
        return files.ConvertAll(file => shared.Contains(file.Id) ? file with { Id = file.Name } : file);
    }
}
