using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>The allocator of the memory that Parquet is read into.</summary>
static class NativeMemory
{
    /// <summary>
    /// Selects the allocator of the C library, which returns memory to the system: the reader's own allocator retains an eighth more. The user can override it.
    /// </summary>
    public static void ComesFromTheSystem()
    {
        if (!OperatingSystem.IsWindows()) _ = SetVariable("ARROW_DEFAULT_MEMORY_POOL", "system", overwrite: 0); // native code does not see what .NET sets
    }

    [DllImport("libc", EntryPoint = "setenv", BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
