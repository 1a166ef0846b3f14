using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>Standard output that fails when its reader is gone or its disk is full. The console's own stream hides a closed pipe, and a file stream would not share its position with other writers.</summary>
sealed class StandardOutput : Stream
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

/// <summary>Standard error, which must not end the work that it tells of: when it is closed or full, what is said is lost, and nothing else.</summary>
sealed class StandardError : Stream
{
    const int Interrupted = 4; // EINTR

    readonly bool _isOpen = StandardDescriptor.IsOpen(2);

    public static TextWriter NewWriter() => TextWriter.Synchronized(new StreamWriter(new StandardError()) { AutoFlush = true });

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
    const int CloseOnExec = 1; // FD_CLOEXEC: the runtime sets it on all that it opens; what was inherited cannot have it

    public static bool IsOpen(int file) => FControl(file, GetFlags) is >= 0 and var flags && (flags & CloseOnExec) == 0;

    public static nint Write(int file, ReadOnlySpan<byte> bytes) => WriteTo(file, ref MemoryMarshal.GetReference(bytes), bytes.Length);

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern nint WriteTo(int file, ref byte bytes, nint count);

    [DllImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int FControl(int file, int command);
}

/// <summary>Whoever read standard output has seen enough, as in <c>mixpanel … | head</c>.</summary>
sealed class ReaderIsGoneException() : IOException("The reader of standard output is gone.");
