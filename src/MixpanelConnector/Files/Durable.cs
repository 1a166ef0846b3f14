using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MixpanelConnector.Files;

/// <summary>Makes files survive a power cut, and says so when they do not: .NET's own way swallows the errors of fsync on Linux.</summary>
static class Durable
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    const int Buffer = 64 << 10;

    /// <summary>A file of ours for writing, that only its owner can read when it is new. One that stands already must be a regular file of this user's, and no link.</summary>
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
            // Another process was faster.
        }

        EnsureOwned(path);
        var file = new FileStream(path, FileMode.Open, access, share, Buffer);
        try
        {
            // Whoever can write the folder may have put another file there meanwhile.
            if (FileStatus.Of(file.SafeFileHandle).Identity != FileStatus.Of(path).Identity) throw new NotOursException($"{path} was exchanged while it was opened.");
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

    /// <exception cref="NotOursException">What stands there is a link, no regular file, another user's, or has another name, too.</exception>
    public static void EnsureOwned(string path)
    {
        var status = FileStatus.Of(path);
        var fault = status switch
        {
            { Kind: FileKind.None } => null,
            { Kind: FileKind.Link } => "is a link",
            { Kind: not FileKind.Regular } => "is no regular file",
            { IsOurs: false } => "belongs to another user",
            { Links: > 1 } => "has another name, too, as a hard link",
            _ => null,
        };
        if (fault is not null) throw new NotOursException($"{path} {fault}, and is not written through: delete it, or choose another folder.");
    }

    /// <exception cref="NotSyncedException">The disk did not take it. Trying again would prove nothing: the system may have dropped the data.</exception>
    public static void Sync(FileStream file)
    {
        if (OperatingSystem.IsWindows()) Check(FlushFileBuffers(file.SafeFileHandle), file.Name);
        else Check(FSync(file.SafeFileHandle) == 0, file.Name);
    }

    /// <summary>Makes the names in a folder durable. Windows keeps them by itself.</summary>
    /// <exception cref="NotSyncedException">The disk did not take them.</exception>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var folder = Open(path, flags: 0); // O_RDONLY
        Check(folder >= 0, path);
        using var handle = new SafeFileHandle(folder, ownsHandle: true);
        Check(FSync(handle) == 0, path);
    }

    /// <summary>A new file never follows a link: the system refuses a name that is taken.</summary>
    static FileStream Create(string path, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = access, Share = share, BufferSize = Buffer };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly); // whatever the umask
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
