using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MixpanelConnector.Files;

/// <summary>
/// A pipe, a terminal or another device. Opening, reading and writing it may block forever; here each operation can be
/// canceled. Linux only; on other systems it is opened like any other file.
/// </summary>
sealed class SpecialFile : IDisposable
{
    const int WriteOnly = 1, DoNotBlock = 0x800, NoTerminal = 0x100, CloseOnExec = 0x80000; // O_WRONLY, O_NONBLOCK, O_NOCTTY, O_CLOEXEC
    const short CanRead = 1, CanWrite = 4; // POLLIN, POLLOUT
    const int NoReader = 6, Interrupted = 4, NotNow = 11; // ENXIO, EINTR, EAGAIN
    const int GlanceMilliseconds = 100;

    readonly string _path;
    readonly SafeFileHandle _file;

    SpecialFile(string path, SafeFileHandle file) => (_path, _file) = (path, file);

    /// <summary>Whether a path leads to a pipe or device.</summary>
    public static bool IsAt(string path) => OperatingSystem.IsLinux() && FileStatus.Behind(path).Kind is FileKind.Pipe or FileKind.Special;

    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SpecialFile OpenToRead(string path)
    {
        var file = Open(path, flags: 0); // O_RDONLY
        return file.IsInvalid ? throw Failed(path) : new(path, file);
    }

    /// <summary>Opens it; waits until a pipe has a reader.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="OperationCanceledException">There is no reader, and the wait was canceled.</exception>
    public static SpecialFile OpenToWrite(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            var file = Open(path, WriteOnly);
            if (!file.IsInvalid) return new(path, file);
            if (Marshal.GetLastPInvokeError() is not NoReader || FileStatus.Behind(path).Kind is not FileKind.Pipe) throw Failed(path);
            cancellationToken.ThrowIfCancellationRequested();
            cancellationToken.WaitHandle.WaitOne(GlanceMilliseconds);
        }
    }

    /// <summary>Whether a read would not block.</summary>
    public bool IsReady => Poll(CanRead, milliseconds: 0);

    /// <summary>Waits for data and reads it; returns 0 at the end.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public int Read(Span<byte> target, CancellationToken cancellationToken)
    {
        while (true)
        {
            Wait(CanRead, cancellationToken); // reading a pipe that has never had a writer would return the end
            var read = ReadFrom(_file, ref MemoryMarshal.GetReference(target), target.Length);
            if (read >= 0) return (int)read;
            if (Marshal.GetLastPInvokeError() is not (Interrupted or NotNow)) throw Failed(_path);
        }
    }

    /// <summary>Writes all bytes, as fast as the reader accepts them.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="OperationCanceledException">It accepts no more data, and the wait was canceled.</exception>
    public void Write(ReadOnlySpan<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            var written = WriteTo(_file, ref MemoryMarshal.GetReference(bytes), bytes.Length);
            if (written >= 0) bytes = bytes[(int)written..];
            else if (Marshal.GetLastPInvokeError() is var error && error is NotNow) Wait(CanWrite, cancellationToken);
            else if (error is not Interrupted) throw Failed(_path);
        }
    }

    public void Dispose() => _file.Dispose();

    void Wait(short what, CancellationToken cancellationToken)
    {
        while (!Poll(what, cancellationToken.IsCancellationRequested ? 0 : GlanceMilliseconds)) cancellationToken.ThrowIfCancellationRequested();
    }

    bool Poll(short what, int milliseconds)
    {
        var asked = new Asked { File = (int)_file.DangerousGetHandle(), Events = what };
        return Poll(ref asked, 1, milliseconds) > 0;
    }

    static SafeFileHandle Open(string path, int flags) => new(Open(path, flags | DoNotBlock | NoTerminal | CloseOnExec, mode: 0), ownsHandle: true);

    static IOException Failed(string path) => new($"{Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}: {path}");

    [StructLayout(LayoutKind.Sequential)]
    struct Asked
    {
        public int File;
        public short Events;
        public short Told;
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);

    [DllImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern nint ReadFrom(SafeFileHandle file, ref byte bytes, nint count);

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern nint WriteTo(SafeFileHandle file, ref byte bytes, nint count);

    [DllImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Poll(ref Asked asked, nuint count, int milliseconds);
}
