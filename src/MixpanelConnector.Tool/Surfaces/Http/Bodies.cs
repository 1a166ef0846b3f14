using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>Reads JSON bodies within <see cref="Limits"/>. Their memory counts against the share of the caller.</summary>
static class Bodies
{
    const int FirstBuffer = 4 << 10;

    /// <summary>Requires JSON in UTF-8, so that no HTML form can send such a body.</summary>
    /// <exception cref="RefusedException">The content type is different.</exception>
    public static void RequireJson(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals(Answers.Json, StringComparison.OrdinalIgnoreCase))
            throw new RefusedException(Refusal.WrongType(Answers.Json));
        RequireUtf8(request);
    }

    /// <summary>Requires JSON if the request has a body.</summary>
    /// <exception cref="RefusedException">The body has another content type.</exception>
    public static void RequireJsonOrNone(HttpRequest request)
    {
        if (request.ContentType is null && request.ContentLength is null or 0 && request.Headers.TransferEncoding.Count == 0) return;
        RequireJson(request);
    }

    /// <summary>Requires that JSON is encoded in UTF-8.</summary>
    /// <exception cref="RefusedException">The request specifies another encoding for its JSON, or has several content types.</exception>
    public static void RequireUtf8(HttpRequest request)
    {
        if (request.Headers.ContentType.Count > 1) throw new RefusedException(Refusal.WrongType("a single content type"));
        if (MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.Charset.HasValue
            && type.MediaType.Value!.EndsWith("json", StringComparison.OrdinalIgnoreCase)
            && !HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            throw new RefusedException(Refusal.WrongType(type.MediaType.Value));
    }

    /// <summary>Receives a body from the network, unchanged.</summary>
    /// <exception cref="RefusedException">It exceeds a limit.</exception>
    public static async Task<HeldBytes> ReceiveAsync(HttpRequest request, Caller caller, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit) throw TooLarge(limit);
        var bytes = new HeldBytes(caller, FirstBuffer, (request.ContentLength ?? limit) + 1);
        try
        {
            await FillAsync(bytes, request.Body, limit, cancellationToken);
            return bytes;
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    /// <summary>Parses the JSON of a received body.</summary>
    /// <exception cref="RefusedException">It exceeds a limit.</exception>
    /// <exception cref="MixpanelException">It is not valid JSON.</exception>
    public static async Task<JsonBody> ReadJsonAsync(HttpRequest request, HeldBytes received, CancellationToken cancellationToken)
    {
        var plain = await PlainAsync(request, received, cancellationToken);
        try
        {
            var tokens = Check(plain.Memory.Span, Limits.Depth, Limits.Tokens);
            plain.HoldMore((long)tokens * Limits.BytesOfToken);
            return new JsonBody(plain, JsonDocument.Parse(plain.Memory, new JsonDocumentOptions { MaxDepth = Limits.Depth }));
        }
        catch
        {
            plain.Dispose();
            throw;
        }
    }

    /// <summary>Scans a whole JSON text before any object is built from it; returns the number of its values and names.</summary>
    /// <exception cref="RefusedException">There are too many.</exception>
    /// <exception cref="MixpanelException">It is not valid JSON, or exceeds another limit.</exception>
    public static int Check(ReadOnlySpan<byte> json, int depth, int mostTokens)
    {
        if (!Utf8.IsValid(json)) throw Invalid("is not UTF-8.");
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = depth });
            var tokens = 0;
            Span<int> names = stackalloc int[depth + 1];
            while (reader.Read())
            {
                if (++tokens > mostTokens)
                    throw new RefusedException(Refusal.TooLarge(FormattableString.Invariant(
                        $"The JSON of the body may contain at most {mostTokens} values and names. Send less at a time.")));
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject:
                        names[reader.CurrentDepth + 1] = 0;
                        break;
                    case JsonTokenType.String when reader.ValueSpan.Length > Limits.Text:
                        throw Invalid(FormattableString.Invariant($"contains a string of more than {Limits.Text} bytes."));
                    case JsonTokenType.PropertyName when reader.ValueSpan.Length > Limits.Name:
                        throw Invalid(FormattableString.Invariant($"contains a name of more than {Limits.Name} bytes."));
                    case JsonTokenType.PropertyName when ++names[reader.CurrentDepth] > Limits.Names:
                        throw Invalid(FormattableString.Invariant($"contains an object with more than {Limits.Names} names."));
                }
            }

            return tokens;
        }
        catch (JsonException e)
        {
            throw Invalid(FormattableString.Invariant($"is not valid JSON, or nested deeper than {depth} (line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1})."));
        }
    }

    static async Task<HeldBytes> PlainAsync(HttpRequest request, HeldBytes received,
        CancellationToken cancellationToken) => request.Headers.ContentEncoding.ToString().ToLowerInvariant() switch
        {
            "" or "identity" => received.Moved(),
            "gzip" => await DecompressAsync(received, cancellationToken),
            _ => throw new RefusedException(Refusal.WrongType("the body uncompressed, or with the single Content-Encoding gzip") with
            {
                Field = "Content-Encoding",
            }),
        };

    /// <summary>
    /// .NET accepts a truncated gzip stream as complete, so the length in its trailer is compared. This also rejects several members in one body.
    /// </summary>
    static async Task<HeldBytes> DecompressAsync(HeldBytes received, CancellationToken cancellationToken)
    {
        const int HeaderAndTrailer = 18;
        if (received.Length < HeaderAndTrailer) throw NotGzip();
        var limit = (int)Math.Min(Limits.Body, Limits.FreeOfRatio + ((long)received.Length * Limits.Ratio));
        var announced = BinaryPrimitives.ReadUInt32LittleEndian(received.Memory.Span[^4..]);
        // One byte more than announced detects the end without growing the buffer.
        var bytes = new HeldBytes(received.Caller, announced > limit ? FirstBuffer : (int)announced + 1, limit + 1);
        try
        {
            using var gzip = new GZipStream(received.AsStream(), CompressionMode.Decompress);
            await FillAsync(bytes, gzip, limit, cancellationToken);
            if (bytes.Length != announced) throw NotGzip();
            received.Dispose();
            return bytes;
        }
        catch (InvalidDataException)
        {
            bytes.Dispose();
            throw NotGzip();
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    static async Task FillAsync(HeldBytes bytes, Stream source, int limit, CancellationToken cancellationToken)
    {
        int read;
        while ((read = await source.ReadAsync(bytes.Free(), cancellationToken)) > 0)
        {
            bytes.Length += read;
            if (bytes.Length > limit) throw TooLarge(limit);
        }
    }

    static MixpanelException Invalid(string fault) => Configuration.Invalid("input", $"input: {fault}");

    static RefusedException NotGzip() => new(Refusal.Malformed("The body is not a single complete gzip stream."));

    static RefusedException TooLarge(long limit) =>
        new(Refusal.TooLarge(FormattableString.Invariant(
            $"The body may have at most {limit} bytes. Send less at a time, or use /v1/imports, which has no such limit.")));
}

/// <summary>Bytes in a pooled buffer that counts against the share of a caller.</summary>
sealed class HeldBytes : IDisposable
{
    /// <summary>Larger buffers are allocated exactly: those of the pool are up to twice as large, and are never freed.</summary>
    const int LargestPooled = 1 << 20;

    readonly long _largest;
    byte[] _buffer = [];
    long _held;
    int _size; // of the buffer, as requested

    /// <param name="caller">The caller whose share they count against.</param>
    /// <param name="size">The initial size.</param>
    /// <param name="largest">The largest buffer. An announced length is allocated only once data arrives, and never more than that.</param>
    public HeldBytes(Caller caller, int size, long largest)
    {
        (Caller, _largest) = (caller, largest);
        Grow((int)Math.Min(size, largest));
    }

    HeldBytes(HeldBytes other) =>
        (Caller, _largest, _buffer, _size, _held, Length) = (other.Caller, other._largest, other._buffer, other._size, other._held, other.Length);

    public Caller Caller { get; }

    public int Length { get; set; }

    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, Length);

    public Memory<byte> Free()
    {
        if (Length == _buffer.Length) Grow((int)Math.Max(Math.Min(_buffer.Length < LargestPooled ? _buffer.Length * 2L : _largest, _largest), Length + 1));
        return _buffer.AsMemory(Length);
    }

    public MemoryStream AsStream() => new(_buffer, 0, Length, writable: false);

    /// <summary>Counts memory of objects that are built from the bytes, until the bytes are disposed.</summary>
    /// <exception cref="RefusedException">The caller's share is used up.</exception>
    public void HoldMore(long bytes)
    {
        if (!Caller.Memory.TryHold(Caller, bytes)) throw new RefusedException(Refusal.NoMemory);
        _held += bytes;
    }

    /// <summary>Moves the bytes to a new owner.</summary>
    public HeldBytes Moved()
    {
        var moved = new HeldBytes(this);
        (_buffer, _size, _held, Length) = ([], 0, 0, 0);
        return moved;
    }

    public void Dispose()
    {
        Return();
        Caller.Memory.LetGo(Caller, _held);
        (_buffer, _size, _held, Length) = ([], 0, 0, 0);
    }

    void Grow(int size)
    {
        HoldMore(size);
        var larger = size > LargestPooled ? GC.AllocateUninitializedArray<byte>(size) : ArrayPool<byte>.Shared.Rent(size);
        _buffer.AsSpan(0, Length).CopyTo(larger);
        Return();
        Caller.Memory.LetGo(Caller, _size);
        _held -= _size;
        (_buffer, _size) = (larger, size);
    }

    void Return()
    {
        if (_buffer.Length is > 0 and <= LargestPooled) ArrayPool<byte>.Shared.Return(_buffer);
    }
}

/// <summary>A body and its parsed JSON, which is valid as long as the body.</summary>
sealed class JsonBody(HeldBytes bytes, JsonDocument document) : IDisposable
{
    public ReadOnlyMemory<byte> Bytes => bytes.Memory;

    public JsonElement Json => document.RootElement;

    public void Dispose()
    {
        document.Dispose();
        bytes.Dispose();
    }
}
