using System.Buffers;
using System.Security.Cryptography;

namespace MixpanelConnector.Files;

/// <summary>
/// A file that comes into its place whole and synced, or not at all: written beside it under a name that nobody can foresee,
/// readable by its owner alone, and then renamed. Whatever had the name is replaced, never written through. What a killed process
/// left under such a name, the next one that writes into the folder takes away.
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

    /// <summary>Where it is until it is kept.</summary>
    public string Draft { get; }

    /// <summary>Open for reading, too.</summary>
    public FileStream Content { get; }

    /// <exception cref="IOException">The folder does not take it.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no leave to write into the folder.</exception>
    public static NewFile Create(string path)
    {
        path = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(path) ?? throw new IOException($"{path} is no file.");
        Sweep(folder);
        while (true)
        {
            var draft = Path.Combine(folder, Prefix + RandomNumberGenerator.GetHexString(RandomDigits, lowercase: true) + Suffix);
            var content = Durable.OpenOwned(draft, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete);
            try
            {
                // Another process that swept before the lock was taken has removed the name: then the next one is tried.
                if (FileLock.TryTake(content) && FileStatus.Of(draft).Identity == FileStatus.Of(content.SafeFileHandle).Identity) return new NewFile(path, draft, content);
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

    /// <summary>Writes a whole file.</summary>
    /// <exception cref="IOException">The disk did not take it.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no leave to write it.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = Create(path);
        file.Content.Write(bytes);
        file.Keep();
    }

    /// <summary>Brings the file into its place, so that it survives a power cut.</summary>
    /// <param name="beforeRename">Called when the content is safe, and before what had the name is replaced.</param>
    /// <param name="replaces">Whether it replaces what is there; else that is an error.</param>
    /// <exception cref="IOException">The disk did not take it.</exception>
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
            File.Delete(_path); // nobody may take it for kept
            throw;
        }
    }

    public void Dispose()
    {
        if (!_isKept) File.Delete(Draft);
        Content.Dispose();
    }

    /// <summary>Takes away what processes left that were killed: files of this user's that nobody has locked.</summary>
    static void Sweep(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, Prefix + "*" + Suffix))
        {
            var digits = Path.GetFileName(path.AsSpan())[Prefix.Length..^Suffix.Length];
            if (digits.Length != RandomDigits || digits.ContainsAnyExcept(Digits) || FileStatus.Of(path) is not { Kind: FileKind.Regular, IsOurs: true }) continue;
            try
            {
                using var left = FileLock.TryTake(path);
                if (left is not null) File.Delete(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It stays for the next one.
            }
        }
    }
}
