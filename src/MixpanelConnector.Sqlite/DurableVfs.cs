using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MixpanelConnector.Files;

namespace MixpanelConnector.Sqlite;

/// <summary>
/// SQLite's default VFS with one change: SQLite syncs the folder in which it creates a journal, but ignores a failure of
/// that sync. Here the journal is created and its folder synced before SQLite opens it, and a failure is an error like any other.
/// </summary>
static unsafe class DurableVfs
{
    const string Library = "e_sqlite3";
    const int Create = 0x4; // SQLITE_OPEN_CREATE
    const int Journals = 0x800 | 0x4000 | 0x80000; // SQLITE_OPEN_MAIN_JOURNAL, _SUPER_JOURNAL, _WAL
    const int CannotOpen = 14; // SQLITE_CANTOPEN
    const int FolderSyncFailed = 1290; // SQLITE_IOERR_DIR_FSYNC

    static readonly Vfs* Plain = Register();

    /// <summary>Its name for connection strings; null for SQLite's default VFS on systems where folders are not synced.</summary>
    public static string? Name => Plain is null ? null : "mixpanel-durable";

    static Vfs* Register()
    {
        if (OperatingSystem.IsWindows()) return null;
        var library = NativeLibrary.Load(Library, typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, searchPath: null);
        var plain = ((delegate* unmanaged[Cdecl]<byte*, Vfs*>)NativeLibrary.GetExport(library, "sqlite3_vfs_find"))(null);
        var durable = (Vfs*)NativeMemory.Alloc((nuint)sizeof(Vfs)); // for the lifetime of the process
        *durable = *plain;
        durable->Next = null;
        durable->Name = (byte*)Marshal.StringToCoTaskMemUTF8("mixpanel-durable");
        durable->Open = &Open;
        _ = ((delegate* unmanaged[Cdecl]<Vfs*, int, int>)NativeLibrary.GetExport(library, "sqlite3_vfs_register"))(durable, 0);
        return plain;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static int Open(Vfs* vfs, byte* name, void* file, int flags, int* outFlags)
    {
        if (name is not null && (flags & Create) != 0 && (flags & Journals) != 0)
        {
            try
            {
                var path = Marshal.PtrToStringUTF8((nint)name)!;
                Durable.OpenOwned(path, FileMode.OpenOrCreate).Dispose();
                if (!TrySyncFolder(path)) return FolderSyncFailed;
            }
            catch (Exception)
            {
                return CannotOpen; // no exception may pass through SQLite
            }

            flags &= ~Create; // nothing is left to sync
        }

        return Plain->Open(Plain, name, file, flags, outFlags);
    }

    static bool TrySyncFolder(string path)
    {
        try
        {
            Durable.SyncFolder(Path.GetDirectoryName(path)!);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The beginning of struct sqlite3_vfs, and space for the functions that are copied unchanged.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct Vfs
    {
        public int Version;
        public int FileSize;
        public int LongestPath;
        public Vfs* Next;
        public byte* Name;
        public void* Data;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, void*, int, int*, int> Open;
        public Functions Others;
    }

    [InlineArray(14)] // of version 3; so far all versions of the struct end with these
    struct Functions
    {
        nint _first;
    }
}
