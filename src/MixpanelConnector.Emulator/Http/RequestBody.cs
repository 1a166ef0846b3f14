using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Reads and decompresses a request's body, never beyond the limit.</summary>
static class RequestBody
{
    public static async Task<PooledBytes> ReadAsync(HttpRequest request, int limit, bool gzipAllowed, CancellationToken cancellationToken)
    {
        switch (request.Headers.ContentEncoding.ToString().ToLowerInvariant())
        {
            case "" or "identity":
                return await ReadAsync(request.Body, request.ContentLength, limit, cancellationToken).ConfigureAwait(false);
            case "gzip" or "x-gzip" when gzipAllowed:
                using (var compressed = await ReadAsync(request.Body, request.ContentLength, limit, cancellationToken).ConfigureAwait(false))
                    return await DecompressAsync(compressed.Memory, limit, cancellationToken).ConfigureAwait(false);
            default:
                throw new RefusedException(415, "Content-Encoding is not supported here");
        }
    }

    static async Task<PooledBytes> ReadAsync(Stream source, long? length, int limit, CancellationToken cancellationToken)
    {
        if (length > limit) throw TooLarge(limit);
        // One byte more than announced detects the end without growing the buffer.
        var body = new PooledBytes((int)(length ?? 64 * 1024) + 1);
        try
        {
            int read;
            while ((read = await source.ReadAsync(body.GetMemory(), cancellationToken).ConfigureAwait(false)) > 0)
            {
                body.Advance(read);
                if (body.Length > limit) throw TooLarge(limit);
            }
            return body;
        }
        catch (IOException e) when (e.InnerException is OverflowException)
        {
            body.Dispose();
            throw new RefusedException(400, "the size of a chunk is too large");
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>
    /// .NET accepts a truncated gzip stream as complete, so the length in its trailer is compared. This also rejects a body of several gzip members.
    /// </summary>
    static async Task<PooledBytes> DecompressAsync(ReadOnlyMemory<byte> compressed, int limit, CancellationToken cancellationToken)
    {
        const int HeaderAndTrailer = 18;
        try
        {
            MemoryMarshal.TryGetArray(compressed, out var array);
            using var gzip = new GZipStream(new MemoryStream(array.Array!, array.Offset, array.Count, writable: false), CompressionMode.Decompress);
            var body = await ReadAsync(gzip, null, limit, cancellationToken).ConfigureAwait(false);
            if (compressed.Length >= HeaderAndTrailer && BinaryPrimitives.ReadInt32LittleEndian(compressed.Span[^4..]) == body.Length) return body;
            body.Dispose();
        }
        catch (InvalidDataException)
        {
            // Reported by the refusal below.
        }
        throw new RefusedException(400, "body is not a whole gzip stream");
    }

    static RefusedException TooLarge(int limit) => new(413, $"request exceeds max limit of {limit} bytes");
}
