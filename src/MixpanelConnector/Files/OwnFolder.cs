namespace MixpanelConnector.Files;

/// <summary>A folder for files of ours. Whoever else could write it could put links and files of theirs in the place of ours.</summary>
static class OwnFolder
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes a folder that only its owner can look into, and those above it that are missing, so that they survive a power cut; or finds that what stands there is fit.</summary>
    /// <exception cref="NotOursException">Others can write it.</exception>
    /// <exception cref="IOException">It cannot be made, or not be made durable.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no leave to make it.</exception>
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

    /// <exception cref="NotOursException">Others can write it, or decide where it leads.</exception>
    /// <exception cref="IOException">It is no folder.</exception>
    public static void EnsureUnshared(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        if (FileStatus.Of(path) is { Kind: FileKind.Link, IsOursOrRoots: false }) throw new NotOursException($"{path} is a link of another user's: delete it, or choose another folder.");
        var folder = FileStatus.Behind(path);
        if (folder.Kind is not FileKind.Folder) throw new IOException($"{path} is no folder.");
        if (!folder.IsOursOrRoots) throw new NotOursException($"The folder {path} belongs to another user, who could exchange what is in it: make it yours (chown), or choose another folder.");
        if (folder.IsWritableByOthers) throw new NotOursException($"Others may write into the folder {path}, and could exchange what is in it: run chmod go-w {path}, or choose another folder, such as a new one within it.");
    }

    static void MakeNew(string path)
    {
        var above = Path.GetDirectoryName(path)!;
        if (FileStatus.Of(above).Kind is FileKind.None) MakeNew(above);
        if (OperatingSystem.IsWindows()) return;
        Directory.CreateDirectory(path, OwnerOnly);
        EnsureUnshared(path); // another process may have been faster
        File.SetUnixFileMode(path, OwnerOnly); // whatever the umask
        Durable.SyncFolder(above);
    }
}
