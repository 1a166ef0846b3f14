using System.Runtime.InteropServices;

namespace MixpanelConnector.Testing;

/// <summary>File operations on Unix that .NET does not offer.</summary>
public static class UnixFiles
{
    const uint Nobody = 65534;

    /// <summary>Creates a named pipe that only its owner can use.</summary>
    public static string MakePipe(string path)
    {
        Check(MakePipe(path, 0b110_000_000), path);
        return path;
    }

    /// <summary>Creates a hard link to a file.</summary>
    public static void MakeHardLink(string path, string other) => Check(Link(path, other), other);

    /// <summary>Changes the owner of a file, a folder or a link to another user; false if this process may not, because it is not root.</summary>
    public static bool TryGiveAway(string path) => ChangeOwner(path, Nobody, Nobody) == 0;

    static void Check(int result, string path)
    {
        if (result != 0) throw new IOException($"{path} could not be made: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int MakePipe([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string path, [MarshalAs(UnmanagedType.LPUTF8Str)] string other);

    [DllImport("libc", EntryPoint = "lchown")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int ChangeOwner([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint user, uint group);
}
