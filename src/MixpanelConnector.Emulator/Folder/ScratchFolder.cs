using MixpanelConnector.Files;

namespace MixpanelConnector.Emulator.Folder;

/// <summary>
/// A temporary folder of this process, which only this user can access. What a killed process left behind is deleted when the next folder is created: the
/// file <c>lock</c> in it tells the two apart.
/// </summary>
sealed class ScratchFolder : IDisposable
{
    const string Prefix = "mixpanel-emulator-", LockName = "lock";

    readonly FileStream _lock;

    ScratchFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    public string Path { get; }

    /// <exception cref="IOException">The folder for temporary files cannot be written.</exception>
    public static ScratchFolder Make()
    {
        DeleteAbandoned();
        while (true)
        {
            var path = Directory.CreateTempSubdirectory(Prefix).FullName;
            if (FileLock.TryTake(System.IO.Path.Combine(path, LockName)) is { } held) return new ScratchFolder(path, held);
            // Another process found it before it was locked, and deletes it.
        }
    }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Delete(Path, _lock);

    static void DeleteAbandoned()
    {
        foreach (var path in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), Prefix + "*"))
        {
            try
            {
                var file = System.IO.Path.Combine(path, LockName);
                if (FileStatus.Of(path) is not { Kind: FileKind.Folder, IsOurs: true, IsWritableByOthers: false } || FileStatus.Of(file).Kind is FileKind.None)
                    continue;
                if (FileLock.TryTake(file) is { } held) Delete(path, held);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not ours, or just deleted by another process.
            }
        }
    }

    static void Delete(string path, FileStream held)
    {
        using (OperatingSystem.IsWindows() ? null : held) // elsewhere the lock is released last, so that nobody else begins to delete it
        {
            if (OperatingSystem.IsWindows()) held.Dispose(); // an open file cannot be deleted there
            try
            {
                Directory.Delete(path, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next process deletes it.
            }
        }
    }
}
