using System.IO.Compression;
using MixpanelConnector.Import.Buffers;

namespace MixpanelConnector.Import.Compress;

/// <summary>A request body compressed with gzip, once for all attempts.</summary>
sealed class CompressedBody : IDisposable
{
    readonly BufferPool _buffers;
    readonly int _length;
    byte[] _buffer;

    CompressedBody(byte[] buffer, int length, BufferPool buffers) => (_buffer, _length, _buffers) = (buffer, length, buffers);

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    public long Memory => _buffer.Length;

    public static CompressedBody Gzip(ReadOnlyMemory<byte> text, BufferPool buffers)
    {
        var (buffer, length) = GzipEncoder.Compress(text.Span, buffers);
        return new(buffer, length, buffers);
    }

    /// <summary>Decompresses the text into a buffer of its known length.</summary>
    public void Decompress(Span<byte> text)
    {
        using var packed = new MemoryStream(_buffer, 0, _length, writable: false);
        using var gzip = new GZipStream(packed, CompressionMode.Decompress);
        gzip.ReadExactly(text);
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) _buffers.Return(_buffer);
        _buffer = [];
    }
}
