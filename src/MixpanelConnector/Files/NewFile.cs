using System.Buffers;
using System.Security.Cryptography;

namespace MixpanelConnector.Files;

/// <summary>
/// A file that appears in its place complete and synced, or not at all: written next to it under an unpredictable name,
/// readable only by its owner, and then renamed. An existing file is replaced, never written through. Files that a killed process
/// left under such names are deleted by the next process that writes to the folder.
/// </summary>
sealed class NewFile : IDisposable
{
    const string Prefix = ".mixpanel-";
    const string Suffix = ".new";
    const int RandomDigits = 32;

    static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    readonly string _path;
    bool _isKept;

    NewFile(string path, string draft, FileStream content) => (_path, Draft, Content) = (path, draft, content);

    /// <summary>The temporary path until the file is kept.</summary>
    public string Draft { get; }

    /// <summary>The content, also open for reading.</summary>
    public FileStream Content { get; }

    /// <exception cref="IOException">The file cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write to the folder.</exception>
    public static NewFile Create(string path)
    {
        path = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(path) ?? throw new IOException($"{path} is not a file.");
        Sweep(folder);
        while (true)
        {
            var draft = Path.Combine(folder, Prefix + RandomNumberGenerator.GetHexString(RandomDigits, lowercase: true) + Suffix);
            var content = Durable.OpenOwned(draft, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete);
            try
            {
                // A process that swept the folder before the lock was taken has removed the name: then the next name is tried.
                if (FileLock.TryTake(content) && FileStatus.Of(draft).Identity == FileStatus.Of(content.SafeFileHandle).Identity)
                    return new NewFile(path, draft, content);
            }
            catch
            {
                content.Dispose();
                File.Delete(draft);
                throw;
            }

            content.Dispose();
        }
    }

    /// <summary>Writes a complete file.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write it.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = Create(path);
        file.Content.Write(bytes);
        file.Keep();
    }

    /// <summary>Moves the file to its place, so that it survives a power loss.</summary>
    /// <param name="beforeRename">Called when the content is synced, before an existing file is replaced.</param>
    /// <param name="replaces">Whether to replace an existing file; if not, that is an error.</param>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Keep(Action? beforeRename = null, bool replaces = true)
    {
        Content.Flush();
        Durable.Sync(Content);
        beforeRename?.Invoke();
        File.Move(Draft, _path, replaces);
        _isKept = true;
        try
        {
            Durable.SyncFolder(Path.GetDirectoryName(_path)!);
        }
        catch
        {
            File.Delete(_path); // so that nobody takes it for a kept file
            throw;
        }
    }

    public void Dispose()
    {
        if (!_isKept) File.Delete(Draft);
        Content.Dispose();
    }

    /// <summary>Deletes the files that killed processes left: files of this user that nobody has locked.</summary>
    static void Sweep(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, Prefix + "*" + Suffix))
        {
            var digits = Path.GetFileName(path.AsSpan())[Prefix.Length..^Suffix.Length];
            if (digits.Length != RandomDigits || digits.ContainsAnyExcept(Digits) || FileStatus.Of(path) is not { Kind: FileKind.Regular, IsOurs: true })
                continue;
            try
            {
                using var left = FileLock.TryTake(path);
                if (left is not null) File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next process tries again.
            }
        }
    }
}
