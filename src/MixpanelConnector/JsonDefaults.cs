using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The JSON settings of this library.</summary>
static class JsonDefaults
{
    /// <summary>Snake case; null means absent; unknown and duplicate fields are errors; text is escaped only where JSON requires it.</summary>
    public static JsonSerializerOptions Options() => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>For Mixpanel's answers, which may gain fields at any time.</summary>
    public static JsonSerializerOptions ReplyOptions() =>
        new(Options()) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip, AllowDuplicateProperties = true, RespectNullableAnnotations = false };

    /// <summary>Writes a result, which may contain JSON from Mixpanel unchanged.</summary>
    /// <exception cref="MixpanelException">It contains half a character (a lone surrogate), which UTF-8 cannot encode.</exception>
    public static byte[] Write<T>(T result, JsonTypeInfo<T> type)
    {
        try
        {
            using var pieces = new Pieces();
            JsonSerializer.Serialize(pieces, result, type);
            return pieces.ToArray();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new MixpanelException(new(ErrorKind.Protocol, "Mixpanel's response contains text that is not valid Unicode."), e);
        }
    }

    public static byte[] Utf8(JsonNode? node)
    {
        var written = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(written, WriterOptions))
        {
            if (node is null) writer.WriteNullValue();
            else node.WriteTo(writer);
        }

        return written.WrittenSpan.ToArray();
    }

    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
}
