using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MixpanelConnector.Files;

/// <summary>Makes files survive a power loss, and throws when they do not: .NET itself swallows the errors of fsync on Linux.</summary>
static class Durable
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    const int Buffer = 64 << 10;

    /// <summary>
    /// Opens a file of this program for writing; a new one is readable only by its owner. An existing one must be a regular file of this user, and not a link.
    /// </summary>
    /// <exception cref="NotOursException">It is not.</exception>
    public static FileStream OpenOwned(string path, FileMode mode, FileAccess access = FileAccess.Write, FileShare share = FileShare.Read)
    {
        if (mode is FileMode.CreateNew) return Create(path, access, share);
        try
        {
            if (mode is not FileMode.Open && FileStatus.Of(path).Kind is FileKind.None) return Create(path, access, share);
        }
        catch (IOException) when (FileStatus.Of(path).Kind is not FileKind.None)
        {
            // Another process created it first.
        }

        EnsureOwned(path);
        var file = new FileStream(path, FileMode.Open, access, share, Buffer);
        try
        {
            // Anyone who can write to the folder may have replaced the file meanwhile.
            if (FileStatus.Of(file.SafeFileHandle).Identity != FileStatus.Of(path).Identity)
                throw new NotOursException($"{path} was replaced while it was being opened.");
            if (mode is FileMode.Append) file.Seek(0, SeekOrigin.End);
            else if (mode is FileMode.Create or FileMode.Truncate) file.SetLength(0);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <exception cref="NotOursException">The file is a link, not a regular file, belongs to another user, or has a second hard link.</exception>
    public static void EnsureOwned(string path)
    {
        var status = FileStatus.Of(path);
        var fault = status switch
        {
            { Kind: FileKind.None } => null,
            { Kind: FileKind.Link } => "is a link",
            { Kind: not FileKind.Regular } => "is not a regular file",
            { IsOurs: false } => "belongs to another user",
            { Links: > 1 } => "has more than one hard link",
            _ => null,
        };
        if (fault is not null) throw new NotOursException($"{path} {fault} and is not written to: delete it, or choose another folder.");
    }

    /// <exception cref="NotSyncedException">The disk failed. A retry would prove nothing: the system may have dropped the data.</exception>
    public static void Sync(FileStream file)
    {
        if (OperatingSystem.IsWindows()) Check(FlushFileBuffers(file.SafeFileHandle), file.Name);
        else Check(FSync(file.SafeFileHandle) == 0, file.Name);
    }

    /// <summary>Syncs the names in a folder. Not needed on Windows.</summary>
    /// <exception cref="NotSyncedException">The disk failed.</exception>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var folder = Open(path, flags: 0); // O_RDONLY
        Check(folder >= 0, path);
        using var handle = new SafeFileHandle(folder, ownsHandle: true);
        Check(FSync(handle) == 0, path);
    }

    /// <summary>Creates a file. A new file never follows a link: the system refuses an existing name.</summary>
    static FileStream Create(string path, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = access, Share = share, BufferSize = Buffer };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly); // regardless of the umask
        return file;
    }

    static void Check(bool done, string path)
    {
        if (done) return;
        var error = Marshal.GetLastPInvokeError();
        throw new NotSyncedException($"{path} could not be synced to the disk: {Marshal.GetPInvokeErrorMessage(error)} (error {error})");
    }

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int FSync(SafeFileHandle file);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    static extern bool FlushFileBuffers(SafeFileHandle file);
}
