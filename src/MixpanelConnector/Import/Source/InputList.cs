using System.IO.Enumeration;
using MixpanelConnector.Files;
using MixpanelConnector.Import.Admission;

namespace MixpanelConnector.Import.Source;

/// <summary>Expands files, globs and folders to a list of inputs, in an order that depends only on their names.</summary>
static class InputList
{
    const string StandardInputId = "stdin";

    /// <remarks>Two of them can have the same id: see <see cref="SourceIds"/>.</remarks>
    /// <param name="request">Specifies the inputs.</param>
    /// <param name="own">The files that the import itself writes.</param>
    /// <param name="warn">Receives the name of an input that is skipped, and why.</param>
    /// <exception cref="MixpanelException">An input does not exist.</exception>
    public static List<InputFile> Find(ImportRequest request, ExcludedFiles own, Action<string, string> warn)
    {
        var found = Follow(request, own, warn);
        return request.InputName is { } name && found is [var only] ? [only with { FileName = name }] : found;
    }

    static List<InputFile> Follow(ImportRequest request, ExcludedFiles own, Action<string, string> warn)
    {
        if (request.Inputs is ["-"])
            return [new InputFile("", "<stdin>", request.SourceId ?? StandardInputId, Folder: null) { Stream = request.StandardInput }];

        if (request.Exported is { } manifest) return ExportedFiles.Find(request, manifest);

        // A single file that was specified is the named source; a folder may contain more files tomorrow.
        var prefix = request.SourceId is null || (request.Inputs is [var only] && (request.Stored?.Of(only)?.IsOne ?? File.Exists(only)))
            ? ""
            : request.SourceId + "/";
        var found = new List<InputFile>();
        var seen = new HashSet<(string Folder, string Name)>();
        var folders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var input in request.Inputs)
        {
            if (request.Stored?.Of(input) is { } stored)
            {
                foreach (var (relative, one) in stored.Objects)
                {
                    var file = stored.File(one, relative, prefix + WithoutCompression(relative, request));
                    if (seen.Add((file.Name, ""))) found.Add(file);
                    else warn(file.Name, "This object is already among the inputs, and is read once.");
                }

                continue;
            }

            var (root, files, named) = Follow(input, own, warn, out var unreadable);
            found.AddRange(unreadable.Select(entry => new InputFile(root, entry.Relative, prefix + entry.Relative,
                Folder: Path.GetFullPath(Path.Combine(root, Path.GetDirectoryName(entry.Relative) ?? "")))
            { Fault = entry.Fault }));
            foreach (var relative in files)
            {
                var id = prefix + WithoutCompression(named ? Path.GetFileName(relative) : relative, request);
                var file = Located(new InputFile(root, relative, id, Folder: ""), folders);
                var info = new FileInfo(file.Path!);
                if (!seen.Add((file.Folder!, file.RealName ?? Path.GetFileName(relative)))
                    || (info.Exists && FileIdentity.Of(info.FullName) is { } identity && !seen.Add((identity, ""))))
                    warn(file.Name, "This file is already among the inputs, and is read once.");
                else
                    found.Add(file with { Length = info.Exists && !SpecialFile.IsAt(info.FullName) ? info.Length : null });
            }
        }

        return request.SourceId is { } source && prefix.Length == 0 ? found.ConvertAll(file => file with { Id = source }) : found;
    }

    /// <summary>
    /// Replaces archives among the inputs with the files in them. Without a mapping, and in object storage, archives are detected only by
    /// name, so that nothing else is opened for it. Tar archives are detected by name everywhere, since looking into them requires decompression.
    /// </summary>
    public static async Task<List<InputFile>> UnpackedAsync(List<InputFile> inputs, ImportRequest request, CancellationToken cancellationToken)
    {
        if (!inputs.Exists(MayBeArchive)) return inputs;
        var unpacked = new List<InputFile>();
        foreach (var input in inputs)
        {
            if (MayBeArchive(input) && await ZipArchiveFile.IsAsync(input, cancellationToken).ConfigureAwait(false))
                unpacked.AddRange(await ZipArchiveFile.OpenAsync(input, request.MaxDecompressedBytes, cancellationToken).ConfigureAwait(false));
            else if (MayBeTar(input) && await TarArchiveFile.IsAsync(input, request, cancellationToken).ConfigureAwait(false))
                unpacked.AddRange(await TarArchiveFile.OpenAsync(input, request, cancellationToken).ConfigureAwait(false));
            else unpacked.Add(input);
        }

        return unpacked;

        bool MayBeArchive(InputFile input) =>
            input is { Fault: null, CanBeOpenedAnywhere: true }
                && ((request is { Mapping: not null, Replay: null } && input.Object is null)
                    || input.FileName.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) || MayBeTar(input));

        // One without a telling name is inspected if a mapping may need the files in it, such as the body of a request.
        bool MayBeTar(InputFile input) =>
            TarArchiveFile.IsNamedSo(input.FileName, request)
                || (request is { Mapping: not null, Replay: null } && input.Object is null
                    && !Path.GetFileName(input.FileName).Contains('.', StringComparison.Ordinal));
    }

    /// <summary>A dead-letter file as the only input. Its path is not part of the ids, which come from its lines.</summary>
    /// <exception cref="MixpanelException">It does not exist.</exception>
    public static List<InputFile> FindReplay(string path) =>
        File.Exists(path)
            ? [Located(new InputFile("", path, "replay", Folder: ""), []) with { Length = new FileInfo(path).Length }]
            : throw MixpanelException.Invalid("replay", $"The dead-letter file {path} does not exist.");

    /// <summary>Sets the folder that a file is actually in.</summary>
    static InputFile Located(InputFile file, Dictionary<string, string> folders)
    {
        var path = Path.GetFullPath(file.Name);
        if (IsUnnamedPipe(path)) return file with { Folder = Path.GetDirectoryName(path) };
        var folder = Path.GetDirectoryName(path)!;
        if (!folders.TryGetValue(folder, out var real)) folders.Add(folder, real = RealPath(folder));
        if (new FileInfo(path).LinkTarget is null) return file with { Folder = real };
        var target = RealPath(path);
        return file with { Folder = Path.GetDirectoryName(target), RealName = Path.GetFileName(target) };
    }

    /// <summary>Whether a path refers to a pipe or device inherited by this process that has no name of its own, as with <c>&lt;(command)</c>.</summary>
    public static bool IsUnnamedPipe(string path) =>
        (path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal)) && SpecialFile.IsAt(path);

    /// <summary>A path without a compression extension.</summary>
    public static string WithoutCompression(string path, ImportRequest request) =>
        request.Compressions.FirstOrDefault(compression => compression.Without(path) != path)?.Without(path) ?? path;

    /// <summary>Resolves the symlinks in a path and its folders; a path that does not exist is kept.</summary>
    public static string RealPath(string path)
    {
        const int MostLinks = 40; // the limit of the operating system
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

    /// <summary>
    /// Finds the files of an input, as paths below a root, and whether the input is a file itself. Folders that could not be read are returned separately.
    /// </summary>
    static (string Root, List<string> Files, bool Named) Follow(string input, ExcludedFiles own, Action<string, string> warn,
        out List<(string Relative, string Fault)> unreadable)
    {
        unreadable = [];
        if (File.Exists(input)) return ("", [input], true);
        if (Directory.Exists(input)) return (input, Below(input, pattern: null, own, warn, unreadable), false);
        var wildcard = input.AsSpan().IndexOfAny('*', '?');
        if (input.Contains("://", StringComparison.Ordinal))
            throw MixpanelException.Invalid("input",
                $"The input {input} is not supported: name files or, with MixpanelConnector.ObjectStorage, s3://, gs:// or az:// URLs.");
        if (wildcard < 0) throw MixpanelException.Invalid("input", $"The input {input} does not exist.");

        var root = Path.GetDirectoryName(input[..wildcard]) is { Length: > 0 } folder ? folder : input[0] == '/' ? "/" : ".";
        var pattern = input[(root == "." && !input.StartsWith("./", StringComparison.Ordinal) ? 0 : root.TrimEnd('/').Length + 1)..].TrimStart('/').Split('/');
        var matches = Directory.Exists(root) ? Below(root, pattern, own, warn, unreadable) : [];
        return matches.Count + unreadable.Count > 0
            ? (root == "." ? "" : root, matches, false)
            : throw MixpanelException.Invalid("input", $"No file matches {input}.");
    }

    static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path)
    {
        if (pattern is []) return path is [];
        if (pattern[0] == "**") return Matches(pattern[1..], path) || (path.Length > 0 && Matches(pattern, path[1..]));
        return path.Length > 0 && FileSystemName.MatchesSimpleExpression(pattern[0], path[0], ignoreCase: false) && Matches(pattern[1..], path[1..]);
    }

    /// <summary>Whether a folder may contain a matching file.</summary>
    static bool MayHold(ReadOnlySpan<string> pattern, ReadOnlySpan<string> folder) =>
        pattern is not []
            && (folder is [] || pattern[0] == "**"
                || (FileSystemName.MatchesSimpleExpression(pattern[0], folder[0], ignoreCase: false) && MayHold(pattern[1..], folder[1..])));

    static List<string> Below(string root, string[]? pattern, ExcludedFiles own, Action<string, string> warn, List<(string Relative, string Fault)> unreadable)
    {
        var files = new List<string>();
        Add("");
        files.Sort(StringComparer.Ordinal);
        unreadable.Sort((one, other) => string.CompareOrdinal(one.Relative, other.Relative));
        return files;

        void Add(string below)
        {
            if (pattern is not null && below.Length > 0 && !MayHold(pattern, below.Split('/'))) return;
            try
            {
                Enumerate(below);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                unreadable.Add((below, $"cannot be listed: {e.Message}"));
            }
        }

        void Enumerate(string below)
        {
            var foreign = false;
            foreach (var entry in new DirectoryInfo(Path.Combine(root, below)).EnumerateFileSystemInfos())
            {
                if (entry.Name.StartsWith('.')) continue;
                var relative = below.Length == 0 ? entry.Name : $"{below}/{entry.Name}";
                var path = Path.Combine(root, relative);
                if (ForeignName.MayBe(entry.Name) && FileStatus.Of(path).Kind is FileKind.None)
                {
                    foreign = true;
                    continue;
                }

                if (pattern is not null && entry is FileInfo && !Matches(pattern, relative.Split('/'))) continue;
                if (entry is FileInfo && own.Contains(path, out var isState))
                {
                    if (!isState) warn(path, "This file is written by the import itself, and is not read.");
                }
                else if (entry is FileInfo && FileStatus.Behind(path).Kind is FileKind.Pipe or FileKind.Special)
                    warn(path, "It is a pipe, a socket or a device, and is not read. To read it, name it explicitly.");
                else if (entry is FileInfo) files.Add(relative);
                else if (entry.LinkTarget is null) Add(relative);
                else warn(path, "A symbolic link to a folder is not followed.");
            }

            if (!foreign) return;
            foreach (var (name, mayBeFolder) in ForeignName.In(Path.Combine(root, below)).Where(found => !found.Name.StartsWith('.')))
            {
                var relative = below.Length == 0 ? name : $"{below}/{name}";
                if (pattern is null || (mayBeFolder && MayHold(pattern, relative.Split('/'))) || Matches(pattern, relative.Split('/')))
                    unreadable.Add((relative, "has a name that is not UTF-8, and cannot be opened. Rename it"));
            }
        }
    }
}
