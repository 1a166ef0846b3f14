using MixpanelConnector.Import.Batch;

namespace MixpanelConnector.Import.Compress;

/// <summary>The body of a request, made once for all its tries. Given back when the batch has its outcome.</summary>
sealed class CompressedBody : IDisposable
{
    readonly BufferPool? _buffers;
    byte[]? _buffer;

    CompressedBody(ReadOnlyMemory<byte> bytes, byte[]? buffer, BufferPool? buffers) => (Bytes, _buffer, _buffers) = (bytes, buffer, buffers);

    public ReadOnlyMemory<byte> Bytes { get; }

    public static CompressedBody Gzip(ReadOnlyMemory<byte> body, BufferPool buffers)
    {
        var (buffer, length) = GzipEncoder.Compress(body.Span, buffers);
        return new(buffer.AsMemory(0, length), buffer, buffers);
    }

    public static CompressedBody Plain(ReadOnlyMemory<byte> body) => new(body, null, null);

    public void Dispose()
    {
        if (_buffer is not null) _buffers!.Return(_buffer);
        _buffer = null;
    }
}
