using System.Buffers;
using System.Text.Json;

namespace MixpanelConnector.Transport;

/// <summary>Reads the body of an answer within limits: on its length after decompression, and on what JSON of it would be built.</summary>
static class ReplyBody
{
    // Answers to ingestion are a few hundred bytes, with failed records up to about 2000 x 1 KB; a page of a thousand profiles has some MB.
    const int LargestOfIngestion = 4 << 20;
    const int Largest = 32 << 20;

    // A page of a thousand profiles of 255 properties has half as many. Each is some hundred bytes in memory, whatever its length in the text.
    const int MostTokens = 1_000_000;

    const int Piece = 64 << 10;

    /// <summary>The body; null for one beyond the limits.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpResponseMessage response, Api api, CancellationToken cancellationToken)
    {
        var largest = api is Api.Ingestion ? LargestOfIngestion : Largest;
        if (response.Content.Headers.ContentLength > largest) return null;
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            // Pieces, not a buffer that grows: that would be held twice at each growth.
            var pieces = new List<byte[]>();
            var length = 0;
            try
            {
                while (true)
                {
                    if (length == pieces.Count * Piece) pieces.Add(ArrayPool<byte>.Shared.Rent(Piece));
                    var read = await stream.ReadAsync(pieces[^1].AsMemory(length % Piece, Piece - (length % Piece)), cancellationToken).ConfigureAwait(false);
                    if (read == 0) break;
                    length += read;
                    if (length > largest) return null;
                }

                var body = new byte[length];
                for (var at = 0; at < length; at += Piece) pieces[at / Piece].AsSpan(0, Math.Min(Piece, length - at)).CopyTo(body.AsSpan(at));
                return HasTooManyTokens(body) ? null : body;
            }
            finally
            {
                foreach (var piece in pieces) ArrayPool<byte>.Shared.Return(piece);
            }
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
