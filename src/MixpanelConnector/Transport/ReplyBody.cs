using System.IO.Compression;
using System.Text.Json;

namespace MixpanelConnector.Transport;

/// <summary>Reads the body of an answer within limits: on its decompressed length, and on the size of a JSON document built from it.</summary>
static class ReplyBody
{
    // Answers of ingestion are a few hundred bytes, with failed records up to about 2000 x 1 KB; a page of a thousand profiles has some MB.
    const int LargestOfIngestion = 4 << 20;
    const int Largest = 20 << 20;

    // A page of a thousand profiles of 255 properties has fewer. Each uses some hundred bytes in memory, whatever its length in the text.
    const int MostTokens = 600_000;

    /// <summary>Returns the body; null for one beyond the limits.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="api">The API of the request.</param>
    /// <param name="isPacked">Whether it may still be compressed, and nothing else decompresses it.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpResponseMessage response, Api api, bool isPacked, CancellationToken cancellationToken)
    {
        // Flag definitions are also fetched from there.
        var largest = api is Api.Ingestion && response.RequestMessage?.Method != HttpMethod.Get ? LargestOfIngestion : Largest;
        if (response.Content.Headers.ContentLength > largest) return null;
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        if (isPacked && response.Content.Headers.ContentEncoding.Contains("gzip", StringComparer.OrdinalIgnoreCase))
            stream = new GZipStream(stream, CompressionMode.Decompress);
        await using (stream.ConfigureAwait(false))
        {
            using var pieces = new Pieces();
            int read;
            while ((read = await stream.ReadAsync(pieces.Free(), cancellationToken).ConfigureAwait(false)) > 0)
            {
                pieces.Advance(read);
                if (pieces.Length > largest) return null;
            }

            var body = pieces.ToArray();
            if (HasTooManyTokens(body)) return null; // not with ?:, which would convert it to an empty body
            return body;
        }
    }

    static bool HasTooManyTokens(ReadOnlySpan<byte> body)
    {
        if (body.Length <= MostTokens) return false;
        var reader = new Utf8JsonReader(body);
        var tokens = 0;
        try
        {
            while (reader.Read())
            {
                if (++tokens > MostTokens) return true;
            }
        }
        catch (JsonException)
        {
            // The reader handles invalid JSON: nothing is built from it.
        }

        return false;
    }
}
