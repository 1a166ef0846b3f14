using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>Standard output that fails when its reader is gone or its disk is full. The console's own stream hides a closed pipe, and a file stream would not share its position with other writers.</summary>
sealed class StandardOutput : Stream
{
    const int Interrupted = 4; // EINTR
    const int ReaderIsGone = 32; // EPIPE

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
            var written = WriteTo(1, ref MemoryMarshal.GetReference(buffer), buffer.Length);
            if (written >= 0) buffer = buffer[(int)written..];
            else if (Marshal.GetLastPInvokeError() is var error and not Interrupted) throw error is ReaderIsGone ? new ReaderIsGoneException() : new IOException(Marshal.GetPInvokeErrorMessage(error));
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern nint WriteTo(int file, ref byte bytes, nint count);
}

/// <summary>Whoever read standard output has seen enough, as in <c>mixpanel … | head</c>.</summary>
sealed class ReaderIsGoneException() : IOException("The reader of standard output is gone.");
