using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MixpanelConnector.Files;

/// <summary>
/// An exclusive lock of one process, released when the process ends. It belongs to the file, not to its name: a locked file must not be deleted.
/// </summary>
static class FileLock
{
    const int Exclusive = 2; // LOCK_EX
    const int AtOnce = 4; // LOCK_NB
    static readonly int CloseOnExec = OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000; // O_CLOEXEC, with O_RDONLY
    const int HeldOnLinux = 11, HeldOnMac = 35; // EWOULDBLOCK

    /// <summary>Locks a file, which is created if it does not exist; returns null when another process has locked it.</summary>
    /// <exception cref="IOException">The system cannot lock it.</exception>
    /// <exception cref="NotOursException">The path is not a file of this user.</exception>
    public static FileStream? TryTake(string path)
    {
        FileStream file;
        try
        {
            file = Durable.OpenOwned(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }

        if (TryTake(file)) return file;
        file.Dispose();
        return null;
    }

    /// <summary>
    /// Locks an open file; returns false when another process has locked it. .NET's own lock, of <see cref="FileShare.None"/>, can be disabled by
    /// a process-wide environment variable.
    /// </summary>
    /// <exception cref="IOException">The system cannot lock it.</exception>
    public static bool TryTake(FileStream file)
    {
        if (OperatingSystem.IsWindows() || Lock(file.SafeFileHandle, Exclusive | AtOnce) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error is HeldOnLinux or HeldOnMac ? false : throw new IOException($"{file.Name} cannot be locked: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>
    /// Locks an existing folder, without leaving anything in it; returns null when another process has locked it. On Windows, where a folder is
    /// not a file, it locks a file that is deleted with the lock.
    /// </summary>
    /// <exception cref="IOException">The system cannot lock it.</exception>
    public static IDisposable? TryTakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                return new FileStream(Path.Combine(path, ".mixpanel-lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1,
                    FileOptions.DeleteOnClose);
            }
            catch (IOException e) when (IsHeld(e))
            {
                return null;
            }
        }

        var folder = Open(path, flags: CloseOnExec);
        if (folder < 0) throw new IOException($"{path} cannot be opened: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        var handle = new SafeFileHandle(folder, ownsHandle: true);
        if (Lock(handle, Exclusive | AtOnce) == 0) return handle;
        var error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return error is HeldOnLinux or HeldOnMac ? null : throw new IOException($"{path} cannot be locked: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>Whether another process holds the lock, by the error codes of Windows and Unix; any other error is a disk failure.</summary>
    static bool IsHeld(IOException e) => (e.HResult & 0xffff) is 32 or 33 || e.HResult is HeldOnLinux or HeldOnMac;

    [DllImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Lock(SafeFileHandle file, int operation);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}
