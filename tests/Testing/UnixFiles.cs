using System.Runtime.InteropServices;

namespace MixpanelConnector.Testing;

/// <summary>What .NET cannot make of files, on Unix.</summary>
public static class UnixFiles
{
    const uint Nobody = 65534;

    /// <summary>Makes a named pipe that only its owner can use.</summary>
    public static string MakePipe(string path)
    {
        Check(MakePipe(path, 0b110_000_000), path);
        return path;
    }

    /// <summary>Gives a file another name, too.</summary>
    public static void MakeHardLink(string path, string other) => Check(Link(path, other), other);

    /// <summary>Makes a file, a folder or a link another user's; false when this process may not, which is root's alone.</summary>
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
