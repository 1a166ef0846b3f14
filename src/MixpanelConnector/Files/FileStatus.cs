using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MixpanelConnector.Files;

enum FileKind
{
    None,
    Regular,
    Folder,
    Link,

    /// <summary>A pipe, named or not.</summary>
    Pipe,

    /// <summary>A device or a socket.</summary>
    Special,
}

/// <summary>The status of a path. Where the system reports no owner, the file counts as the user's own.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct FileStatus(FileKind Kind)
{
    const int StatxLength = 256; // struct statx is laid out the same on every architecture, unlike struct stat
    const int CurrentFolder = -100; // AT_FDCWD
    const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    const uint BasicStats = 0x7ff; // STATX_BASIC_STATS

    public UnixFileMode Mode { get; private init; }

    public uint? Owner { get; private init; }

    /// <summary>The number of hard links of the file.</summary>
    public uint Links { get; private init; } = 1;

    /// <summary>The identity of the file, independent of its name; null where the system does not report it.</summary>
    public (ulong Device, ulong Inode)? Identity { get; private init; }

    public bool IsOurs => Owner is null || Owner == EffectiveUser();

    /// <summary>Whether only this user and root control it.</summary>
    public bool IsOursOrRoots => IsOurs || Owner == 0;

    public bool IsWritableByOthers => (Mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != UnixFileMode.None;

    /// <summary>Returns the status of the path itself, without following a link.</summary>
    public static FileStatus Of(string path) => Of(path, NoFollow);

    /// <summary>Returns the status of the target of the path, following links.</summary>
    public static FileStatus Behind(string path) => Of(path, flags: 0);

    public static FileStatus Of(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) return new(FileKind.Regular);
        var told = new byte[StatxLength];
        return Statx(file, "", EmptyPath, BasicStats, told) == 0 ? Read(told) : new(FileKind.Regular);
    }

    static FileStatus Of(string path, int flags)
    {
        if (!OperatingSystem.IsLinux()) return Ask(path, follow: flags == 0);
        var told = new byte[StatxLength];
        try
        {
            return Statx(CurrentFolder, path, flags, BasicStats, told) == 0 ? Read(told) : default;
        }
        catch (EntryPointNotFoundException)
        {
            return Ask(path, follow: flags == 0);
        }
    }

    static FileStatus Read(ReadOnlySpan<byte> told)
    {
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(told[28..]);
        return new(((mode & 0xf000) switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Folder,
            0xa000 => FileKind.Link,
            0x1000 => FileKind.Pipe,
            _ => FileKind.Special,
        }))
        {
            Mode = (UnixFileMode)(mode & 0xfff),
            Owner = BinaryPrimitives.ReadUInt32LittleEndian(told[20..]),
            Links = BinaryPrimitives.ReadUInt32LittleEndian(told[16..]),
            Identity = (BinaryPrimitives.ReadUInt64LittleEndian(told[136..]), BinaryPrimitives.ReadUInt64LittleEndian(told[32..])),
        };
    }

    static FileStatus Ask(string path, bool follow)
    {
        FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        if (info.LinkTarget is not null && !follow) return new(FileKind.Link);
        return info.Exists
            ? new(info is DirectoryInfo ? FileKind.Folder : FileKind.Regular) { Mode = OperatingSystem.IsWindows() ? default : info.UnixFileMode }
            : default;
    }

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] told);

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Statx(SafeFileHandle file, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] told);

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern uint EffectiveUser();
}
