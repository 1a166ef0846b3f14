using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>Events as JSON on the wire.</summary>
static class EventJson
{
    // Below this a gzip header costs more than it saves.
    const int SmallestWorthCompressing = 1024;

    static readonly long Source = InsertIds.HashOf("import_events");

    /// <summary>Writes one event. What its properties lack is taken from the shared ones; a missing <c>$insert_id</c> is made from the event and its place, so that the same call again makes the same ids.</summary>
    public static byte[] Write(string name, JsonObject properties, JsonObject shared, int index)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var writer = new Utf8JsonWriter(buffer, Wire.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("event", name);
        writer.WriteStartObject("properties");
        foreach (var (key, value) in properties) Write(writer, key, value);
        foreach (var (key, value) in shared)
        {
            if (!properties.ContainsKey(key)) Write(writer, key, value);
        }

        if (!properties.ContainsKey("$insert_id"))
        {
            writer.Flush();
            writer.WriteString("$insert_id", InsertId(buffer.WrittenSpan, index));
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A JSON array of events that are written already, compressed when that pays.</summary>
    public static RequestBody Body(IReadOnlyList<byte[]> events, int from, int to)
    {
        var length = 1;
        for (var i = from; i < to; i++) length += events[i].Length + 1;
        var bytes = new byte[length];
        var at = 0;
        for (var i = from; i < to; i++)
        {
            bytes[at++] = (byte)(i == from ? '[' : ',');
            events[i].CopyTo(bytes, at);
            at += events[i].Length;
        }

        bytes[at] = (byte)']';
        if (bytes.Length < SmallestWorthCompressing) return new RequestBody(bytes, "application/json");
        using var compressed = new MemoryStream(bytes.Length / 2);
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return new RequestBody(compressed.GetBuffer().AsMemory(0, (int)compressed.Length), "application/json", "gzip");
    }

    /// <summary>The value of an input named strict.</summary>
    public static string Strict(string? strict) => strict switch
    {
        "0" or "false" => "0",
        "1" or "true" => "1",
        _ => throw MixpanelException.Invalid("strict", "strict must be \"1\" (Mixpanel validates and names each event that failed) or \"0\"."),
    };

    /// <summary>Half a character (a lone surrogate) would be replaced in silence when written.</summary>
    public static void EnsureUnicode(string path, string text)
    {
        for (var at = 0; at < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(at), out _, out var length) != OperationStatus.Done) throw MixpanelException.Invalid(path, $"{path} is not valid Unicode.");
            at += length;
        }
    }

    /// <summary>As <see cref="EnsureUnicode(string, string)"/>, for everything below a node.</summary>
    public static void EnsureUnicode(string path, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (key, value) in members)
                {
                    EnsureUnicode(path, key);
                    EnsureUnicode($"{path}.{key}", value);
                }

                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++) EnsureUnicode(string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), items[i]);
                break;
            case JsonValue value when value.GetValueKind() is JsonValueKind.String && value.TryGetValue<string>(out var text):
                EnsureUnicode(path, text);
                break;
        }
    }

    static void Write(Utf8JsonWriter writer, string key, JsonNode? value)
    {
        writer.WritePropertyName(key);
        if (value is null) writer.WriteNullValue();
        else value.WriteTo(writer);
    }

    static byte[] InsertId(ReadOnlySpan<byte> written, int index)
    {
        var id = new byte[InsertIds.Length];
        InsertIds.OfPlace(written, Source, index, id);
        return id;
    }
}
