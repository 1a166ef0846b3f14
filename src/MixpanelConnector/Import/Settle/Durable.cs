using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MixpanelConnector.Import.Settle;

/// <summary>Makes files survive a power cut, and says so when they do not: .NET's own way swallows the errors of fsync on Linux.</summary>
static class Durable
{
    /// <summary>A file for writing, that only its owner can read when it is new.</summary>
    public static FileStream OpenOwned(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, BufferSize = 64 << 10 };
        if (!OperatingSystem.IsWindows() && mode is not FileMode.Open) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    /// <exception cref="IOException">The disk did not take it. Trying again would prove nothing: the system may have dropped the data.</exception>
    public static void Sync(FileStream file)
    {
        if (OperatingSystem.IsWindows()) Check(FlushFileBuffers(file.SafeFileHandle), file.Name);
        else Check(FSync(file.SafeFileHandle) == 0, file.Name);
    }

    /// <summary>Makes the names in a folder durable. Windows keeps them by itself.</summary>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var folder = Open(path, flags: 0); // O_RDONLY
        Check(folder >= 0, path);
        using var handle = new SafeFileHandle(folder, ownsHandle: true);
        Check(FSync(handle) == 0, path);
    }

    static void Check(bool done, string path)
    {
        if (done) return;
        var error = Marshal.GetLastPInvokeError();
        throw new IOException($"{path} could not be synced to the disk: {Marshal.GetPInvokeErrorMessage(error)} (error {error})");
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
