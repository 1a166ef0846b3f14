using System.IO.Compression;
using System.Text.Json;

namespace MixpanelConnector.Transport;

/// <summary>Reads the body of an answer within limits: on its length after decompression, and on what JSON of it would be built.</summary>
static class ReplyBody
{
    // Answers to ingestion are a few hundred bytes, with failed records up to about 2000 x 1 KB; a page of a thousand profiles has some MB.
    const int LargestOfIngestion = 4 << 20;
    const int Largest = 20 << 20;

    // A page of a thousand profiles of 255 properties has fewer. Each is some hundred bytes in memory, whatever its length in the text.
    const int MostTokens = 600_000;

    /// <summary>The body; null for one beyond the limits.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="api">What was asked.</param>
    /// <param name="isPacked">Whether it may be compressed still, and nobody else unpacks it.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpResponseMessage response, Api api, bool isPacked, CancellationToken cancellationToken)
    {
        var largest = api is Api.Ingestion && response.RequestMessage?.Method != HttpMethod.Get ? LargestOfIngestion : Largest; // definitions of flags are asked for there, too
        if (response.Content.Headers.ContentLength > largest) return null;
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        if (isPacked && response.Content.Headers.ContentEncoding.Contains("gzip", StringComparer.OrdinalIgnoreCase)) stream = new GZipStream(stream, CompressionMode.Decompress);
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
            if (HasTooManyTokens(body)) return null; // not by ?:, which would make an empty body of it
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
            // What is no JSON is judged by whoever reads it: nothing is built of it.
        }

        return false;
    }
}
