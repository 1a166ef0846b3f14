using System.Globalization;
using MixpanelConnector.Files;

namespace MixpanelConnector.Import.Source;

/// <summary>A sequence of bytes from a file or a stream, decompressed or not.</summary>
abstract class ByteSource : IDisposable
{
    /// <summary>The number of bytes read from the disk or the stream.</summary>
    public abstract long RawPosition { get; }

    /// <summary>Reads some bytes; returns 0 at the end.</summary>
    /// <exception cref="InputException">The bytes cannot be read, or are corrupt.</exception>
    public abstract ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken);

    public abstract void Dispose();
}

sealed class FileByteSource : ByteSource
{
    readonly FileStream _file;
    long _position; // a pipe does not have one

    /// <summary>Opens a file at an offset; the bytes before it are not counted.</summary>
    public FileByteSource(string path, long offset = 0)
    {
        try
        {
            _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
            if (offset > 0) _file.Position = offset;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot be opened: {e.Message.TrimEnd('.')}", e);
        }
    }

    public override long RawPosition => _position;

    // A synchronous read: the stage has its own thread, and .NET's asynchronous file reads would only use another one.
    public override ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var read = _file.Read(target.Span);
            _position += read;
            return new(read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot be read: {e.Message}", e);
        }
    }

    public override void Dispose() => _file.Dispose();
}

/// <summary>A named pipe or a device. A blocking read is abandoned when the import stops.</summary>
sealed class SpecialByteSource : ByteSource
{
    readonly SpecialFile _file;
    long _position;

    public SpecialByteSource(string path)
    {
        try
        {
            _file = SpecialFile.OpenToRead(path);
        }
        catch (IOException e)
        {
            throw new InputException($"cannot be opened: {e.Message.TrimEnd('.')}", e);
        }
    }

    public override long RawPosition => _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var read = _file.IsReady
                ? _file.Read(target.Span, cancellationToken)
                : await Task.Run(() => _file.Read(target.Span, cancellationToken), CancellationToken.None).ConfigureAwait(false);
            _position += read;
            return read;
        }
        catch (IOException e)
        {
            throw new InputException($"cannot be read: {e.Message}", e);
        }
    }

    public override void Dispose() => _file.Dispose();
}

/// <summary>The caller's stream. A read that blocks forever, such as on a terminal, is abandoned when the import stops.</summary>
sealed class StreamByteSource(Stream stream) : ByteSource
{
    long _position;

    public override long RawPosition => _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        try
        {
            var read = await stream.ReadAsync(target, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            _position += read;
            return read;
        }
        catch (IOException e)
        {
            throw new InputException($"cannot be read: {e.Message}", e);
        }
    }

    public override void Dispose() { } // the caller owns the stream
}

/// <summary>Returns bytes that were read ahead to detect the format, then the rest.</summary>
sealed class RejoinedByteSource(ReadOnlyMemory<byte> head, ByteSource rest) : ByteSource
{
    ReadOnlyMemory<byte> _head = head;

    public override long RawPosition => rest.RawPosition - _head.Length;

    public override ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (_head.IsEmpty) return rest.ReadAsync(target, cancellationToken);
        var count = Math.Min(_head.Length, target.Length);
        _head[..count].CopyTo(target);
        _head = _head[count..];
        return new(count);
    }

    public override void Dispose() => rest.Dispose();
}

/// <summary>
/// Limits the bytes that an input gives when it is decompressed: a few kilobytes may become terabytes. The files of an archive share a limit, to which each
/// counts once, however often it is read.
/// </summary>
/// <param name="most">The limit, in bytes.</param>
/// <param name="archive">The limit of the archive that the input is in.</param>
sealed class DecompressionLimit(long most, DecompressionLimit? archive = null)
{
    long _highest;

    /// <param name="given">The number of bytes that the input has given since its beginning.</param>
    /// <exception cref="InputException">It is over the limit.</exception>
    public void Reached(long given)
    {
        if (given > most)
            throw new InputException(string.Create(CultureInfo.InvariantCulture, $"is more than {most} bytes when it is decompressed, which is the limit"));
        if (given <= _highest) return;
        var before = _highest;
        _highest = given;
        archive?.Add(given - before);
    }

    void Add(long more)
    {
        _highest += more;
        if (_highest > most)
            throw new InputException(string.Create(CultureInfo.InvariantCulture,
                $"is in an archive whose files are more than {most} bytes in total when they are decompressed, which is the limit"));
    }
}

/// <summary>A decompressed source within a limit.</summary>
sealed class BoundedByteSource(ByteSource source, DecompressionLimit limit) : ByteSource
{
    long _given;

    public override long RawPosition => source.RawPosition;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        var read = await source.ReadAsync(target, cancellationToken).ConfigureAwait(false);
        limit.Reached(_given += read);
        return read;
    }

    public override void Dispose() => source.Dispose();
}
