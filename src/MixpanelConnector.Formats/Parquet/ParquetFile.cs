using Microsoft.Win32.SafeHandles;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>
/// The file as a stream for the decoding package. That package converts a stream's exceptions to text, so the original is kept here:
/// a failing disk must not look like a damaged file.
/// </summary>
/// <param name="file">The opened file; owned.</param>
/// <param name="isTemporary">Whether it is a temporary copy rather than an input.</param>
sealed class ParquetFile(FileStream file, bool isTemporary) : Stream
{
    readonly SafeFileHandle _handle = file.SafeFileHandle;
    readonly long _length = file.Length;
    Exception? _failure;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => _length;

    public override long Position { get; set; }

    /// <exception cref="InputException">The disk has failed.</exception>
    public void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw new InputException(isTemporary ? $"could not be read again from its temporary file: {failure.Message}" : $"cannot be read: {failure.Message}",
                failure)
            { Outcome = isTemporary ? RunOutcome.DiskFailed : RunOutcome.Damaged };
    }

    /// <exception cref="InputException">The disk has failed.</exception>
    /// <exception cref="EndOfStreamException">The file is too short.</exception>
    public void ReadExactly(Span<byte> target, long position)
    {
        while (target.Length > 0)
        {
            var read = ReadAt(target, position);
            if (read == 0) throw new EndOfStreamException("it ends before the contents that it declares");
            target = target[read..];
            position += read;
        }
    }

    /// <summary>Reads some bytes; returns 0 at the end.</summary>
    /// <exception cref="InputException">The disk has failed.</exception>
    public int ReadAt(Span<byte> target, long position)
    {
        try
        {
            return RandomAccess.Read(_handle, target, position);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _failure = e;
            ThrowIfFailed();
            throw;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        var read = ReadAt(buffer, Position);
        Position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }
}
