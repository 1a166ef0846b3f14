using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// Reads JSON bodies within limits: 10 MB as sent, 20 MB after decompression, 100 times as much as was sent after the first
/// megabyte; and all bodies together no more than 48 MB at a time, which bounds the server's memory whatever is sent.
/// </summary>
sealed class Bodies
{
    public const int MostRaw = 10_000_000;
    public const int MostDecompressed = 20_000_000;
    public const int MostTogether = 48_000_000;
    const int MostRatio = 100;
    const int FreeRatio = 1 << 20;
    const int Depth = 32;
    const int LongestText = 1 << 20;
    const int LongestName = 255;
    const int FirstBuffer = 32 << 10;

    long _held;

    /// <summary>The body of an action: JSON and nothing else, so that no form of a web page passes for it.</summary>
    /// <exception cref="RefusedException">It is no JSON, or exceeds a limit.</exception>
    public async Task<JsonBody> ReadJsonAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        RequireJson(request);
        var body = await ReadAsync(request, cancellationToken);
        try
        {
            return new JsonBody(body, Parse(body.Memory));
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public static void RequireJson(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals(Answers.Json, StringComparison.OrdinalIgnoreCase)
            || (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
            throw new RefusedException(Refusal.WrongType(Answers.Json));
    }

    /// <exception cref="RefusedException">It exceeds a limit.</exception>
    public async Task<HeldBytes> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        switch (request.Headers.ContentEncoding.ToString().ToLowerInvariant())
        {
            case "" or "identity":
                return await ReadAsync(request.Body, request.ContentLength, MostRaw, cancellationToken);
            case "gzip":
                using (var raw = await ReadAsync(request.Body, request.ContentLength, MostRaw, cancellationToken)) return await DecompressAsync(raw, cancellationToken);
            default:
                throw new RefusedException(Refusal.WrongType("the body as it is, or with the one Content-Encoding gzip") with { Field = "Content-Encoding" });
        }
    }

    async Task<HeldBytes> ReadAsync(Stream source, long? length, long limit, CancellationToken cancellationToken)
    {
        if (length > limit) throw TooLarge(limit);
        // One byte more than announced shows the end without growing.
        var bytes = new HeldBytes(this, (int)Math.Min(length ?? FirstBuffer, limit) + 1);
        try
        {
            int read;
            while ((read = await source.ReadAsync(bytes.Free(), cancellationToken)) > 0)
            {
                bytes.Length += read;
                if (bytes.Length > limit) throw TooLarge(limit);
            }

            return bytes;
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    /// <summary>.NET takes a gzip stream that is cut short for a whole one, so the length in its trailer is compared; several members in one body are refused with it.</summary>
    async Task<HeldBytes> DecompressAsync(HeldBytes raw, CancellationToken cancellationToken)
    {
        const int HeaderAndTrailer = 18;
        try
        {
            using var gzip = new GZipStream(raw.AsStream(), CompressionMode.Decompress);
            var bytes = await ReadAsync(gzip, length: null, Math.Min(MostDecompressed, FreeRatio + ((long)raw.Length * MostRatio)), cancellationToken);
            if (raw.Length >= HeaderAndTrailer && BinaryPrimitives.ReadInt32LittleEndian(raw.Memory.Span[^4..]) == bytes.Length) return bytes;
            bytes.Dispose();
        }
        catch (InvalidDataException)
        {
            // The refusal below says it.
        }

        throw new RefusedException(Refusal.Malformed("The body is not one whole gzip stream."));
    }

    static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            if (!Utf8.IsValid(json.Span)) throw Invalid("input: is not UTF-8.");
            Check(json.Span);
            return JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = Depth });
        }
        catch (JsonException e)
        {
            throw Invalid(FormattableString.Invariant($"input: is not valid JSON, or nested deeper than {Depth} (line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1})."));
        }

        static void Check(ReadOnlySpan<byte> json)
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Depth });
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String && reader.ValueSpan.Length > LongestText) throw Invalid(FormattableString.Invariant($"input: holds a text of more than {LongestText} bytes."));
                if (reader.TokenType is JsonTokenType.PropertyName && reader.ValueSpan.Length > LongestName) throw Invalid(FormattableString.Invariant($"input: holds a name of more than {LongestName} bytes."));
            }
        }

        static MixpanelException Invalid(string message) => Configuration.Invalid("input", message);
    }

    static RefusedException TooLarge(long limit) => new(Refusal.TooLarge(FormattableString.Invariant($"The body may have {limit} bytes. Send less at a time, or use /v1/imports, which has no such limit.")));

    void Hold(int bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= MostTogether) return;
        LetGo(bytes);
        throw new RefusedException(Refusal.Busy);
    }

    void LetGo(int bytes) => Interlocked.Add(ref _held, -bytes);

    /// <summary>Bytes in a pooled buffer that counts against what all may hold.</summary>
    public sealed class HeldBytes : IDisposable
    {
        readonly Bodies _all;
        byte[] _buffer;

        public HeldBytes(Bodies all, int size)
        {
            (_all, _buffer) = (all, []);
            Grow(size);
        }

        public int Length { get; set; }

        public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, Length);

        public Memory<byte> Free()
        {
            if (Length == _buffer.Length) Grow(_buffer.Length * 2);
            return _buffer.AsMemory(Length);
        }

        public MemoryStream AsStream() => new(_buffer, 0, Length, writable: false);

        public void Dispose()
        {
            if (_buffer.Length == 0) return;
            ArrayPool<byte>.Shared.Return(_buffer);
            _all.LetGo(_buffer.Length);
            _buffer = [];
        }

        void Grow(int size)
        {
            var larger = ArrayPool<byte>.Shared.Rent(size);
            try
            {
                _all.Hold(larger.Length);
            }
            catch
            {
                ArrayPool<byte>.Shared.Return(larger);
                throw;
            }

            _buffer.AsSpan(0, Length).CopyTo(larger);
            if (_buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
                _all.LetGo(_buffer.Length);
            }

            _buffer = larger;
        }
    }
}

/// <summary>A body with the JSON that it is. The JSON lives as long as the body.</summary>
sealed class JsonBody(Bodies.HeldBytes bytes, JsonDocument document) : IDisposable
{
    public ReadOnlyMemory<byte> Bytes => bytes.Memory;

    public JsonElement Json => document.RootElement;

    public void Dispose()
    {
        document.Dispose();
        bytes.Dispose();
    }
}
