namespace MixpanelConnector.Files;

/// <summary>A folder for files of this program. Anyone else who can write to it could replace them with links and other files.</summary>
static class OwnFolder
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Durably creates a folder that only its owner can access, and its missing parents; verifies an existing one.</summary>
    /// <exception cref="NotOursException">Others can write to it.</exception>
    /// <exception cref="IOException">It cannot be created, or not durably.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to create it.</exception>
    public static void Make(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        if (FileStatus.Of(path).Kind is FileKind.None) MakeNew(path);
        else EnsureUnshared(path);
    }

    /// <exception cref="NotOursException">Others can write to it, or control where it leads.</exception>
    /// <exception cref="IOException">It is not a folder.</exception>
    public static void EnsureUnshared(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        if (FileStatus.Of(path) is { Kind: FileKind.Link, IsOursOrRoots: false })
            throw new NotOursException($"{path} is another user's link: delete it, or choose another folder.");
        var folder = FileStatus.Behind(path);
        if (folder.Kind is not FileKind.Folder) throw new IOException($"{path} is not a folder.");
        if (!folder.IsOursOrRoots)
            throw new NotOursException(
                $"The folder {path} belongs to another user, who could replace its contents: take ownership (chown), or choose another folder.");
        if (folder.IsWritableByOthers)
            throw new NotOursException(
                $"Others can write to the folder {path}, and could replace its contents: run chmod go-w {path}, or choose another folder, "
                + $"such as a new one within it.");
    }

    static void MakeNew(string path)
    {
        var above = Path.GetDirectoryName(path)!;
        if (FileStatus.Of(above).Kind is FileKind.None) MakeNew(above);
        if (OperatingSystem.IsWindows()) return;
        Directory.CreateDirectory(path, OwnerOnly);
        EnsureUnshared(path); // another process may have created it first
        File.SetUnixFileMode(path, OwnerOnly); // regardless of the umask
        Durable.SyncFolder(above);
    }
}
