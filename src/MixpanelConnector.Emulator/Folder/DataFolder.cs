namespace MixpanelConnector.Emulator.Folder;

/// <summary>
/// The folder that keeps the data, held by one process at a time: whoever has <c>lock</c> open. That file is never
/// deleted, since a lock belongs to the file and not to its name.
/// </summary>
sealed class DataFolder : IDisposable
{
    const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    readonly FileStream _lock;

    DataFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    public string DatabaseFile => System.IO.Path.Combine(Path, "mixpanel.duckdb");

    /// <summary>Takes the folder, creating it when missing; null when another process holds it.</summary>
    public static DataFolder? TryTake(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        Create(path);
        RefuseLinks(path);
        try
        {
            return new DataFolder(path, new FileStream(System.IO.Path.Combine(path, "lock"), OwnerOnly(FileMode.OpenOrCreate)));
        }
        catch (IOException e) when (IsHeldByAnother(e))
        {
            return null;
        }
    }

    /// <summary>Makes the database's files readable by this user alone, whatever the umask.</summary>
    public void ProtectDatabase()
    {
        if (OperatingSystem.IsWindows())
            return;
        foreach (var file in Directory.EnumerateFiles(Path, "mixpanel.duckdb*"))
        {
            try { File.SetUnixFileMode(file, OwnerOnlyFile); }
            catch (FileNotFoundException) { } // the write-ahead log, merged into the database meanwhile
        }
    }

    public void Announce(ServerNote note) => note.Write(Path, OwnerOnly(FileMode.Create));

    public void Dispose()
    {
        ServerNote.Remove(Path);
        _lock.Dispose();
    }

    // A sharing violation on Windows; EWOULDBLOCK of flock on Linux, and on macOS.
    static bool IsHeldByAnother(IOException e) => e.HResult is unchecked((int)0x80070020) or 11 or 35;

    static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path, OwnerOnlyFolder);
            File.SetUnixFileMode(path, OwnerOnlyFolder);
        }
        else if ((File.GetUnixFileMode(path) & WritableByOthers) != UnixFileMode.None)
        {
            throw new UnauthorizedAccessException($"Others may write into '{path}': run chmod go-w on it, or choose another data folder.");
        }
    }

    /// <summary>A link in the place of a file of ours would have us write somewhere else.</summary>
    static void RefuseLinks(string path)
    {
        foreach (var file in new DirectoryInfo(path).EnumerateFiles())
        {
            if (file.LinkTarget is not null)
                throw new UnauthorizedAccessException($"'{file.FullName}' is a link: choose another data folder.");
        }
    }

    static FileStreamOptions OwnerOnly(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnlyFile;
        return options;
    }
}
