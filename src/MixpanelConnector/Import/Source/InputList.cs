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
                var real = new FileInfo(RealPath(path));
                if (!seen.Add(real.FullName) || (real.Exists && FileIdentity.Of(real.FullName) is { } identity && !seen.Add(identity)))
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
            ? [new InputFile(path, "replay", RealPath(path)) { Length = new FileInfo(path).Length }]
            : throw MixpanelException.Invalid("replay", $"The dead-letter file {path} does not exist.");

    /// <summary>The real places of the inputs as they were given: what a checkpoint belongs to.</summary>
    public static IEnumerable<string> RealPaths(IEnumerable<string> inputs) => inputs.Select(RealPath);

    /// <summary>The path without links, also in its folders; what does not exist stays as it is.</summary>
    public static string RealPath(string path)
    {
        const int MostLinks = 40; // as the system follows
        path = Path.GetFullPath(path);
        for (var links = 0; links < MostLinks && FirstLink(path) is var (link, rest) && link is not null; links++)
        {
            if (link.ResolveLinkTarget(returnFinalTarget: false) is not { } target) break;
            path = Path.GetFullPath(Path.Combine(target.FullName, rest));
        }

        return path;
    }

    static (FileSystemInfo? Link, string Remainder) FirstLink(string path)
    {
        for (var end = path.IndexOf(Path.DirectorySeparatorChar, 1); ; end = path.IndexOf(Path.DirectorySeparatorChar, end + 1))
        {
            var part = end < 0 ? path : path[..end];
            FileSystemInfo info = Directory.Exists(part) ? new DirectoryInfo(part) : new FileInfo(part);
            if (info.LinkTarget is not null) return (info, end < 0 ? "" : path[(end + 1)..]);
            if (end < 0) return (null, "");
        }
    }

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
