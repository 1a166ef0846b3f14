using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MixpanelConnector.Import.Source;

/// <summary>Tells whether two paths are names of one file: hard links, which .NET cannot see.</summary>
static class FileIdentity
{
    // The layout of struct statx is the same on every architecture, unlike that of stat.
    const int StatxLength = 256;
    const uint WantLinksAndInode = 0x4 | 0x100;

    /// <summary>Null for a file with one name only, and where the system does not tell.</summary>
    public static string? Of(string path) => Ask(path) is { Links: > 1 } told ? string.Create(CultureInfo.InvariantCulture, $"{told.Device}:{told.Inode}") : null;

    /// <summary>Which file has the path now; null when none has. Where the system does not tell, any file is the same.</summary>
    public static (ulong Device, ulong Inode)? Holder(string path) => !File.Exists(path) ? null : Ask(path) is { } told ? (told.Device, told.Inode) : default((ulong, ulong));

    static (uint Links, ulong Device, ulong Inode)? Ask(string path)
    {
        if (!OperatingSystem.IsLinux()) return null;
        Span<byte> told = stackalloc byte[StatxLength];
        try
        {
            if (Statx(-100, path, 0, WantLinksAndInode, ref MemoryMarshal.GetReference(told)) != 0) return null; // -100: relative to the current folder
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }

        var links = BinaryPrimitives.ReadUInt32LittleEndian(told[16..]);
        var inode = BinaryPrimitives.ReadUInt64LittleEndian(told[32..]);
        var device = BinaryPrimitives.ReadUInt64LittleEndian(told[136..]);
        return (links, device, inode);
    }

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, ref byte told);
}
