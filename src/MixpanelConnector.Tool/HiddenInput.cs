using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>Disables the echo of the terminal until it is disposed. Line editing and line endings work as usual.</summary>
sealed class HiddenInput : IDisposable
{
    const int StandardInput = 0;
    const int AfterOutput = 1; // TCSADRAIN: keeps input that was typed ahead
    const int EchoFlag = 8; // ECHO, on Linux and macOS
    const int SizeOfSettings = 256; // larger than termios on both

    const int StandardInputHandle = -10; // STD_INPUT_HANDLE
    const uint EchoInput = 4; // ENABLE_ECHO_INPUT

    // c_lflag: the fourth of four flags, each of 4 bytes on Linux and 8 on macOS.
    static readonly int LocalFlags = OperatingSystem.IsMacOS() ? 24 : 12;

    readonly Action _restore;

    HiddenInput(Action restore) => _restore = restore;

    /// <exception cref="MixpanelException">The terminal cannot disable its echo, so no secret may be asked for.</exception>
    public static IDisposable Begin()
    {
        if (OperatingSystem.IsWindows())
        {
            var console = GetStdHandle(StandardInputHandle);
            if (!GetConsoleMode(console, out var mode) || !SetConsoleMode(console, mode & ~EchoInput)) throw NotHidden();
            return new HiddenInput(() => SetConsoleMode(console, mode));
        }

        var settings = new byte[SizeOfSettings];
        if (GetTerminal(StandardInput, settings) != 0) throw NotHidden();
        var hidden = (byte[])settings.Clone();
        hidden[LocalFlags] &= unchecked((byte)~EchoFlag);
        if (SetTerminal(StandardInput, AfterOutput, hidden) != 0) throw NotHidden();
        return new HiddenInput(() => _ = SetTerminal(StandardInput, AfterOutput, settings));
    }

    public void Dispose() => _restore();

    static MixpanelException NotHidden() =>
        Configuration.Invalid("secret_file",
            $"The terminal cannot hide input ({Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}). Specify the secret with --secret-file FILE.");

    [DllImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int GetTerminal(int file, byte[] settings);

    [DllImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetTerminal(int file, int when, byte[] settings);

    [DllImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    static extern nint GetStdHandle(int which);

    [DllImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    static extern bool GetConsoleMode(nint console, out uint mode);

    [DllImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    static extern bool SetConsoleMode(nint console, uint mode);
}
