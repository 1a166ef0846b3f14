using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MixpanelConnector.Files;

namespace MixpanelConnector.Sqlite;

/// <summary>
/// SQLite's way to the disk, but for one thing: SQLite syncs the folder in which it has made a journal, and overlooks it when that
/// fails. Here the journal is made and its folder synced before SQLite opens it, and a failure is an error like any other.
/// </summary>
static unsafe class DurableVfs
{
    const string Library = "e_sqlite3";
    const int Create = 0x4; // SQLITE_OPEN_CREATE
    const int Journals = 0x800 | 0x4000 | 0x80000; // SQLITE_OPEN_MAIN_JOURNAL, _SUPER_JOURNAL, _WAL
    const int CannotOpen = 14; // SQLITE_CANTOPEN
    const int FolderSyncFailed = 1290; // SQLITE_IOERR_DIR_FSYNC

    static readonly Vfs* Plain = Register();

    /// <summary>What a connection string calls it; null for SQLite's own, where folders are not synced.</summary>
    public static string? Name => Plain is null ? null : "mixpanel-durable";

    static Vfs* Register()
    {
        if (OperatingSystem.IsWindows()) return null;
        var library = NativeLibrary.Load(Library, typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, searchPath: null);
        var plain = ((delegate* unmanaged[Cdecl]<byte*, Vfs*>)NativeLibrary.GetExport(library, "sqlite3_vfs_find"))(null);
        var durable = (Vfs*)NativeMemory.Alloc((nuint)sizeof(Vfs)); // for as long as the process lives
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

            flags &= ~Create; // and nothing is left to sync
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

    /// <summary>The beginning of struct sqlite3_vfs, and room for the functions that are taken over as they are.</summary>
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

    [InlineArray(14)] // of version 3, with which every version of the struct ends so far
    struct Functions
    {
        nint _first;
    }
}
