using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>A request's body, decompressed, in one pooled buffer that never grows beyond the limit.</summary>
sealed class RequestBody : IDisposable
{
    byte[] _buffer;
    int _length;

    RequestBody(int capacity) => _buffer = ArrayPool<byte>.Shared.Rent(capacity);

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    public static async Task<RequestBody> ReadAsync(HttpRequest request, int limit, bool gzipAllowed, CancellationToken cancellationToken)
    {
        switch (request.Headers.ContentEncoding.ToString())
        {
            case "" or "identity":
                return await ReadAsync(request.Body, request.ContentLength, limit, cancellationToken).ConfigureAwait(false);
            case "gzip" when gzipAllowed:
                using (var compressed = await ReadAsync(request.Body, request.ContentLength, limit, cancellationToken).ConfigureAwait(false))
                    return await DecompressAsync(compressed, limit, cancellationToken).ConfigureAwait(false);
            default:
                throw new RefusedException(415, "Content-Encoding is not supported here");
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _length = 0;
    }

    static async Task<RequestBody> ReadAsync(Stream source, long? length, int limit, CancellationToken cancellationToken)
    {
        if (length > limit)
            throw TooLarge(limit);
        // One byte more than announced shows the end without growing.
        var body = new RequestBody((int)(length ?? 64 * 1024) + 1);
        try
        {
            int read;
            while ((read = await source.ReadAsync(body._buffer.AsMemory(body._length), cancellationToken).ConfigureAwait(false)) > 0)
            {
                body._length += read;
                if (body._length > limit)
                    throw TooLarge(limit);
                if (body._length == body._buffer.Length)
                    body.Grow();
            }
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>
    /// .NET takes a gzip stream that is cut short for a whole one, so the length in its trailer is compared. A body of
    /// several gzip members is refused with it.
    /// </summary>
    static async Task<RequestBody> DecompressAsync(RequestBody compressed, int limit, CancellationToken cancellationToken)
    {
        const int HeaderAndTrailer = 18;
        try
        {
            using var gzip = new GZipStream(new MemoryStream(compressed._buffer, 0, compressed._length, writable: false), CompressionMode.Decompress);
            var body = await ReadAsync(gzip, null, limit, cancellationToken).ConfigureAwait(false);
            var trailer = compressed.Bytes;
            if (trailer.Length >= HeaderAndTrailer && BinaryPrimitives.ReadInt32LittleEndian(trailer.Span[^4..]) == body._length)
                return body;
            body.Dispose();
        }
        catch (InvalidDataException)
        {
            // The refusal below says it.
        }
        throw new RefusedException(400, "body is not a whole gzip stream");
    }

    static RefusedException TooLarge(int limit) => new(413, $"request exceeds max limit of {limit} bytes");

    void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
