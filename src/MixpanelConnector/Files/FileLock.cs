using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MixpanelConnector.Files;

/// <summary>A lock that one process has, and that ends with it. It belongs to the file, not to its name: a file that is locked is not deleted.</summary>
static class FileLock
{
    const int Exclusive = 2; // LOCK_EX
    const int AtOnce = 4; // LOCK_NB
    static readonly int CloseOnExec = OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000; // O_CLOEXEC, with O_RDONLY
    const int HeldOnLinux = 11, HeldOnMac = 35; // EWOULDBLOCK

    /// <summary>Locks a file, which is made when it does not exist; null when another process has it.</summary>
    /// <exception cref="IOException">The system does not lock it.</exception>
    /// <exception cref="NotOursException">What stands there is no file of ours.</exception>
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
    /// Locks an open file; false when another process has it. .NET's own lock, of <see cref="FileShare.None"/>, can be switched off by
    /// an environment variable of the whole process.
    /// </summary>
    /// <exception cref="IOException">The system does not lock it.</exception>
    public static bool TryTake(FileStream file)
    {
        if (OperatingSystem.IsWindows() || Lock(file.SafeFileHandle, Exclusive | AtOnce) == 0) return true;
        var error = Marshal.GetLastPInvokeError();
        return error is HeldOnLinux or HeldOnMac ? false : throw new IOException($"{file.Name} cannot be locked: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>
    /// Locks a folder, which must exist, without leaving anything in it; null when another process has it. On Windows, where a folder is
    /// no file, one that is gone with the lock stands for it.
    /// </summary>
    /// <exception cref="IOException">The system does not lock it.</exception>
    public static IDisposable? TryTakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                return new FileStream(Path.Combine(path, ".mixpanel-lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
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

    /// <summary>Held by another process, in the words of Windows and of Unix; anything else is the disk's.</summary>
    static bool IsHeld(IOException e) => (e.HResult & 0xffff) is 32 or 33 || e.HResult is HeldOnLinux or HeldOnMac;

    [DllImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Lock(SafeFileHandle file, int operation);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}
