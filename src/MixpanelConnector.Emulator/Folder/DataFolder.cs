using MixpanelConnector.Files;

namespace MixpanelConnector.Emulator.Folder;

/// <summary>
/// The data folder, used by one process at a time: the one that has the file <c>lock</c> open. That file is never deleted, because a lock belongs to the file
/// and not to its name.
/// </summary>
sealed class DataFolder : IDisposable
{
    const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly FileStream _lock;

    DataFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    public string DatabaseFile => System.IO.Path.Combine(Path, "mixpanel.duckdb");

    /// <summary>Locks the folder, creating it if missing; null if another process has locked it.</summary>
    public static DataFolder? TryTake(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        OwnFolder.Make(path);
        RefuseLinks(path);
        return FileLock.TryTake(System.IO.Path.Combine(path, "lock")) is { } held ? new DataFolder(path, held) : null;
    }

    /// <summary>Makes the database's files readable by this user only, regardless of the umask.</summary>
    public void ProtectDatabase()
    {
        if (OperatingSystem.IsWindows()) return;
        foreach (var file in Directory.EnumerateFiles(Path, "mixpanel.duckdb*"))
        {
            try { File.SetUnixFileMode(file, OwnerOnlyFile); }
            catch (FileNotFoundException) { } // the write-ahead log, which has meanwhile been merged into the database
        }
    }

    public void Announce(ServerNote note) => note.Write(Path);

    public void Dispose()
    {
        ServerNote.Remove(Path);
        _lock.Dispose();
    }

    /// <summary>A symlink in place of one of our files would redirect our writes.</summary>
    static void RefuseLinks(string path)
    {
        foreach (var file in new DirectoryInfo(path).EnumerateFiles())
        {
            if (file.LinkTarget is not null) throw new UnauthorizedAccessException($"'{file.FullName}' is a link: choose another data folder.");
            if (file.Name.StartsWith("mixpanel.duckdb", StringComparison.Ordinal)) Durable.EnsureOwned(file.FullName);
        }
    }
}
