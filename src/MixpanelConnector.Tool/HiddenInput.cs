using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>Switches off that the terminal shows what is written, until it is disposed. A line is edited and ended as usual.</summary>
sealed class HiddenInput : IDisposable
{
    const int StandardInput = 0;
    const int AfterOutput = 1; // TCSADRAIN: what was written ahead is kept
    const int EchoFlag = 8; // ECHO, in Linux and macOS
    const int SizeOfSettings = 256; // above that of termios in both

    const int StandardInputHandle = -10; // STD_INPUT_HANDLE
    const uint EchoInput = 4; // ENABLE_ECHO_INPUT

    // c_lflag: the fourth of four flags, of 4 bytes in Linux and of 8 in macOS.
    static readonly int LocalFlags = OperatingSystem.IsMacOS() ? 24 : 12;

    readonly Action _restore;

    HiddenInput(Action restore) => _restore = restore;

    /// <exception cref="MixpanelException">The terminal does not do it: then nothing secret may be asked for.</exception>
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

    static MixpanelException NotHidden() => Configuration.Invalid("secret_file", $"The terminal cannot hide what is written ({Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}). Give the secret by --secret-file FILE.");

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
