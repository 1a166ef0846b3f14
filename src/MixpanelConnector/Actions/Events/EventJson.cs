using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>Writes events as JSON for the wire.</summary>
static class EventJson
{
    // Below this size a gzip header costs more than compression saves.
    const int SmallestWorthCompressing = 1024;

    static readonly long Source = ComputedInsertIds.HashOf("import_events");

    /// <summary>
    /// Writes one event. Missing properties are taken from the shared ones; a missing <c>$insert_id</c> is computed from the event and its position, so that a
    /// repeated call computes the same ids.
    /// </summary>
    /// <param name="target">Receives only the event.</param>
    /// <param name="data">The event.</param>
    /// <param name="shared">The properties of all events.</param>
    /// <param name="index">The position of the event.</param>
    public static void Write(ArrayBufferWriter<byte> target, EventData data, SharedEventProperties shared, int index)
    {
        using var writer = new Utf8JsonWriter(target, JsonDefaults.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("event", data.Event);
        writer.WriteStartObject("properties");
        var own = new HashSet<string>(StringComparer.Ordinal);
        if (data.Json is { } json)
        {
            foreach (var member in json.EnumerateObject())
            {
                if (!own.Add(member.Name))
                    throw MixpanelException.Invalid($"events[{index}].properties.{member.Name}", $"events[{index}].properties.{member.Name} is given twice.");
                member.WriteTo(writer);
            }
        }
        else
        {
            foreach (var (key, value) in data.Properties ?? [])
            {
                own.Add(key);
                writer.WritePropertyName(key);
                if (value is null) writer.WriteNullValue();
                else value.WriteTo(writer);
            }
        }

        shared.Write(writer, own);
        if (!own.Contains("$insert_id"))
        {
            writer.Flush();
            writer.WriteString("$insert_id", InsertId(target.WrittenSpan, index));
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Returns a JSON array of comma-separated events, compressed when that pays off.</summary>
    public static RequestBody Array(ReadOnlySpan<byte> written)
    {
        if (written.Length < SmallestWorthCompressing) return new RequestBody((byte[])[(byte)'[', .. written, (byte)']'], "application/json");
        using var compressed = new MemoryStream(written.Length / 4);
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write("["u8);
            gzip.Write(written);
            gzip.Write("]"u8);
        }

        return new RequestBody(compressed.GetBuffer().AsMemory(0, (int)compressed.Length), "application/json", "gzip");
    }

    /// <summary>Returns the input named strict as it is sent. A .NET caller's is not yet validated.</summary>
    public static string Strict(ActionContext context, string? strict)
    {
        if (strict is not ("0" or "1")) SchemaValidation.Check("strict", strict, context.Action.InputSchema());
        return strict is "0" or "false" ? "0" : "1";
    }

    /// <summary>Refuses half a character (a lone surrogate), which would be silently replaced when written.</summary>
    public static void EnsureUnicode(string path, string text)
    {
        if (!IsUnicode(text)) throw NotUnicode(path);
    }

    /// <summary>Like <see cref="EnsureUnicode(string, string)"/>, for everything below a node.</summary>
    public static void EnsureUnicode(string path, JsonNode? node)
    {
        if (IsUnicode(node)) return; // paths are built only to report an error
        try
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
            }
        }
        catch (InvalidOperationException)
        {
            // A name that is not valid Unicode.
        }

        throw NotUnicode(path);
    }

    /// <summary>Like <see cref="EnsureUnicode(string, string)"/>, for an event of a list.</summary>
    public static void EnsureUnicode(EventData? data, int index)
    {
        if (data?.Event is null) throw MixpanelException.Invalid($"events[{index}]", $"events[{index}] has no name.");
        if (!IsUnicode(data.Event)) throw NotUnicode($"events[{index}].event");
        if (data.Json is not { } json)
        {
            if (!IsUnicode(data.Properties)) EnsureUnicode($"events[{index}].properties", data.Properties);
            return;
        }

        // Only an escape can spell a lone surrogate.
        var raw = JsonMarshal.GetRawUtf8Value(json);
        if (raw.Contains((byte)'\\') || !Utf8.IsValid(raw)) EnsureUnicode($"events[{index}].properties", JsonObject.Create(json));
    }

    static bool IsUnicode(JsonNode? node)
    {
        try
        {
            return node switch
            {
                JsonObject members => members.All(member => IsUnicode(member.Key) && IsUnicode(member.Value)),
                JsonArray items => items.All(IsUnicode),
                JsonValue value when value.GetValueKind() is JsonValueKind.String && value.TryGetValue<string>(out var text) => IsUnicode(text),
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            return false; // JSON with a lone surrogate cannot be read as text
        }
    }

    static bool IsUnicode(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(at), out _, out var length) != OperationStatus.Done) return false;
            at += length;
        }

        return true;
    }

    static MixpanelException NotUnicode(string path) => MixpanelException.Invalid(path, $"{path} is not valid Unicode.");

    static byte[] InsertId(ReadOnlySpan<byte> written, int index)
    {
        var id = new byte[ComputedInsertIds.Length];
        ComputedInsertIds.OfPlace(written, Source, index, id);
        return id;
    }
}
