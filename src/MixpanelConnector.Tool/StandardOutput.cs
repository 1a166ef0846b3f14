using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>Standard output that fails when its reader is gone or its disk is full, and that waits no longer for its reader once the program is told to stop. The console's own stream hides a closed pipe, and a file stream would not share its position with other writers.</summary>
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
            else if (Marshal.GetLastPInvokeError() is var error and not Interrupted) throw error is ReaderIsGone ? new ReaderIsGoneException() : new IOException(Marshal.GetPInvokeErrorMessage(error));
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}

/// <summary>Standard error, which must not end the work that it tells of: when it is closed or full, what is said is lost, and nothing else; when nobody reads it, too, once the program is told to stop.</summary>
sealed class StandardError(CancellationToken stopping) : Stream
{
    const int Interrupted = 4; // EINTR

    bool _isOpen = StandardDescriptor.IsOpen(2);

    public static TextWriter NewWriter(CancellationToken stopping) => TextWriter.Synchronized(new StreamWriter(new StandardError(stopping)) { AutoFlush = true });

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
        while (_isOpen && !buffer.IsEmpty)
        {
            if (!StandardDescriptor.WaitToWrite(2, stopping))
            {
                _isOpen = false; // nobody reads it
                return;
            }

            var written = StandardDescriptor.Write(2, buffer);
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

/// <summary>The descriptors 0 to 2. Where the program is started without one of them, the runtime takes its number for a file or a pipe of its own.</summary>
static class StandardDescriptor
{
    const int GetFlags = 1; // F_GETFD
    const short CanWrite = 4; // POLLOUT
    const int Block = 4096; // PIPE_BUF: so much is taken at once by a pipe that says it takes something
    const int GlanceMilliseconds = 100;
    const int MostGlances = 20; // with the program told to stop
    const int CloseOnExec = 1; // FD_CLOEXEC: the runtime sets it on all that it opens; what was inherited cannot have it

    public static bool IsOpen(int file) => FControl(file, GetFlags) is >= 0 and var flags && (flags & CloseOnExec) == 0;

    /// <summary>Waits until the descriptor takes a block; false when that lasts beyond a moment after the program was told to stop.</summary>
    public static bool WaitToWrite(int file, CancellationToken stopping)
    {
        var asked = new Asked { File = file, Events = CanWrite };
        for (var patience = MostGlances; patience > 0;)
        {
            if (Poll(ref asked, 1, GlanceMilliseconds) != 0) return true; // an error shows when it is written
            if (stopping.IsCancellationRequested) patience--;
        }

        return false;
    }

    /// <summary>Writes what is taken without waiting, at most a block.</summary>
    public static nint Write(int file, ReadOnlySpan<byte> bytes) => WriteTo(file, ref MemoryMarshal.GetReference(bytes), Math.Min(bytes.Length, Block));

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

/// <summary>Whoever read standard output has seen enough, as in <c>mixpanel … | head</c>.</summary>
sealed class ReaderIsGoneException() : IOException("The reader of standard output is gone.");
