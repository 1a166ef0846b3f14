using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>Where the memory comes from that Parquet is read into.</summary>
static class NativeMemory
{
    /// <summary>Has it come from the C library, which gives it back: the reader's own allocator keeps an eighth more. Whoever runs the program may say otherwise.</summary>
    public static void ComesFromTheSystem()
    {
        if (!OperatingSystem.IsWindows()) _ = SetVariable("ARROW_DEFAULT_MEMORY_POOL", "system", overwrite: 0); // native code does not see what .NET sets
    }

    [DllImport("libc", EntryPoint = "setenv", BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
