using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace MixpanelConnector.Files;

/// <summary>
/// File names that are not valid UTF-8. .NET replaces invalid bytes with U+FFFD, so that the name refers to another file, or none. Such names
/// are reported unchanged, and refused.
/// </summary>
static class ForeignName
{
    const int TypeAt = 18, NameAt = 19; // in struct dirent of 64-bit Linux
    const byte Unknown = 0, Folder = 4; // DT_UNKNOWN, DT_DIR
    const string Replacement = "\uFFFD";

    /// <summary>Whether a name may be such a replacement.</summary>
    public static bool MayBe(string name) => name.Contains(Replacement, StringComparison.Ordinal);

    /// <summary>Returns the bytes as text, with invalid UTF-8 as <c>\xHH</c>; null when all are valid.</summary>
    public static string? Escaped(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes)) return null;
        var text = new StringBuilder();
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out var length) is System.Buffers.OperationStatus.Done) text.Append(rune.ToString());
            else
                foreach (var single in bytes[..length]) text.Append(CultureInfo.InvariantCulture, $"\\x{single:x2}");
            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <summary>
    /// Returns the names in a folder that are not UTF-8, escaped, and whether they may be folders. Returns none where the system does not report them.
    /// </summary>
    public static IReadOnlyList<(string Name, bool MayBeFolder)> In(string folder)
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess) return [];
        var names = new List<(string, bool)>();
        var open = OpenFolder(folder);
        if (open == 0) return [];
        try
        {
            while (ReadFolder(open) is var entry and not 0)
            {
                var length = 0;
                while (Marshal.ReadByte(entry, NameAt + length) != 0) length++;
                var name = new byte[length];
                Marshal.Copy(entry + NameAt, name, 0, length);
                if (Escaped(name) is { } escaped) names.Add((escaped, Marshal.ReadByte(entry, TypeAt) is Unknown or Folder));
            }
        }
        finally
        {
            _ = CloseFolder(open);
        }

        return names;
    }

    [DllImport("libc", EntryPoint = "opendir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern nint OpenFolder([MarshalAs(UnmanagedType.LPUTF8Str)] string path);

    [DllImport("libc", EntryPoint = "readdir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern nint ReadFolder(nint folder);

    [DllImport("libc", EntryPoint = "closedir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int CloseFolder(nint folder);
}
