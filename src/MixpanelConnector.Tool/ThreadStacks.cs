using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>The stacks of threads that do not specify a size.</summary>
static class ThreadStacks
{
    /// <summary>The size that the framework gives them.</summary>
    const int Size = 1536 << 10;

    /// <summary>Larger than a <c>pthread_attr_t</c> on any platform.</summary>
    const int AttributeBytes = 128;

    /// <summary>
    /// Gives new threads the size that they have in the framework. In a program compiled ahead of time they get the one of the caller's limit (<c>ulimit
    /// -s</c>), which may be too small for them to run at all.
    /// </summary>
    public static void AreLargeEnough()
    {
        if (!OperatingSystem.IsLinux() || RuntimeFeature.IsDynamicCodeSupported) return;
        try
        {
            var attributes = new byte[AttributeBytes];
            if (GetDefault(attributes) != 0) return;
            if (GetStackSize(attributes, out var size) == 0 && size < Size && SetStackSize(attributes, Size) == 0) _ = SetDefault(attributes);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without them.
        }
    }

    [DllImport("libc", EntryPoint = "pthread_getattr_default_np")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int GetDefault([In, Out] byte[] attributes);

    [DllImport("libc", EntryPoint = "pthread_setattr_default_np")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetDefault([In] byte[] attributes);

    [DllImport("libc", EntryPoint = "pthread_attr_getstacksize")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int GetStackSize([In] byte[] attributes, out nuint size);

    [DllImport("libc", EntryPoint = "pthread_attr_setstacksize")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetStackSize([In, Out] byte[] attributes, nuint size);
}
