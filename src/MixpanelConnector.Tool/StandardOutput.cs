using System.Runtime.InteropServices;
using System.Text;

namespace MixpanelConnector.Tool;

/// <summary>
/// Standard output that fails when its reader is gone or its disk is full, and that stops waiting for its reader when the program is stopping. The console's
/// own stream hides a closed pipe, and a file stream would not share its position with other writers.
/// </summary>
sealed class StandardOutput(CancellationToken stopping) : Stream
{
    const int Interrupted = 4; // EINTR
    const int ReaderIsGone = 32; // EPIPE

    readonly bool _isOpen = StandardDescriptor.IsOpen(1);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (!_isOpen) throw new IOException("Standard output is closed.");
            if (!StandardDescriptor.WaitToWrite(1, stopping)) throw new OperationCanceledException(stopping);
            var written = StandardDescriptor.Write(1, buffer);
            if (written >= 0) buffer = buffer[(int)written..];
            else if (Marshal.GetLastPInvokeError() is var error and not Interrupted)
                throw error is ReaderIsGone ? new ReaderIsGoneException() : new IOException(Marshal.GetPInvokeErrorMessage(error));
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>
/// Standard error, which must never stop or block the work that it reports on. If it is closed or full, the message is lost, and nothing else fails. If nobody
/// reads the pipe, or the terminal is suspended, a write waits once, for a short time. After that, output that does not fit is dropped, and the number of
/// dropped bytes is reported when there is room again.
/// </summary>
sealed class StandardError(int file) : Stream
{
    const int Interrupted = 4; // EINTR

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    readonly bool _isOpen = StandardDescriptor.IsOpen(file);
    bool _isRead = true;
    long _leftOut;

    public static TextWriter NewWriter() => TextWriter.Synchronized(new StreamWriter(new StandardError(2)) { AutoFlush = true });

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!_isOpen) return;
        if (_leftOut > 0 && StandardDescriptor.IsWritable(file, TimeSpan.Zero))
        {
            var said = Encoding.ASCII.GetBytes($"\nmixpanel: the reader of this output stalled; {Counted.Of(_leftOut, "byte was", "bytes were")} dropped\n");
            (_leftOut, _isRead) = (0, true);
            WriteAll(said);
        }

        WriteAll(buffer);
    }

    void WriteAll(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (!StandardDescriptor.IsWritable(file, _isRead ? Patience : TimeSpan.Zero))
            {
                _isRead = false;
                _leftOut += buffer.Length;
                return;
            }

            var written = StandardDescriptor.Write(file, buffer);
            if (written >= 0) buffer = buffer[(int)written..];
            else if (Marshal.GetLastPInvokeError() is not Interrupted) return;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>The descriptors 0 to 2. If the program is started without one of them, the runtime reuses its number for one of its own files or pipes.</summary>
static class StandardDescriptor
{
    const int GetFlags = 1; // F_GETFD
    const short CanWrite = 4; // POLLOUT
    const int Interrupted = 4; // EINTR
    const int Block = 4096; // PIPE_BUF: a pipe that is ready for writing accepts this many bytes at once
    const int GlanceMilliseconds = 100;
    const int MostGlances = 20; // while the program is stopping
    const int CloseOnExec = 1; // FD_CLOEXEC: the runtime sets it on every descriptor it opens; inherited ones cannot have it

    public static bool IsOpen(int file) => FControl(file, GetFlags) is >= 0 and var flags && (flags & CloseOnExec) == 0;

    /// <summary>Waits until the descriptor accepts a block; false if that takes longer than a moment after the program was told to stop.</summary>
    public static bool WaitToWrite(int file, CancellationToken stopping)
    {
        var asked = new Asked { File = file, Events = CanWrite };
        for (var patience = MostGlances; patience > 0;)
        {
            if (Poll(ref asked, 1, GlanceMilliseconds) != 0) return true; // an error is reported by the write
            if (stopping.IsCancellationRequested) patience--;
        }

        return false;
    }

    /// <summary>Writes what is accepted without waiting, at most a block.</summary>
    public static nint Write(int file, ReadOnlySpan<byte> bytes) => WriteTo(file, ref MemoryMarshal.GetReference(bytes), Math.Min(bytes.Length, Block));

    /// <summary>Whether a block can be written without waiting. A descriptor that cannot tell, or is broken, counts as writable.</summary>
    public static bool IsWritable(int file, TimeSpan patience)
    {
        var asked = new Asked { File = file, Events = CanWrite };
        int found;
        do found = Poll(ref asked, 1, (int)patience.TotalMilliseconds);
        while (found < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return found != 0;
    }

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern nint WriteTo(int file, ref byte bytes, nint count);

    [DllImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int FControl(int file, int command);

    [DllImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Poll(ref Asked asked, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    struct Asked
    {
        public int File;
        public short Events;
        public short Told;
    }
}

/// <summary>The reader of standard output has closed it, as in <c>mixpanel … | head</c>.</summary>
sealed class ReaderIsGoneException() : IOException("The reader of standard output has closed it.");
